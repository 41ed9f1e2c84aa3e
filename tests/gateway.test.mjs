// The gateway to the platform's own API: which requests go through, what refuses the others, and that what was ended is ended
// here too.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { connect, disconnectAll, manage, refresh, revoke, serverApp, signedIn, spa } from "./harness/client.mjs";
import { makeKey, revokeKey } from "./harness/keys.mjs";
import { rawLines } from "./harness/raw.mjs";
import { startServer } from "./harness/server.mjs";

const RULES = [
  { methods: ["GET"], path: "/api/v1/bookings", scopes: ["bookings:read"] },
  { methods: ["POST"], path: "/api/v1/bookings", scopes: ["bookings:read", "bookings:write"] },
  { methods: ["GET"], path: "/api/v1/bookings/export", scopes: ["customers:read"] },
  { methods: ["GET", "PUT", "PATCH", "DELETE"], path: "/api/v1/bookings/{id}", scopes: ["bookings:read"] },
  { methods: ["GET"], path: "/api/v1/open/*", scopes: [] },
  { methods: ["GET", "POST"], path: "/api/v1/*", scopes: ["customers:read"] },
];
const policy = (more = {}) => JSON.stringify({ gateway: { rules: RULES }, api: { rate: { limit: 1_000_000, window_s: 60 } }, ...more });
const ECHO = { workers: [{ name: "echo", script: "workers/echo/index.mjs" }], services: { API: "echo" } };

let server, owner, app, held;
before(async () => {
  server = await startServer({ ...ECHO, counting: true, direct: true, vars: { POLICY: policy() } });
  owner = await signedIn(server);
  app = spa(server);
  held = await connect(server, owner, app);
});
after(() => server.stop());
afterEach(() => server.clock(0));

const bearer = (token = held.access_token) => ({ authorization: `Bearer ${token}` });
async function ask(path, { token = held.access_token, on = server, ...init } = {}) {
  const answer = await on.fetch(path, { ...init, headers: { ...(token && bearer(token)), ...init.headers } });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: text && /json/.test(answer.headers.get("content-type")) ? JSON.parse(text) : {} };
}
/** What reached the API since the last time. */
const seen = async (on = server) => (await fetch(`${on.workers.echo}/seen`)).json();
const scoped = async (scope) => (await connect(server, owner, serverApp(), { scope })).access_token;

test("a token with the scopes of the rule goes through, byte for byte; other rules need other scopes", async () => {
  await seen();
  const target = "/api/v1/Bookings/a%20b%41%2C/?q=%C3%A9&a=1&a=2&&=;+?x=/../y";
  const { status, json } = await ask(target, { method: "PUT", body: "körper", headers: { "content-type": "text/plain", "x-mine": "1" } });
  assert.equal(status, 200);
  assert.deepEqual(await seen(), [`PUT ${target}`]);
  assert.equal(json.url, server.issuer + target);
  assert.equal(json.body, "körper");
  const headers = new Map(json.headers);
  assert.equal(headers.get("content-type"), "text/plain");
  assert.equal(headers.get("x-mine"), "1");
  const reader = await scoped("bookings:read");
  for (const [method, path, missing] of [
    ["GET", "/api/v1/bookings", null],
    ["HEAD", "/api/v1/bookings", null],
    ["DELETE", "/api/v1/bookings/7", null],
    ["GET", "/api/v1/open/a/b/c", null],
    ["POST", "/api/v1/bookings", "bookings:write"],
    ["GET", "/api/v1/bookings/export", "customers:read"],
    ["GET", "/api/v1/bookings/7/notes", "customers:read"],
    ["GET", "/api/v1/customers", "customers:read"],
  ]) {
    const answer = await ask(path, { method, token: reader });
    assert.equal(answer.status, missing ? 403 : 200, `${method} ${path}`);
    if (!missing) continue;
    const challenge = `Bearer realm="api", error="insufficient_scope", error_description="the access token lacks the scope ${missing}", scope="${missing}"`;
    const [told, metadata] = answer.headers.get("www-authenticate").split(", resource_metadata=");
    assert.deepEqual([told, metadata], [challenge, `"${server.issuer}/.well-known/oauth-protected-resource${path}"`]);
    assert.equal(answer.json.error, "insufficient_scope");
  }
  const none = await ask("/api/v1/bookings", { method: "POST", token: await scoped("account:read") });
  assert.match(none.headers.get("www-authenticate"), /scope="bookings:read bookings:write", resource_metadata="[^"]+"$/);
  assert.equal((await seen()).length, 4);
});

