// The protected resource: bearer tokens as in RFC 6750, and the exact rate limit of a grant.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { connect, me, refresh, SCOPES, serverApp, signedIn, spa } from "./harness/client.mjs";
import { invalidToken, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app, held;
before(async () => {
  server = await startServer();
  owner = await signedIn(server);
  app = spa(server);
  held = await connect(server, owner, app);
});
after(() => server.stop());
afterEach(() => server.clock(0));

const api = async (init = {}, path = "/api/v1/me") => {
  const answer = await server.fetch(path, init);
  return { status: answer.status, headers: answer.headers, json: await answer.json().catch(() => ({})) };
};
const bearer = (token = held.access_token) => ({ authorization: `Bearer ${token}` });

test("the answer names account, app, scopes and expiry", async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const method of ["GET", "POST"]) {
    const { status, json, headers } = await api({ method, headers: bearer() });
    assert.equal(status, 200);
    assert.match(headers.get("content-type"), /^application\/json/);
    assert.match(headers.get("cache-control"), /no-store/);
    assert.equal(json.account.name, "Demo Salon");
    assert.ok(typeof json.account.id === "string" && json.account.id.length > 0);
    assert.deepEqual(json.app, { client_id: app.id });
    assert.deepEqual(json.scopes.toSorted(), SCOPES.split(" ").sort());
    assert.deepEqual(json.scope.split(" ").sort(), SCOPES.split(" ").sort());
    assert.ok(Number.isInteger(json.expires_at) && Math.abs(json.expires_at - now - 3600) < 60);
  }
});

test("RS-01: the scheme is case-insensitive", async () => {
  for (const scheme of ["bearer", "BEARER", "BeArEr"]) {
    assert.equal((await api({ headers: { authorization: `${scheme} ${held.access_token}` } })).status, 200);
  }
});

test("RS-02: a token in the address does not count", async () => {
  assert.equal((await api({}, `/api/v1/me?access_token=${held.access_token}`)).status, 401);
});

test("RS-03: a token sent in two ways is an invalid request", async () => {
  const body = new URLSearchParams({ access_token: held.access_token });
  const both = await api({ method: "POST", body, headers: bearer() });
  assert.equal(both.status, 400);
  assert.match(both.headers.get("www-authenticate"), /error="invalid_request"/);
});

test("RS-04: without credentials the answer names the scheme and no error", async () => {
  for (const headers of [{}, { authorization: "" }, { authorization: "Basic eDp5" }]) {
    const answer = await api({ headers });
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get("www-authenticate"), /^Bearer/);
    assert.doesNotMatch(answer.headers.get("www-authenticate"), /error=/);
  }
});

test("RS-05, TK-35: a token with any changed character, or of another kind, is invalid", async () => {
  const token = held.access_token;
  for (let at = 0; at < token.length; at += 1) {
    invalidToken(await me(server, token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1)));
  }
  for (const wrong of [
    held.refresh_token,
    held.code,
    `${token}=`,
    `${token}A`,
    token.slice(0, -1),
    "x",
    `${token} ${token}`,
    `eg_at_${held.refresh_token.slice(6)}`,
    `eg_key_${token.slice(6)}`,
  ]) {
    const answer = await me(server, wrong);
    assert.ok([400, 401].includes(answer.status), wrong);
  }
  assert.equal((await me(server, token)).status, 200);
});

test("RS-05: the error attributes are there once each and the body repeats no token", async () => {
  const answer = await me(server, "garbage-token-value");
  const header = answer.headers.get("www-authenticate");
  for (const name of ["realm", "error", "error_description", "scope"]) {
    assert.ok((header.match(new RegExp(`\\b${name}=`, "g")) ?? []).length <= 1, name);
  }
  assert.ok(!JSON.stringify(answer.json).includes("garbage-token-value") && !header.includes("garbage-token-value"));
});

test("RS-06: every token may ask what it is good for, whatever its scope", async () => {
  const narrow = await connect(server, owner, app, { scope: "bookings:read" });
  const answer = await me(server, narrow.access_token);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json.scopes, ["bookings:read"]);
});

