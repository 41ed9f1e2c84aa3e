// The log: one line of JSON per request with what an operator needs, and nothing that is anybody's.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { authorize, authorizePath, Browser, connect, exchange, me, pkce, post, redirectParams, refresh, revoke, serverApp, signedIn, spa } from "./harness/client.mjs";
import { makeKey } from "./harness/keys.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
const confidential = serverApp();
before(async () => {
  server = await startServer({ counting: true });
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());

/** Lines that the log has by now, or will have in a moment: it comes by another way than the answer. */
async function linesOf(of, event, id) {
  for (let looks = 0; looks < 100; looks += 1) {
    const found = of.lines(event).filter((line) => line.id === id);
    if (found.length > 0) return found;
    await setTimeout(20);
  }
  throw new Error(`no line ${event} of ${id}\n${of.log.slice(-2000)}`);
}

/** The line of a request, found by the id that was answered. */
async function lineOf(answer, of = server) {
  const found = await linesOf(of, "request", answer.headers.get("x-request-id"));
  assert.equal(found.length, 1);
  return found[0];
}

/** Without what differs each time. */
async function told(answer) {
  const { event, id, ms, ...line } = await lineOf(answer);
  assert.equal(event, "request");
  assert.ok(id.length > 0 && Number.isInteger(ms) && ms >= 0);
  return line;
}

const line = (method, route, status, outcome, reason = "", client = null, grant = null) => ({ method, route, status, outcome, reason, client, grant });

test("each request has one line: method, route, status, outcome, reason, app, grant, duration", async () => {
  const held = await connect(server, owner, app);
  const first = await me(server, held.access_token);
  const { grant } = await lineOf(first);
  assert.match(grant, /^[0-9a-f]{32}$/);
  assert.deepEqual(await told(first), line("GET", "/api/v1/me", 200, "ok", "", "demo-spa", grant));
  const redirect = await authorize(owner, app);
  assert.deepEqual(await told(await exchange(server, app, redirect)), line("POST", "/oauth/token", 200, "ok", "", "demo-spa", grant));
  const next = await refresh(server, app, held.refresh_token);
  assert.deepEqual(await told(next), line("POST", "/oauth/token", 200, "ok", "", "demo-spa", grant));
  assert.deepEqual(await told(await exchange(server, app, redirect)), line("POST", "/oauth/token", 400, "refused", "code replayed", "demo-spa", grant));
  assert.deepEqual(await told(await revoke(server, app, next.json.refresh_token)), line("POST", "/oauth/revoke", 200, "ok", "", "demo-spa", grant));
  assert.deepEqual(await told(await me(server, next.json.access_token)), line("GET", "/api/v1/me", 401, "refused", "invalid_token", "demo-spa", grant));
});

test("consent, sign-in and pages have theirs; a redirect that tells an app why not is a refusal", async () => {
  for (const [decision, outcome, reason] of [["allow", "ok", "allowed"], ["deny", "refused", "denied"]]) {
    await lineOf(await server.fetch("/health"));
    const before = server.lines("request").length;
    await authorize(owner, app, { decision });
    await lineOf(await server.fetch("/health"));
    const [asked, decided] = server.lines("request").slice(before);
    assert.deepEqual([asked.route, asked.outcome, asked.client], ["/oauth/authorize", "ok", "demo-spa"]);
    assert.deepEqual([decided.route, decided.status, decided.outcome, decided.reason, decided.client], ["/oauth/authorize/decision", 303, outcome, reason, "demo-spa"]);
    assert.equal(decided.grant !== null, decision === "allow");
  }
  const refused = await owner.page(authorizePath(app, { code_challenge: pkce().challenge, scope: "nope" }));
  assert.equal(redirectParams(refused.location).error, "invalid_scope");
  assert.deepEqual(await told(refused), line("GET", "/oauth/authorize", 303, "refused", "invalid_scope", "demo-spa"));
  assert.deepEqual(await told(await server.fetch("/account/apps")), line("GET", "/account/apps", 303, "ok", "not signed in"));
  assert.deepEqual(await told(await new Browser(server).signIn("nobody@demo.example", "wrong")), line("POST", "/login", 401, "refused", "wrong password"));
  assert.deepEqual(await told(await owner.page("/admin/metrics")), line("GET", "/admin/metrics", 404, "refused"));
  assert.deepEqual(await told(await server.fetch("/health")), line("GET", "/health", 200, "ok"));
  assert.deepEqual(await told(await server.fetch("/.well-known/oauth-authorization-server", { method: "HEAD" })), line("HEAD", "/.well-known/oauth-authorization-server", 200, "ok"));
});

test("an API key is of a grant and of no app; what proves nothing is of neither", async () => {
  const { key } = await makeKey(owner);
  const answer = await me(server, key);
  const { client, grant, outcome } = await lineOf(answer);
  assert.deepEqual([client, outcome], [null, "ok"]);
  assert.match(grant, /^[0-9a-f]{32}$/);
  assert.deepEqual(await told(await me(server, "garbage")), line("GET", "/api/v1/me", 401, "refused", "invalid_token"));
  const unknown = await post(server, "/oauth/token", { grant_type: "refresh_token", refresh_token: "x", client_id: "nobody-we-know" });
  assert.deepEqual(await told(unknown), line("POST", "/oauth/token", 401, "refused", "invalid_client"));
  // A token of another app is not the caller's to be named by.
  const { refresh_token } = await connect(server, owner, app);
  assert.deepEqual(await told(await refresh(server, confidential, refresh_token)), line("POST", "/oauth/token", 400, "refused", "invalid_grant", "demo-server"));
});

test("a limit is limited, a fault of storage is a fault, whose own line has the request's id", async () => {
  const strict = await startServer({ counting: true, vars: { POLICY: JSON.stringify({ api: { rate: { limit: 1, window_s: 60 } } }) } });
  try {
    const held = await connect(strict, await signedIn(strict), spa(strict));
    await me(strict, held.access_token);
    const limited = await me(strict, held.access_token);
    const found = await lineOf(limited, strict);
    assert.deepEqual([found.status, found.outcome, found.client], [429, "limited", "demo-spa"]);
  } finally {
    await strict.stop();
  }
  const held = await connect(server, owner, app);
  await server.faults({ object: "throw" });
  const failed = await me(server, held.access_token);
  await server.faults({});
  const { id, status, outcome, reason } = await lineOf(failed);
  assert.deepEqual([status, outcome, reason], [503, "fault", "fault"]);
  const faults = await linesOf(server, "fault", id);
  assert.deepEqual(faults.map(({ what, place }) => [what, place]), [["request", "GRANT"]]);
});

test("the id is Cloudflare's where it is plain, else random; scripts may read it", async () => {
  const asked = (ray) => server.fetch("/api/v1/me", { headers: ray === undefined ? {} : { "cf-ray": ray } });
  assert.equal((await asked("8f2b1c3d4e5f6a7b-VIE")).headers.get("x-request-id"), "8f2b1c3d4e5f6a7b-VIE");
  const ids = [];
  for (const ray of [undefined, "x".repeat(65), 'a"b', "a b", "<b>"]) ids.push((await asked(ray)).headers.get("x-request-id"));
  for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/);
  assert.equal(new Set(ids).size, ids.length);
  assert.match((await asked()).headers.get("access-control-expose-headers"), /x-request-id/i);
  await lineOf(await asked("8f2b1c3d4e5f6a7c-VIE"));
});

