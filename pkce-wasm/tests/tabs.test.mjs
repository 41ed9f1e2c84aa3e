// One session in several tabs of Chromium: real processes, Web Locks, BroadcastChannel and storage.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { becomes, keepTokens, loaded, named, open, signIn } from "./chromium.mjs";
import { rotate } from "./rotating.mjs";
import { until } from "./server.mjs";
import { world } from "./setup.mjs";

const START = (signedIn) => ({ signedIn, ready: true, scope: undefined, reason: "start", error: undefined });
let server;
const app = () => `${named("localhost")}/app`;

beforeEach(() => {
  server = rotate(world.server);
  keepTokens("memory");
});

async function openTabs(count) {
  const pages = [];
  for (let index = 0; index < count; index += 1) pages.push(await open(app()));
  return pages;
}

const signedIn = (page) => page.evaluate("session.state.signedIn");
const token = (page) => page.evaluate("session.getAccessToken().catch(({ code }) => code)");
const renewed = (page) => page.evaluate("session.getAccessToken({ renew: true }).catch(({ code }) => code)");
const changed = (page, reason) => becomes(page, `session.state.reason === "${reason}"`);
const stored = (page) => page.evaluate("JSON.stringify([{ ...sessionStorage }, { ...localStorage }])");

/** All of them renew, and each has begun before the server answers the first. */
async function renewTogether(pages) {
  let begun = 0;
  world.server.answer("/begun", () => ({ json: (begun += 1) }));
  server.hold = true;
  const renew = '(() => { const made = session.getAccessToken({ renew: true }); fetch("/begun"); return made; })()';
  const results = pages.map((page) => page.evaluate(renew));
  await until(() => begun === pages.length && server.waiting > 0);
  server.hold = false;
  return Promise.all(results);
}

for (const place of ["memory", "session", "local"]) {
  test(`five tabs that renew at once make one request and hold the same tokens: ${place}`, async () => {
    keepTokens(place);
    const pages = [await signIn(), ...(await openTabs(4))];
    for (let round = 1; round <= 3; round += 1) {
      const results = await renewTogether(pages);
      assert.deepEqual(new Set(results), new Set([`at-1-${round}`]));
      assert.deepEqual([server.refreshes, server.thefts], [round, 0]);
    }
    for (const page of pages) assert.equal(await token(page), "at-1-3");
    assert.equal((await stored(pages[0])).includes("at-1-3"), place !== "memory");
  });
}

test("tabs that renew one right after the other never use a refresh token twice", async () => {
  keepTokens("local");
  const pages = [await signIn(), ...(await openTabs(2))];
  for (let round = 0; round < 8; round += 1) await renewed(pages[round % 3]);
  assert.deepEqual([server.refreshes, server.thefts], [8, 0]);
});

test("a tab that is closed while it renews does not strand the others", async () => {
  const [first, second] = [await signIn(), await open(app())];
  server.hold = true;
  void first.evaluate("void session.getAccessToken({ renew: true })");
  await until(() => server.waiting === 1);
  const result = renewed(second);
  await becomes(second, "navigator.locks.query().then(({ pending }) => pending.length === 1)");
  await first.close();
  await until(() => world.server.requests.filter(({ path }) => path === "/token").length === 3);
  server.hold = false;
  assert.equal(await result, "at-1-1");
  assert.deepEqual([server.refreshes, server.thefts], [1, 0]);
  assert.equal(await second.evaluate("navigator.locks.query().then(({ held }) => held.length)"), 0);
});

test("a new tab gets the tokens of the others, also one that is reloaded", async () => {
  const first = await signIn();
  const second = await open(app());
  assert.deepEqual(await second.evaluate("arrived.then(() => session.state)"), START(true));
  assert.equal(await token(second), "at-1-0");
  await first.reload();
  await loaded(first);
  assert.equal(await token(first), "at-1-0");
  assert.equal(await stored(first), "[{},{}]");
  assert.equal(server.exchanges + server.refreshes, 1);
});

test("a tab with nobody to ask is ready soon, and signed out", async () => {
  const page = await open(app());
  const began = Date.now();
  assert.equal(await token(page), "login_required");
  assert.ok(Date.now() - began < 1000);
  assert.deepEqual(await page.evaluate("session.state"), START(false));
});

