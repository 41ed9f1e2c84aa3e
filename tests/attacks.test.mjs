// Attacks that once worked, each as an attacker would run it.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  authorize,
  authorizePath,
  Browser,
  connect,
  consentForm,
  disconnectAll,
  exchange,
  manage,
  OWNER,
  PASSWORD,
  pkce,
  refresh,
  revoke,
  serverApp,
  signedIn,
  spa,
  STAFF,
} from "./harness/client.mjs";
import { oauthError, tokens } from "./harness/expect.mjs";
import { rawFetch } from "./harness/raw.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
const confidential = serverApp();
before(async () => {
  server = await startServer({ counting: true });
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());
afterEach(() => server.faults({}));

const install = async (status) => {
  await server.count(); // what goes on after an answer is done
  const [row] = await server.sql("SELECT status FROM installs WHERE app = 2 ORDER BY allowed_at DESC LIMIT 1");
  assert.equal(row.status, status);
};

test("A2: an app that keeps a code back cannot hide a connection behind a row that says ended", async () => {
  await disconnectAll(owner);
  const kept = await authorize(owner, confidential);
  const used = tokens(await exchange(server, confidential, await authorize(owner, confidential)));
  assert.equal((await revoke(server, confidential, used.refresh_token)).status, 200);
  await install("ended");
  const later = await exchange(server, confidential, kept);
  if (later.status === 200) {
    assert.match((await owner.page("/account/apps")).html, /disconnect\?install=/, "what lives can be cut");
  } else {
    oauthError(later, 400, "invalid_grant");
  }
});

test("A18: when the last family ends the row says so, whichever consent made it", async () => {
  await disconnectAll(owner);
  const older = await connect(server, owner, confidential);
  const newer = await connect(server, owner, confidential);
  assert.equal((await revoke(server, confidential, newer.refresh_token)).status, 200);
  await install("connected");
  assert.equal((await revoke(server, confidential, older.refresh_token)).status, 200);
  await install("ended");
});

/** Runs `request` with a storage that answers 9 seconds late, and meanwhile suspends the app. */
async function suspendedMeanwhile(faults, request) {
  await server.faults(faults);
  const waiting = request();
  await sleep(500);
  await server.faults({});
  assert.equal((await manage(server, confidential.id, "suspend")).status, 200);
  try {
    return await waiting;
  } finally {
    assert.equal((await manage(server, confidential.id, "restore")).status, 200);
  }
}

test("invariant 3: a redemption that storage held up is refused once the suspension has answered", async () => {
  const redirect = await authorize(owner, confidential);
  const answer = await suspendedMeanwhile({ kvGet: "late" }, () => exchange(server, confidential, redirect));
  oauthError(answer, 400, "unauthorized_client");
  tokens(await exchange(server, confidential, redirect, {}));
});

test("invariant 3: an app record that was on its way for longer than a lease is not believed", async () => {
  const held = await connect(server, owner, confidential);
  await sleep(5500); // the lease is over
  const answer = await suspendedMeanwhile({ object: "late", objectOnly: ["APP"] }, () => refresh(server, confidential, held.refresh_token));
  assert.ok([400, 503].includes(answer.status), `HTTP ${answer.status}`);
  tokens(await refresh(server, confidential, held.refresh_token));
});

test("UI-07: one password sprayed over many names from one address is stopped, and makes no object for each name", async () => {
  const small = await startServer({ vars: { POLICY: JSON.stringify({ login: { per_network: { limit: 5, window_s: 900 } } }) } });
  try {
    const known = await signedIn(small);
    const statuses = [];
    for (let name = 0; name < 9; name += 1) statuses.push((await new Browser(small).signIn(`name-${name}@demo.example`, PASSWORD)).status);
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429, 429]);
    assert.ok((await small.objects("RateLimiter")).length <= 7);
    assert.equal((await new Browser(small).signIn(STAFF)).status, 429, "a right guess is stopped too (A20)");
    assert.equal((await known.signIn()).status, 303, "a browser that has signed this name in before is let in");
  } finally {
    await small.stop();
  }
});

