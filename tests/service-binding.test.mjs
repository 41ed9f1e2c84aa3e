// An API that is a Worker itself asks Edgegrant over a service binding: `tests/workers/direct` is such an API, and
// `tests/workers/asker` shows the answers as they are.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, disconnectAll, manage, me, OWNER, refresh, revoke, SCOPES, serverApp, signedIn, spa } from "./harness/client.mjs";
import { makeKey, revokeKey } from "./harness/keys.mjs";
import { startServer } from "./harness/server.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const AUTH = { AUTH: { name: "edgegrant", entrypoint: "Access" } };
const LIMIT = 5;
const POLICY = JSON.stringify({ api: { per: "family", rate: { limit: LIMIT, window_s: 60 }, key_scheme: "Own-Key" } });

let server, owner, app, held;
before(async () => {
  server = await startServer({
    counting: true,
    vars: { POLICY },
    workers: [
      { name: "bookings", script: "workers/direct/index.ts", services: AUTH },
      { name: "asker", script: "workers/asker/index.ts", services: AUTH },
    ],
  });
  owner = await signedIn(server);
  app = spa(server);
  held = await connect(server, owner, app);
});
after(() => server?.stop());
afterEach(async () => {
  await server.faults({});
  await server.clock(0);
});

const bearer = (token) => `Bearer ${token}`;
/** What the binding answers. Not counted unless said, so that tests do not use each other's limits up. */
async function ask(authorization, options = { count: false }) {
  const answer = await fetch(server.workers.asker, { method: "POST", body: JSON.stringify({ authorization, options }) });
  return answer.json();
}
const answered = async (...question) => (await ask(...question)).answer;
/** A request to the API that is protected. */
const api = (path, authorization) => fetch(new URL(path, server.workers.bookings), { headers: authorization ? { authorization } : {} });

async function refused(authorization, reason, options) {
  const answer = await answered(authorization, options);
  assert.equal(answer.allowed, false);
  assert.equal(answer.reason, reason);
  assert.equal(answer.account, undefined);
  return answer;
}