test("A23: any origin may call it, without credentials, and read the limits", async () => {
  const preflight = await server.fetch("/api/v1/me", {
    method: "OPTIONS",
    headers: { origin: "https://spa.example", "access-control-request-method": "GET", "access-control-request-headers": "authorization" },
  });
  assert.ok([200, 204].includes(preflight.status));
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.match(preflight.headers.get("access-control-allow-headers"), /authorization/i);
  const answer = await me(server, held.access_token, { origin: server.issuer });
  assert.ok(["*", server.issuer].includes(answer.headers.get("access-control-allow-origin")));
  assert.equal(answer.headers.get("access-control-allow-credentials"), null);
  for (const name of ["retry-after", "ratelimit-remaining", "www-authenticate"]) {
    assert.match(answer.headers.get("access-control-expose-headers").toLowerCase(), new RegExp(name));
  }
});

/** A connection of an account that no test has used yet, so that its counter is fresh. */
async function freshGrant() {
  const other = await startServer();
  const browser = await signedIn(other);
  return { other, token: (await connect(other, browser, serverApp())).access_token };
}

test("RS-08, RS-10, RC-12: of 300 parallel calls exactly 100 pass; waiting Retry-After opens the next window", async () => {
  const { other, token } = await freshGrant();
  try {
    const answers = await Promise.all(Array.from({ length: 300 }, () => me(other, token)));
    const by = Map.groupBy(answers, (answer) => answer.status);
    assert.deepEqual([...by].map(([status, list]) => [status, list.length]).sort(), [
      [200, 100],
      [429, 200],
    ]);
    for (const answer of by.get(429)) {
      assert.equal(answer.json.error, "temporarily_unavailable");
      assert.match(answer.headers.get("content-type"), /^application\/json/);
    }
    for (const { headers } of answers) {
      assert.equal(headers.get("ratelimit-limit"), "100");
      assert.ok(Number(headers.get("ratelimit-remaining")) >= 0);
      assert.ok(Number(headers.get("ratelimit-reset")) <= 60);
    }
    const wait = Math.max(...by.get(429).map((answer) => Number(answer.headers.get("retry-after"))));
    assert.ok(wait > 0 && wait <= 60);
    await other.clock(wait * 1000);
    const next = await Promise.all(Array.from({ length: 150 }, () => me(other, token)));
    assert.equal(next.filter((answer) => answer.status === 200).length, 100);
  } finally {
    await other.stop();
  }
});

test("RS-10: remaining goes down by one with each call", async () => {
  const { other, token } = await freshGrant();
  try {
    const seen = [];
    for (let n = 0; n < 30; n += 1) seen.push(Number((await me(other, token)).headers.get("ratelimit-remaining")));
    assert.deepEqual(
      seen,
      Array.from({ length: 30 }, (_, n) => 99 - n),
    );
  } finally {
    await other.stop();
  }
});

test("RS-08: never more than the limit when the object is dropped from memory in between, and not much less", async () => {
  const { other, token } = await freshGrant();
  try {
    let passed = 0;
    for (let n = 0; n < 24; n += 1) {
      const answers = await Promise.all(Array.from({ length: 5 }, () => me(other, token)));
      passed += answers.filter((answer) => answer.status === 200).length;
      if (n % 6 === 5) await other.evict("Grant");
    }
    assert.ok(passed <= 100, `${passed} of 120 passed`);
    assert.ok(passed >= 85, `${passed} of 120 passed`);
  } finally {
    await other.stop();
  }
});

test("RS-09: one app at its limit does not slow another, and the limit survives a refresh", async () => {
  const { other, token } = await freshGrant();
  try {
    const browser = await signedIn(other);
    const loud = await connect(other, browser, spa(other));
    await Promise.all(Array.from({ length: 110 }, () => me(other, loud.access_token)));
    assert.equal((await me(other, loud.access_token)).status, 429);
    assert.equal((await me(other, token)).status, 200);
    const next = tokens(await refresh(other, spa(other), loud.refresh_token));
    assert.equal((await me(other, next.access_token)).status, 429);
  } finally {
    await other.stop();
  }
});