test("a narrower rule is not got past with another spelling of its path", async () => {
  const reader = await scoped("bookings:read");
  for (const path of ["/api/v1/bookings/EXPORT", "/api/v1/bookings/export/", "/api/v1/bookings/%65xport", "/api/v1/Bookings/e%58port/", "/api/v1/bookings/%45%58PORT"]) {
    assert.equal((await ask(path, { token: reader })).status, 403, path);
  }
  assert.equal((await ask("/api/v1/bookings/exports", { token: reader })).status, 200);
});

test("what no rule has is not found, without asking who it is; a path of other methods says which", async () => {
  await seen();
  for (const [on, path] of [[server, "/api/nothing"], [server, "/api/v2/bookings"], [server, "/api/v1"]]) {
    const { status, json, headers } = await ask(path, { on, token: null });
    assert.deepEqual([status, json.error, headers.get("access-control-allow-origin")], [404, "invalid_request", "*"], path);
  }
  for (const [method, path, allow] of [
    ["PUT", "/api/v1/bookings", "GET, HEAD, POST, OPTIONS"],
    ["POST", "/api/v1/bookings/7/x", null],
    ["PURGE", "/api/v1/bookings/7", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"],
    ["DELETE", "/api/v1/open/x", "GET, HEAD, POST, OPTIONS"],
  ]) {
    const answer = await ask(path, { method });
    assert.deepEqual([answer.status, answer.headers.get("allow")], [allow ? 405 : 200, allow], `${method} ${path}`);
  }
  assert.deepEqual(await seen(), ["POST /api/v1/bookings/7/x"]);
  await server.line({ method: "GET", outcome: "refused", reason: "no rule", route: "other", status: 404 });
});

test("endpoints and pages are matched first and never go through, in no spelling", async () => {
  await seen();
  assert.equal((await ask("/api/v1/me")).json.account.name, "Demo Salon");
  for (const path of ["/api/v1/ME", "/api/v1/me/", "/api/v1/%6de"]) assert.equal((await ask(path)).status, 404, path);
  assert.equal((await ask("/api/v1/me", { method: "DELETE" })).status, 405);
  for (const path of ["/API/v1/bookings", "/%61pi/v1/bookings", "/login", "/v1/bookings", "/manage/v1/none", "/.well-known/x"]) await ask(path);
  assert.deepEqual(await seen(), []);
});

const METADATA = () => `resource_metadata="${server.issuer}/.well-known/oauth-protected-resource/api/v1/bookings"`;

test("credentials: none, garbage, of another kind, twice", async () => {
  await seen();
  for (const [init, path, status, challenge] of [
    [{ token: null }, "/api/v1/bookings", 401, 'Bearer realm="api"'],
    [{ token: null, headers: { authorization: "Basic eDp5" } }, "/api/v1/bookings", 401, 'Bearer realm="api"'],
    [{ token: null }, `/api/v1/bookings?access_token=${held.access_token}`, 401, 'Bearer realm="api"'],
    [{}, `/api/v1/bookings?access_token=${held.access_token}`, 400, /error="invalid_request"/],
    [{}, `/api/v1/bookings?a=1&access_token=&access%5Ftoken=x`, 400, /error="invalid_request"/],
    [{ token: "garbage" }, "/api/v1/bookings", 401, /error="invalid_token"/],
    [{ token: held.refresh_token }, "/api/v1/bookings", 401, /error="invalid_token"/],
  ]) {
    const answer = await ask(path, init);
    assert.equal(answer.status, status, path);
    if (typeof challenge === "string") assert.equal(answer.headers.get("www-authenticate"), `${challenge}, ${METADATA()}`);
    else assert.match(answer.headers.get("www-authenticate"), challenge);
  }
  await server.clock(3_601_000);
  assert.equal((await ask("/api/v1/bookings")).status, 401);
  assert.deepEqual(await seen(), []);
});

test("an API key goes through as itself, and not after its revocation", async () => {
  const made = await makeKey(owner, { scopes: ["bookings:read"] });
  const { status, json } = await ask("/api/v1/bookings", { token: made.key });
  const headers = new Map(json.headers);
  assert.equal(status, 200);
  assert.equal(headers.get("edgegrant-credential"), "api_key");
  assert.equal(headers.get("edgegrant-app"), undefined);
  assert.equal(headers.get("edgegrant-scope"), "bookings:read");
  assert.equal((await ask("/api/v1/customers", { token: made.key })).status, 403);
  await revokeKey(owner, made.id);
  assert.equal((await ask("/api/v1/bookings", { token: made.key })).status, 401);
});

test("a call costs one object request and no D1; garbage and what no rule has cost nothing", async () => {
  const cost = async (path, init) => {
    const { cost } = await server.counted(() => ask(path, init));
    return { GRANT: cost.requests.GRANT, kv: cost.kvGet, d1: cost.d1Statements + cost.d1Batches };
  };
  await ask("/api/v1/bookings");
  assert.deepEqual(await cost("/api/v1/bookings"), { GRANT: 1, kv: 0, d1: 0 });
  for (const init of [{ token: "garbage" }, { token: null }]) assert.deepEqual(await cost("/api/v1/bookings", init), { GRANT: 0, kv: 0, d1: 0 });
  assert.deepEqual(await cost("/api/nothing"), { GRANT: 0, kv: 0, d1: 0 });
});

test("a preflight is answered without the API", async () => {
  await seen();
  const headers = { origin: "https://spa.example", "access-control-request-method": "PATCH", "access-control-request-headers": "authorization,idempotency-key" };
  const answer = await ask("/api/v1/bookings/7", { method: "OPTIONS", token: null, headers });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  assert.equal(answer.headers.get("access-control-allow-methods"), "GET, HEAD, POST, PUT, PATCH, DELETE");
  assert.equal(answer.headers.get("access-control-allow-headers"), "Authorization, Content-Type, Accept, *");
  assert.equal(answer.headers.get("access-control-allow-credentials"), null);
  assert.equal((await ask("/api/nothing", { method: "OPTIONS", token: null, headers })).status, 404);
  assert.deepEqual(await seen(), []);
});

test("A24: a path that can be read in two ways is refused and reaches nobody", async () => {
  await seen();
  const host = new URL(server.issuer).host;
  for (const path of [
    "/api/v1/open/a%2fb",
    "/api/v1/open/a%5Cb",
    "/api/v1/open/a\\b",
    "/api/v1/open//x",
    "/api/v1/open/x//",
    "/api/v1/open/x;y",
    "/api/v1/open/..;/x",
    "/api/v1/open/x%3by",
    "/api/v1/open/x%00",
    "/api/v1/open/x%0d%0aHost:%20x",
    "/api/v1/open/x%1f",
    "/api/v1/open/x%7f",
    "/api/v1/open/x%",
    "/api/v1/open/x%zz",
    "/api/v1/open/%c0%ae%c0%ae/x",
    "/api/v1/open/\xe9",
    "/api/v1/open/\x7f",
    "/api/v1/open/\x01",
    "/api/v1/open/{x}",
    '/api/v1/open/"',
  ]) {
    const answer = await rawLines(server.direct, [`GET ${path} HTTP/1.1`, `host: ${host}`, `authorization: Bearer ${held.access_token}`]);
    assert.equal(answer.status, 400, path);
    if (answer.headers.get("content-type") === "application/json") assert.equal(JSON.parse(answer.text).error, "invalid_request", path);
  }
  // What stands in front of a Worker may have resolved dots before; then the rule of what is left decides.
  const narrow = await scoped("account:read");
  for (const path of ["/api/v1/open/../bookings", "/api/v1/open/%2e%2e/bookings", "/api/v1/open/.%2E/bookings", "/api/v1/./bookings", "/api/v1/%2e/bookings"]) {
    const { status } = await rawLines(server.direct, [`GET ${path} HTTP/1.1`, `host: ${host}`, `authorization: Bearer ${narrow}`]);
    assert.ok([400, 403].includes(status), `${path}: ${status}`);
  }
  assert.deepEqual(await seen(), []);
  const fine = "/api/v1/open/a:b@c!$&'()*+,=~-._/%25/%C3%A9?x='1'&y=%27";
  const answer = await rawLines(server.direct, [`GET ${fine} HTTP/1.1`, `host: ${host}`, `authorization: Bearer ${held.access_token}`]);
  assert.equal(answer.status, 200);
  assert.deepEqual(await seen(), [`GET ${fine.replace("'1'", "%271%27")}`]);
});

test("a connection that would outlive a revocation is refused", async () => {
  await seen();
  const lines = ["GET /api/v1/open/x HTTP/1.1", `host: ${new URL(server.issuer).host}`, `authorization: Bearer ${held.access_token}`];
  const answer = await rawLines(server.direct, [...lines, "upgrade: h2c, WebSocket", "sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="]);
  assert.equal(answer.status, 501);
  await server.line({ outcome: "refused", reason: "websocket", status: 501 });
  assert.match(JSON.parse(answer.text).error_description, /WebSocket/);
  assert.deepEqual(await seen(), []);
});

test("an API that throws is 502; its own errors pass through as they are", async () => {
  const thrown = await ask("/api/v1/bookings", { headers: { "x-answer": JSON.stringify({ throw: "secret words of the API" }) } });
  assert.deepEqual([thrown.status, thrown.json.error], [502, "temporarily_unavailable"]);
  assert.ok(!thrown.text.includes("secret words"));
  await server.line({ outcome: "fault", reason: "upstream unreachable", route: "/api/v1/bookings", status: 502 });
  for (const status of [400, 401, 404, 409, 418, 500, 503]) {
    const answer = await ask("/api/v1/bookings", { headers: { "x-answer": JSON.stringify({ status, body: `{"own":${status}}`, headers: { "content-type": "application/json", "x-own": "1" } }) } });
    assert.deepEqual([answer.status, answer.text, answer.headers.get("x-own")], [status, `{"own":${status}}`, "1"]);
  }
});

test("the log names the rule and nothing of the path", async () => {
  await ask("/api/v1/bookings/private-number-12345?q=private-query");
  await server.line({ method: "GET", outcome: "ok", reason: "", route: "/api/v1/bookings/{id}", status: 200 });
  assert.ok(!server.log.includes("private-number") && !server.log.includes("private-query"));
});

test("the limit is the grant's: it counts here and at me together, and a refused call does not reach the API", async () => {
  const limited = await startServer({ ...ECHO, vars: { POLICY: policy({ api: { rate: { limit: 40, window_s: 60 } } }) } });
  try {
    const { access_token: token } = await connect(limited, await signedIn(limited), spa(limited));
    for (let n = 0; n < 5; n += 1) assert.equal((await ask("/api/v1/me", { on: limited, token })).status, 200);
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask("/api/v1/bookings", { on: limited, token })));
    const passed = answers.filter(({ status }) => status === 200);
    assert.equal(passed.length, 35);
    assert.equal((await seen(limited)).length, 35);
    assert.deepEqual(passed.map(({ headers }) => Number(headers.get("ratelimit-remaining"))).sort((a, b) => a - b), Array.from({ length: 35 }, (_, n) => n));
    const refused = answers.find(({ status }) => status === 429);
    assert.equal(refused.json.error, "temporarily_unavailable");
    assert.ok(Number(refused.headers.get("retry-after")) >= 1);
  } finally {
    await limited.stop();
  }
});