/** Every fixed word that the sources give as a reason. */
function reasons() {
  const sources = new URL("../worker/src/", import.meta.url);
  const files = readdirSync(sources, { recursive: true }).filter((name) => name.endsWith(".rs"));
  const texts = files.map((name) => readFileSync(new URL(name, sources), "utf8"));
  const codes = readFileSync(new URL("../worker/core/src/oauth/error.rs", import.meta.url), "utf8");
  return new Set(["", ...texts.flatMap((text) => [...text.matchAll(/because\("([^"]+)"\)/g)].map(([, word]) => word)), ...[...codes.matchAll(/=> "(\w+)"/g)].map(([, word]) => word)]);
}

test("a reason is one of a fixed set of words, an outcome one of four, a route none of a caller's making", async () => {
  for (const path of ["/oauth/token/secret-12345", "/login/secret-12345", "/account/apps/secret-12345", "/secret-12345?secret-12345", "/admin/apps/secret-12345/x"])
    await lineOf(await server.fetch(path, { headers: { "user-agent": "secret-12345", referer: `${server.issuer}/secret-12345` } }));
  const known = reasons();
  assert.ok(known.size > 20 && known.has("code replayed") && known.has("invalid_grant"));
  const lines = server.lines("request");
  assert.ok(lines.length > 30);
  for (const one of lines) {
    assert.deepEqual(Object.keys(one).sort(), ["client", "event", "grant", "id", "method", "ms", "outcome", "reason", "route", "status"]);
    assert.ok(known.has(one.reason), one.reason);
    assert.ok(["ok", "refused", "limited", "fault"].includes(one.outcome), one.outcome);
    assert.match(one.route, /^(other|\/[\w./*-]+)$/);
  }
  assert.ok(!server.log.includes("secret-12345"));
});