test("A20: the limiter's alarm does not forget a window that still runs", async () => {
  const limit = { limit: 2, window_s: 4 };
  const many = { limit: 1000, window_s: 4 };
  const quick = await startServer({ vars: { POLICY: JSON.stringify({ login: { per_address: limit, per_name: many, per_network: many } }) } });
  const guess = async () => (await new Browser(quick).signIn(STAFF, "wrong")).status;
  try {
    assert.equal(await guess(), 401); // the alarm is set from here: 4 s, once 8 s
    await sleep(6500);
    const statuses = [];
    for (const began = Date.now(); Date.now() - began < 3000; await sleep(100)) statuses.push(await guess());
    assert.equal(statuses.filter((status) => status === 401).length, 2, statuses.join(" "));
  } finally {
    await quick.stop();
  }
});

test("two tabs with the sign-in page, and the one behind the back button, all work", async () => {
  const browser = new Browser(server);
  const [first] = (await browser.page("/login")).forms;
  const [second] = (await browser.page("/login")).forms;
  assert.equal((await browser.submit(second, { email: OWNER, password: "wrong" })).status, 401);
  assert.equal((await browser.submit(first, { email: OWNER, password: PASSWORD })).status, 303);
});

test("AZ-20: a state of 4,096 bytes of which each grows as it is encoded survives sign-in and consent", async () => {
  // A request of its own: fetch gives up at 16 KB of headers.
  const host = `localhost:${server.port}`;
  const raw = (path, init) => rawFetch(server.port, path, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), host } });
  const browser = new Browser({ issuer: server.issuer, fetch: raw });
  for (const state of ['{"a":"b"},'.repeat(409), "ü".repeat(2048)]) {
    browser.cookies.clear();
    const sent = await browser.page(authorizePath(app, { code_challenge: pkce().challenge, state }));
    const login = await browser.page(sent.location);
    const back = await browser.submit(login.forms[0], { email: OWNER, password: PASSWORD });
    assert.equal(back.status, 303, back.text);
    const form = consentForm(await browser.page(back.location));
    const answer = await browser.submit(form, { account: form.values("account")[0] }, { decision: "allow" });
    assert.equal(new URL(answer.location).searchParams.get("state"), state);
  }
});

test("A23: what a script did wrong can be read by it: 404 and 405 of the endpoints for apps; no other page is opened", async () => {
  const ask = (path, method) => server.fetch(path, { method, headers: { origin: "https://elsewhere.example" } });
  for (const [path, method] of [
    ["/oauth/token", "GET"],
    ["/oauth/revoke", "PUT"],
    ["/api/v1/me", "DELETE"],
    ["/api/v1/nothing", "GET"],
  ]) {
    const answer = await ask(path, method);
    assert.ok([404, 405].includes(answer.status));
    assert.equal(answer.headers.get("access-control-allow-origin"), "*", path);
  }
  for (const [path, method] of [
    ["/login", "DELETE"],
    ["/oauth/authorize", "OPTIONS"],
    ["/manage/v1/apps/demo-spa/suspend", "GET"],
  ]) {
    assert.equal((await ask(path, method)).headers.get("access-control-allow-origin"), null, path);
  }
});

test("methods: HEAD is GET without a body, and a method of another protocol is not taken for GET", async () => {
  const head = await server.fetch("/login", { method: "HEAD" });
  assert.equal(`${head.status} ${await head.text()}`, "200 ");
  assert.equal((await server.fetch("/oauth/authorize/decision", { method: "HEAD" })).status, 405);
  const found = await rawFetch(server.port, "/login", { method: "PROPFIND", headers: { host: `localhost:${server.port}` } });
  assert.equal(found.status, 405);
  assert.match(found.headers.get("allow"), /GET, HEAD, POST/);
});

test("TK-23: a flood of wrong secrets reaches the app's object once, and a right secret goes on", async () => {
  const redirect = await authorize(owner, confidential);
  await sleep(1100); // the isolate's copy is old enough for a second look
  await server.resetCount();
  const wrong = Array.from({ length: 60 }, (_, n) => refresh(server, { ...confidential, secret: `wrong-${n}` }, "x"));
  const [right, ...refused] = await Promise.all([exchange(server, confidential, redirect), ...wrong]);
  tokens(right);
  for (const { status } of refused) assert.ok([401, 503].includes(status), `HTTP ${status}`);
  assert.ok((await server.count()).requests.APP <= 3);
});