/** 1,000 calls after something has ended, at most 40 at a time; how many the API heard of, and how many were accepted. */
async function accepted(token) {
  await seen();
  let left = 1_000;
  const statuses = [];
  const worker = async () => {
    while (left-- > 0) statuses.push((await ask("/api/v1/bookings", { token })).status);
  };
  await Promise.all(Array.from({ length: 40 }, worker));
  assert.equal(statuses.length, 1_000);
  return [(await seen()).length, statuses.filter((status) => status !== 401 && status !== 429).length];
}

test("invariant 3: when revoke, disconnect or suspend has answered, none of 1,000 calls goes through", async () => {
  const confidential = serverApp();
  const endings = {
    revoke: (tokens) => revoke(server, confidential, tokens.refresh_token),
    disconnect: () => disconnectAll(owner),
    suspend: () => manage(server, confidential.id, "suspend"),
  };
  for (const [name, end] of Object.entries(endings)) {
    const first = await connect(server, owner, confidential);
    const tokens = (await refresh(server, confidential, first.refresh_token)).json;
    // Calls are under way while it ends.
    let over = false;
    const storm = Array.from({ length: 10 }, async () => {
      while (!over) await ask("/api/v1/bookings", { token: tokens.access_token });
    });
    assert.equal((await ask("/api/v1/bookings", { token: tokens.access_token })).status, 200, name);
    await end(tokens);
    over = true;
    await Promise.all(storm);
    assert.deepEqual(await accepted(tokens.access_token), [0, 0], name);
  }
  assert.equal((await manage(server, confidential.id, "restore")).status, 200);
});