for (const place of ["memory", "local"]) {
  test(`login, renewal and logout reach the other tabs: ${place}`, async () => {
    keepTokens(place);
    const [waiting, other] = await openTabs(2);
    assert.equal(await signedIn(waiting), false);
    const first = await signIn();
    await changed(waiting, "login");
    assert.equal(await token(waiting), "at-1-0");
    await renewed(waiting);
    await changed(first, "refresh");
    assert.equal(await token(other), "at-1-1");
    assert.deepEqual(await other.evaluate("session.logout()"), { revoked: true });
    for (const page of [waiting, first]) {
      await changed(page, "logout");
      assert.equal(await token(page), "login_required");
      assert.equal(await stored(page), "[{},{}]");
    }
    assert.deepEqual(await waiting.evaluate("changes.slice(-3)"), ["login", "refresh", "logout"]);
    assert.deepEqual(server.revoked, ["rt-1-1"]);
    assert.equal(await signedIn(await open(app())), false);
    assert.equal(await token(await signIn()), "at-2-0");
  });
}

for (const place of ["memory", "local"]) {
  test(`a logout during the renewal of another tab wins: ${place}`, async () => {
    keepTokens(place);
    const [first, second] = [await signIn(), await open(app())];
    server.hold = true;
    const result = renewed(first);
    await until(() => server.waiting === 1);
    await second.evaluate("session.logout()");
    await changed(first, "logout");
    server.latest.set("1", 0); // a server that lets the request under way pass all the same
    server.hold = false;
    assert.equal(await result, "login_required");
    await until(() => server.revoked.length === 2);
    assert.deepEqual(server.revoked, ["rt-1-0", "rt-1-1"]);
    for (const page of [first, second, await open(app())]) {
      assert.equal(await signedIn(page), false);
      assert.equal(await stored(page), "[{},{}]");
    }
  });

  test(`a logout that arrives together with the renewed tokens wins: ${place}`, async () => {
    keepTokens(place);
    const [first, second] = [await signIn(), await open(app())];
    server.hold = true;
    const result = renewed(first);
    await until(() => server.waiting === 1);
    const release = await block(first);
    server.hold = false;
    await until(() => server.refreshes === 1);
    await second.evaluate("session.logout()");
    await Promise.all([release(), result]);
    await isOver(first, second);
  });

  test(`a logout of a tab that has not heard of renewed tokens yet ends these too: ${place}`, async () => {
    keepTokens(place);
    const [first, second] = [await signIn(), await open(app())];
    const release = await block(second, "void session.logout()");
    assert.equal(await renewed(first), "at-1-1");
    await release();
    await isOver(first, second);
  });
}

/** Blocks the thread of a page, which hears nothing until the function that this gives is called. */
async function block(page, afterwards = "") {
  let blocked = true;
  world.server.answer("/block", async () => (await until(() => !blocked), { json: {} }));
  const wait = `{ const wait = new XMLHttpRequest(); wait.open("GET", "/block", false); wait.send(); ${afterwards} }`;
  const blocking = page.evaluate(wait);
  await until(() => world.server.requests.some(({ path }) => path === "/block"));
  return () => ((blocked = false), blocking);
}

async function isOver(...pages) {
  await until(() => server.revoked.includes("rt-1-1"));
  for (const page of pages) await changed(page, "logout");
  for (const page of [...pages, await open(app())]) {
    assert.equal(await token(page), "login_required");
    assert.equal(await signedIn(page), false);
    assert.equal(await stored(page), "[{},{}]");
  }
}

test("a refused refresh token ends the session in the tabs that hold it", async () => {
  const [first, second] = [await signIn(), await open(app())];
  server.latest.clear();
  assert.equal(await renewed(first), "login_required");
  await changed(second, "ended");
  assert.equal(await renewed(second), "login_required");
  assert.deepEqual([server.refreshes, server.revoked.length], [1, 0]);
  await signIn();
  await changed(second, "login");
  assert.equal(await token(first), "at-2-0");
});

test("two sessions of one page share renewals, also where there are no Web Locks", async () => {
  for (const host of ["localhost", "app.test"]) {
    const page = await signIn(`${named(host)}/app`);
    assert.equal(await page.evaluate("navigator.locks !== undefined"), host === "localhost");
    const before = server.refreshes;
    const results = await page.evaluate(`(() => {
      const other = pkce.createSession(config);
      return other.getAccessToken().then(() =>
        Promise.all([session, other, session, other].map((one) => one.getAccessToken({ renew: true }))));
    })()`);
    assert.equal(new Set(results).size, 1, `${host}: ${results}`);
    assert.equal(server.refreshes, before + 1);
    await page.close();
  }
  assert.equal(server.thefts, 0);
});
