// Requests to an API with the tokens of a session: real HTTP from Node, redirects in Chromium.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { createSession } from "../dist/index.js";
import { keepTokens, named, serve, signIn } from "./chromium.mjs";
import { rotate } from "./rotating.mjs";
import { startServer } from "./server.mjs";
import { pkceError, world } from "./setup.mjs";

let server;
let session;
let api;

beforeEach(async () => {
  server = rotate(world.server);
  server.latest.set("1", 0);
  api = `${world.server.origin}/api`;
  session = await sessionWith();
});

async function sessionWith(config = {}, more = {}) {
  const made = createSession({ ...world.config, ...config });
  const expiresAt = Date.now() + 3600_000;
  await made.accept({ accessToken: "at-1-0", tokenType: "Bearer", refreshToken: "rt-1-0", expiresAt, ...more });
  return made;
}

const calls = () => world.server.requests.filter(({ path }) => path === "/api");

test("the token goes along, beside what the caller sends", async () => {
  const init = { method: "POST", body: "hello", headers: { "x-mine": "1" } };
  assert.deepEqual(await (await session.fetch(api, init)).json(), { family: "1", number: 0 });
  const request = new Request(api, init);
  await session.fetch(request);
  assert.equal(request.bodyUsed, false);
  await session.fetch(new URL(api), init);
  for (const { method, headers, body } of calls()) {
    assert.deepEqual([method, body, headers["x-mine"], headers.authorization], ["POST", "hello", "1", "Bearer at-1-0"]);
  }
  const given = [];
  const other = await sessionWith({ fetch: (...request) => (given.push(request[0]), fetch(...request)) });
  await other.fetch(api);
  assert.deepEqual(given, [api]);
});

test("the token goes to https and loopback only, and never over a header of the caller", async () => {
  const unsafe = ["http://api.example/", "ftp://localhost/", new Request("http://api.example/")];
  for (const target of unsafe) await assert.rejects(session.fetch(target), pkceError("insecure_endpoint"));
  const own = { headers: { Authorization: "Basic x" } };
  await assert.rejects(session.fetch(api, own), /authorization/);
  await assert.rejects(session.fetch(new Request(api, own)), pkceError("config_invalid"));
  const nobody = createSession(world.config);
  await assert.rejects(nobody.fetch(api), pkceError("login_required"));
  assert.equal(world.server.requests.length, 0);
  assert.equal((await session.fetch(`${api}#part`)).status, 200);
});

test("after a 401 the request is sent once more with a renewed token, body and all", async () => {
  const bodies = ["text", new URLSearchParams({ a: "1" }), new Blob(["blob"])];
  for (const body of bodies) {
    server.latest.set("1", server.latest.get("1") + 1); // the access token in use no longer holds
    world.server.answer("/token", renewedTo(server.latest.get("1")));
    const { status } = await session.fetch(api, { method: "POST", body });
    const [first, second] = calls().slice(-2);
    assert.deepEqual([status, second.body], [200, first.body]);
    assert.notEqual(second.headers.authorization, first.headers.authorization);
  }
  server.latest.set("1", 9);
  world.server.answer("/token", renewedTo(9));
  assert.equal((await session.fetch(new Request(api, { method: "POST", body: "request" }))).status, 200);
  assert.equal(calls().at(-1).body, "request");
});

function renewedTo(number) {
  const json = { access_token: `at-1-${number}`, token_type: "Bearer", refresh_token: `rt-1-${number}` };
  return { json };
}

test("many requests that meet a 401 renew once; one that used an older token does not renew at all", async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const late = world.server.answers.get("/api");
  world.server.answer("/late", async (request) => (await held, late(request)));
  server.latest.set("1", 0);
  world.server.answer("/api", ({ headers }) => ({ status: headers.authorization === "Bearer at-1-0" ? 401 : 200, json: {} }));
  const slow = session.fetch(`${world.server.origin}/late`);
  const results = await Promise.all(Array.from({ length: 4 }, () => session.fetch(api)));
  assert.deepEqual(
    results.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  release();
  assert.equal((await slow).status, 200);
  assert.equal(server.refreshes, 1);
});