test("without an upstream there is nothing, as before; the platform's words tell", async () => {
  const off = await startServer();
  try {
    const { access_token: token } = await connect(off, await signedIn(off), spa(off));
    for (const method of ["GET", "POST", "OPTIONS"]) assert.equal((await ask("/api/v1/bookings", { on: off, token, method })).status, 404);
    assert.equal((await (await off.fetch("/__dev/platform")).json()).gateway.on, false);
    const { gateway } = await (await server.fetch("/__dev/platform")).json();
    assert.deepEqual(gateway, { on: true, rules: RULES });
  } finally {
    await off.stop();
  }
});

test("an upstream that is no origin, or the server itself, is a set-up problem that the log names", async () => {
  for (const [UPSTREAM, words, POLICY] of [
    ["http://api.example.com", "UPSTREAM must be an origin: https://host"],
    ["https://api.example.com/", "UPSTREAM must be an origin: https://host"],
    ["https://user@api.example.com", "UPSTREAM must be an origin: https://host"],
    ["https://api.example.com", "POLICY: gateway.rules[0].scopes: allowed is scopes of", '{"scopes":{"catalogue":[{"name":"a","words":"A"}]}}'],
    ["https://auth.example.com", "UPSTREAM must be another origin than ISSUER"],
  ]) {
    const wrong = await startServer({ seed: false, vars: { ISSUER: "https://auth.example.com", UPSTREAM, ...(POLICY && { POLICY }) } });
    try {
      assert.equal((await wrong.fetch("/api/v1/bookings")).status, 503, UPSTREAM);
    } finally {
      await wrong.stop();
    }
    assert.ok(wrong.log.includes(words), wrong.log); // complete once it has stopped
  }
});