test("the types hold: the example and what it imports pass a strict type check", () => {
  const { status, stdout } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tests/workers"], { cwd: root, encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

test("a token that may be used: account, person, app, scopes, end and limit", async () => {
  const answer = await answered(bearer(held.access_token));
  const { json } = await me(server, held.access_token);
  assert.equal(answer.allowed, true);
  assert.deepEqual(answer.account, json.account);
  assert.match(answer.user, /^[0-9a-f]{32}$/);
  assert.equal(answer.clientId, app.id);
  assert.deepEqual(answer.scopes.toSorted(), SCOPES.split(" ").sort());
  assert.equal(answer.expiresAt, json.expires_at);
  assert.equal(answer.rateLimit.limit, LIMIT);
  assert.deepEqual(Object.keys(answer).sort(), ["account", "allowed", "clientId", "expiresAt", "rateLimit", "scopes", "user"]);
});

test("an API key: no app; with the policy's own scheme too, which carries nothing else", async () => {
  for (const days of ["90", "0"]) {
    const { key } = await makeKey(owner, { days, scopes: ["bookings:read"] });
    for (const scheme of ["Bearer", "Own-Key"]) {
      const answer = await answered(`${scheme} ${key}`);
      assert.equal(answer.allowed, true);
      assert.equal(answer.clientId, null);
      assert.deepEqual(answer.scopes, ["bookings:read"]);
      if (days === "0") assert.equal(answer.expiresAt, null);
      else assert.ok(answer.expiresAt > Date.now() / 1000);
    }
  }
  await refused(`Own-Key ${held.access_token}`, "token_unknown");
});

test("whatever is no live credential for calls is refused with its cause, and the answer for the caller", async () => {
  for (const [authorization, reason, status, challenge] of [
    [null, "token_missing", 401, /^Bearer realm="api"$/],
    ["", "token_missing", 401, /^Bearer realm="api"$/],
    ["Basic eDp5", "token_missing", 401, /^Bearer realm="api"$/],
    [held.access_token, "token_missing", 401, /^Bearer realm="api"$/],
    ["Bearer", "token_malformed", 400, /error="invalid_request"/],
    ["Bearer a b", "token_malformed", 400, /error="invalid_request"/],
    [bearer("x"), "token_unknown", 401, /error="invalid_token"/],
    [bearer(`${held.access_token.slice(0, -1)}${held.access_token.endsWith("A") ? "B" : "A"}`), "token_unknown", 401, /error="invalid_token"/],
    [bearer(held.refresh_token), "token_unknown", 401, /error="invalid_token"/],
  ]) {
    const { response } = await refused(authorization, reason);
    assert.equal(response.status, status, authorization);
    assert.match(response.headers["www-authenticate"], challenge);
    assert.equal(JSON.parse(response.body).error, status === 400 ? "invalid_request" : "invalid_token");
  }
});

test("a scope that is missing is named; what it may do besides does not matter", async () => {
  const narrow = await connect(server, owner, app, { scope: "bookings:read" });
  for (const scope of ["", "bookings:read", " bookings:read "]) {
    assert.equal((await answered(bearer(narrow.access_token), { scope, count: false })).allowed, true, scope);
  }
  const answer = await refused(bearer(narrow.access_token), "scope_missing", { scope: "bookings:read customers:read", count: false });
  assert.equal(answer.missingScope, "customers:read");
  assert.equal(answer.response.status, 403);
  assert.match(answer.response.headers["www-authenticate"], /error="insufficient_scope".*scope="customers:read"/);
});

test("uses count once each, with those of me together; a look does not count", async () => {
  const { access_token } = await connect(server, owner, app);
  const remaining = async (options) => (await answered(bearer(access_token), options)).rateLimit.remaining;
  assert.equal(await remaining({ count: false }), LIMIT);
  assert.equal(await remaining({}), LIMIT - 1, "counted unless said otherwise");
  assert.equal(await remaining({ count: true }), LIMIT - 2);
  await me(server, access_token);
  assert.equal(await remaining({ count: false }), LIMIT - 3);
  for (let n = 0; n < LIMIT - 3; n += 1) await answered(bearer(access_token), { count: true });
  const over = await refused(bearer(access_token), "too_fast", { count: true });
  assert.equal(over.rateLimit.remaining, 0);
  assert.ok(over.rateLimit.reset >= 1 && over.rateLimit.reset <= 60);
  assert.equal(over.response.status, 429);
  assert.equal(over.response.headers["retry-after"], String(over.rateLimit.reset));
  assert.equal((await me(server, access_token)).status, 429);
  assert.equal((await answered(bearer(access_token))).allowed, true, "a look is never too fast");
});

test("a check is one object request, and garbage none", async () => {
  const { access_token } = await connect(server, owner, app);
  await answered(bearer(access_token));
  const { cost } = await server.counted(() => answered(bearer(access_token), {}));
  assert.deepEqual([cost.objectRequests, cost.kvGet, cost.d1Statements], [1, 0, 0]);
  const garbage = await server.counted(async () => {
    for (const token of ["x", `${access_token}A`, held.refresh_token]) await answered(bearer(token), {});
  });
  assert.equal(garbage.cost.objectRequests, 0);
});

test("after revoke, disconnect or suspension has answered nothing is accepted", async () => {
  const revoked = await connect(server, owner, app);
  assert.equal((await revoke(server, app, revoked.refresh_token)).status, 200);
  await refused(bearer(revoked.access_token), "token_revoked");

  const { key, id } = await makeKey(owner);
  assert.equal((await revokeKey(owner, id)).status, 303);
  await refused(bearer(key), "token_revoked");

  const client = serverApp();
  const suspended = await connect(server, owner, client);
  assert.equal((await answered(bearer(suspended.access_token))).allowed, true);
  assert.equal((await manage(server, client.id, "suspend")).status, 200);
  await refused(bearer(suspended.access_token), "app_stopped");
  assert.equal((await manage(server, client.id, "restore")).status, 200);
  assert.equal((await answered(bearer(suspended.access_token))).allowed, true);

  const one = await signedIn(server, OWNER);
  const cut = await connect(server, one, app);
  await disconnectAll(one);
  await refused(bearer(cut.access_token), "token_revoked");
  held = await connect(server, owner, app);
});

test("a token whose time is over is refused as such", async () => {
  await server.clock(3_700_000);
  await refused(bearer(held.access_token), "token_expired");
  await server.clock(0);
  const next = await refresh(server, app, held.refresh_token);
  assert.equal((await answered(bearer(next.json.access_token))).allowed, true);
});

test("a storage fault rejects the call: nothing is known then", async () => {
  for (const fault of ["throw", "lost"]) {
    await server.faults({ object: fault, objectOnly: ["GRANT"] });
    const { error, answer } = await ask(bearer(held.access_token));
    assert.equal(answer, undefined);
    assert.match(error, /^Error: .*503/);
    assert.doesNotMatch(error, /injected|GRANT/);
    const said = await api("/bookings", bearer(held.access_token));
    assert.equal(said.status, 503);
    assert.equal(said.headers.get("retry-after"), "1");
  }
  await refused(bearer("x"), "token_unknown"); // which needs no storage
});

test("what a caller gets wrong is an error, and never a check less", async () => {
  for (const options of [{ scopes: "bookings:read" }, { scope: ["bookings:read"] }, { scope: null }, { count: "yes" }]) {
    assert.match((await ask(bearer(held.access_token), options)).error, /^TypeError: check\(\)/);
  }
  assert.match((await ask({ token: "x" })).error, /^TypeError: check\(authorization\)/);
});

test("the example's routes: served with their scope, else 401, 403 and 429 as RFC 6750 and 6585 say", async () => {
  const { access_token } = await connect(server, owner, app, { scope: "bookings:read" });
  assert.equal((await api("/nowhere", bearer(access_token))).status, 404);
  const served = await api("/bookings", bearer(access_token));
  assert.equal(served.status, 200);
  assert.deepEqual(await served.json(), { of: "Demo Salon", for: app.id });

  const missing = await api("/bookings");
  assert.equal(missing.status, 401);
  assert.equal(missing.headers.get("www-authenticate"), 'Bearer realm="api"');
  const forbidden = await api("/customers", bearer(access_token));
  assert.equal(forbidden.status, 403);
  assert.match(forbidden.headers.get("www-authenticate"), /scope="account:read"/);
  assert.equal((await forbidden.json()).error, "insufficient_scope");

  let last = served;
  for (let n = 0; n < LIMIT; n += 1) last = await api("/bookings", bearer(access_token));
  assert.equal(last.status, 429);
  assert.ok(Number(last.headers.get("retry-after")) >= 1);
});

test("an app's refused call is in its developer's log of failed requests", async () => {
  const [client, started] = [serverApp(), await connect(server, owner, serverApp())];
  await revoke(server, client, started.refresh_token);
  await refused(bearer(started.access_token), "token_revoked");
  const page = await owner.page(`/developers/apps/${client.id}/failures`);
  assert.match(page.text, /service binding.*invalid_token/);
});

test("nothing panicked on the way, and no token is in the log", () => {
  assert.doesNotMatch(server.log, /panicked|RuntimeError|unreachable|Critical|hung/);
  assert.ok(!server.log.includes(held.access_token.slice(10)));
});