test("a 401 that nothing helps against is given to the caller", async () => {
  world.server.answer("/api", { status: 401, json: { error: "no" } });
  const refused = await session.fetch(api);
  assert.deepEqual([refused.status, await refused.json(), calls().length], [401, { error: "no" }, 2]);
  const stream = new Response("streamed").body;
  const streamed = await session.fetch(api, { method: "POST", body: stream, duplex: "half" });
  assert.deepEqual([streamed.status, calls().length, calls()[2].body], [401, 3, "streamed"]);
  const bare = await sessionWith({}, { refreshToken: undefined });
  assert.equal((await bare.fetch(api)).status, 401);
  world.server.answer("/token", { status: 400, json: { error: "invalid_grant" } });
  assert.equal((await session.fetch(api)).status, 401);
  assert.equal(session.state.reason, "ended");
});

test("a busy server is waited for as long as the caller says, and no longer than its signal", async () => {
  let answers = [];
  world.server.answer("/api", () => {
    const [status, after] = answers.shift() ?? [200];
    return { status, headers: after === undefined ? {} : { "retry-after": after }, json: {} };
  });
  const statusOf = async (given, init) => {
    answers = given;
    return (await session.fetch(api, init)).status;
  };
  assert.equal(await statusOf([[429, "1"]]), 429);
  assert.equal(await statusOf([[503, "60"]], { waitFor: 59 }), 503);
  assert.equal(await statusOf([[503]], { waitFor: 59 }), 503);
  assert.equal(await statusOf([[500, "1"]], { waitFor: 59 }), 500);
  const began = Date.now();
  assert.equal(await statusOf([[429, "0"], [503, "1"], [429, "1"]], { waitFor: 2 }), 429);
  assert.ok(Date.now() - began >= 1900);
  const date = new Date(Date.now() + 1500).toUTCString();
  assert.equal(await statusOf([[503, date]], { waitFor: 5, method: "PUT", body: "x" }), 200);
  for (const signal of [AbortSignal.timeout(100), AbortSignal.abort()]) {
    const aborted = statusOf([[503, "30"]], { waitFor: 60, signal });
    await assert.rejects(aborted, ({ name }) => ["TimeoutError", "AbortError"].includes(name));
  }
});

test("a token bound to a key goes with a proof, and once more with the nonce of the server", async () => {
  const proofs = [];
  let nonce = "";
  const dpop = {
    proof: async (request) => (proofs.push(request), `proof ${proofs.length}${nonce}`),
    noteNonce: (_, { headers }) => nonce !== (nonce = headers.get("dpop-nonce") ?? nonce),
  };
  const bound = await sessionWith({ dpop }, { tokenType: "DPoP" });
  world.server.answer("/api", ({ headers }) => {
    const known = headers.dpop.endsWith("n1");
    return { status: known ? 200 : 401, headers: { "dpop-nonce": "n1" }, json: {} };
  });
  assert.equal((await bound.fetch(`${api}?a=1`, { method: "DELETE" })).status, 200);
  assert.deepEqual(
    calls().map(({ headers }) => [headers.authorization, headers.dpop]),
    [
      ["DPoP at-1-0", "proof 1"],
      ["DPoP at-1-0", "proof 2n1"],
    ],
  );
  assert.deepEqual(proofs[0], { method: "DELETE", url: `${api}?a=1`, accessToken: "at-1-0" });
  assert.equal(server.refreshes, 0);
});

test("Chromium takes the token off when a redirect leads to another origin", async (context) => {
  const other = await startServer();
  context.after(() => other.close());
  other.always["access-control-allow-origin"] = "*";
  other.always["access-control-allow-headers"] = "authorization";
  other.answer("/api", { json: {} });
  world.server.answer("/away", { status: 307, headers: { location: `${other.origin}/api` }, json: {} });
  world.server.answer("/near", { status: 307, headers: { location: "/api" }, json: {} });
  server.latest.clear();
  keepTokens("memory");
  serve("/app", "text/html", '<!doctype html><script type="module" src="/app.js"></script>');
  const page = await signIn();
  assert.equal(await page.evaluate("session.fetch('/near').then(({ status }) => status)"), 200);
  assert.equal(await page.evaluate("session.fetch('/away').then(({ status }) => status)"), 200);
  assert.equal(calls().at(-1).headers.authorization, "Bearer at-1-0");
  const [{ headers }] = other.requests.filter(({ path, method }) => path === "/api" && method === "GET");
  assert.deepEqual([headers.origin, headers.authorization], [named("localhost"), undefined]);
});