test("refusals speak each platform's dialect", async () => {
  for (const [preset, base, code] of [
    ["cal-v2", "/v2", (json) => json.error.code],
    ["klaviyo", "/api", (json) => `${json.errors[0].code} ${json.errors[0].title}`],
    ["yappointment", "/api/v1", (json) => json.error.code],
    ["cal-classic", "/api", (json) => json.message],
    ["klippa", "/api/v1", (json) => json.error],
  ]) {
    const other = await startServer({ ...ECHO, preset });
    try {
      const { gateway } = await (await other.fetch("/__dev/platform")).json();
      const { path, scopes } = gateway.rules[0];
      const made = await makeKey(await signedIn(other), { scopes });
      const fails = { "x-answer": JSON.stringify({ throw: "x" }) };
      const answers = [
        await ask(path, { on: other, token: made.key, headers: fails }),
        await ask(`${base}/a;b`, { on: other, token: null }),
        await ask(`${base}/nothing`, { on: other, token: null }),
      ];
      assert.deepEqual(answers.map(({ status }) => status), [502, 400, 404], preset);
      const codes = answers.map(({ json }) => code(json));
      assert.deepEqual(codes.filter((word) => !word || /undefined|null/.test(word)), [], `${preset}: ${codes}`);
      assert.equal(new Set(codes).size, preset === "klippa" ? 2 : 3, `${preset}: ${codes}`);
    } finally {
      await other.stop();
    }
  }
});
