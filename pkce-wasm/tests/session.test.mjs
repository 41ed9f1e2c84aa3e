// What a session decides by itself: when it renews, what ends it, what stores and listeners see.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import vm from "node:vm";
import { build } from "esbuild";
import { createSession } from "../dist/index.js";
import { rotate } from "./rotating.mjs";
import { MemoryStorage, until } from "./server.mjs";
import { pkceError, world } from "./setup.mjs";

let server;
const tokens = (more) => ({
  accessToken: "at-1-0",
  tokenType: "Bearer",
  refreshToken: "rt-1-0",
  expiresAt: Date.now() + 3600_000,
  ...more,
});

beforeEach(() => {
  server = rotate(world.server);
  server.latest.set("1", 0);
  mock.timers.enable({ apis: ["Date"], now: Date.now() });
});
afterEach(() => mock.timers.reset());

const pass = (seconds) => mock.timers.setTime(Date.now() + seconds * 1000);

async function signedIn(more, config = {}) {
  const session = createSession({ ...world.config, ...config });
  await session.accept(tokens(more));
  return session;
}

test("making a session and reading its state touches no global", async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createSession } from '../dist/index.js';
        result = createSession({ issuer: 'https://as.example', clientId: 'a', tokens: 'local' }).state;`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    format: "iife",
  });
  const bare = vm.createContext({ result: undefined });
  vm.runInContext("delete globalThis.WebAssembly; delete globalThis.console", bare);
  vm.runInContext(outputFiles[0].text, bare);
  assert.deepEqual({ ...bare.result }, { signedIn: false, ready: false, reason: "start" });
});

test("on a server two sessions do not hear each other", async () => {
  const one = await signedIn();
  const other = createSession(world.config);
  await assert.rejects(other.getAccessToken(), pkceError("login_required", { retry: "login" }));
  await one.logout();
});

test("a token is renewed a minute before its end, or at half its life, or when the app says", async () => {
  const cases = [
    [{}, 3600, 3539, 3541],
    [{ renewBefore: 300 }, 3600, 3299, 3301],
    [{ renewBefore: 0 }, 3600, 3599, 3601],
    [{}, 100, 49, 51],
  ];
  for (const [config, life, before, after] of cases) {
    server.latest.set("1", 0);
    const session = await signedIn({ expiresAt: Date.now() + life * 1000 }, config);
    pass(before);
    assert.equal(await session.getAccessToken(), "at-1-0");
    pass(after - before);
    assert.equal(await session.getAccessToken(), "at-1-1");
  }
  const endless = await signedIn({ expiresAt: undefined });
  pass(1e6);
  assert.equal(await endless.getAccessToken(), "at-1-0");
});

test("while the server is away, a token is handed out as long as it lives, and the server is left alone", async () => {
  const session = await signedIn();
  const renew = world.server.answers.get("/token");
  const { requests } = world.server;
  world.server.answer("/token", "hang up");
  pass(3550);
  assert.equal(await session.getAccessToken(), "at-1-0");
  const asked = requests.length;
  pass(4);
  assert.equal(await session.getAccessToken(), "at-1-0");
  assert.equal(requests.length, asked);
  world.server.answer("/token", { status: 503, headers: { "retry-after": "20" }, json: {} });
  pass(2);
  assert.equal(await session.getAccessToken(), "at-1-0");
  pass(19);
  assert.equal(await session.getAccessToken(), "at-1-0");
  assert.equal(requests.length, asked + 1);
  await assert.rejects(session.getAccessToken({ renew: true }), pkceError("token_error", { retry: "later" }));
  pass(26);
  await assert.rejects(session.getAccessToken(), pkceError("token_error", { retry: "later", retryAfter: 20 }));
  world.server.answer("/token", "hang up");
  await assert.rejects(session.getAccessToken(), pkceError("network", { retry: "later" }));
  assert.equal(session.state.signedIn, true);
  world.server.answer("/token", renew);
  assert.equal(await session.getAccessToken(), "at-1-1");
});

test("without a refresh token the session ends with the access token", async () => {
  const session = await signedIn({ refreshToken: undefined });
  pass(3599);
  assert.equal(await session.getAccessToken(), "at-1-0");
  await assert.rejects(session.getAccessToken({ renew: true }), pkceError("login_required"));
  assert.equal(session.state.signedIn, true);
  pass(1);
  await assert.rejects(session.getAccessToken(), pkceError("login_required", { retry: "login" }));
  assert.deepEqual([session.state.signedIn, session.state.reason], [false, "ended"]);
});

test("a refused refresh token ends the session, another refusal does not", async () => {
  const session = await signedIn();
  world.server.answer("/token", { status: 400, json: { error: "invalid_scope" } });
  await assert.rejects(session.getAccessToken({ renew: true }), pkceError("token_error", { retry: "no" }));
  assert.equal(session.state.signedIn, true);
  world.server.answer("/token", { status: 400, json: { error: "invalid_grant" } });
  const ended = session.getAccessToken({ renew: true });
  await assert.rejects(ended, (error) => pkceError("login_required")(error) && error.cause.oauthError === "invalid_grant");
  assert.deepEqual([session.state.signedIn, session.state.reason], [false, "ended"]);
});

test("calls at the same time share one renewal", async () => {
  const session = await signedIn();
  const calls = Array.from({ length: 5 }, () => session.getAccessToken({ renew: true }));
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(["at-1-1"]));
  assert.equal(server.refreshes, 1);
});

test("calls at the same time share one failure", async () => {
  const session = await signedIn();
  world.server.answer("/token", { status: 503, json: {} });
  const calls = Array.from({ length: 5 }, () => session.getAccessToken({ renew: true }).catch(({ code }) => code));
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(["token_error"]));
  assert.equal(world.server.requests.length, 1);
});

test("a logout, or another login, wins over a renewal under way", async () => {
  const session = await signedIn();
  for (const change of ["logout", "login"]) {
    await session.accept(tokens());
    Object.assign(server, { hold: true, revoked: [] });
    server.latest.set("1", 0);
    const renewal = session.getAccessToken({ renew: true }).catch(({ code }) => code);
    await until(() => server.waiting === 1);
    if (change === "logout") await session.logout();
    else await session.accept(tokens({ accessToken: "at-7-0", refreshToken: "rt-7-0" }));
    server.latest.set("1", 0);
    server.hold = false;
    assert.equal(await renewal, change === "logout" ? "login_required" : "at-7-0");
    await until(() => server.revoked.includes("rt-1-1"));
    assert.equal(session.state.reason, change);
  }
});

test("a logout says whether the server knows of it, and never rejects", async () => {
  const session = await signedIn({ refreshToken: undefined });
  const states = [];
  session.onChange((state) => states.push(state));
  const outcome = session.logout();
  assert.deepEqual([session.state.signedIn, session.state.reason], [false, "logout"]);
  assert.deepEqual(await outcome, { revoked: true });
  assert.equal(states.at(-1), session.state);
  const { form } = world.server.requests.at(-1);
  assert.deepEqual([form.get("token"), form.get("token_type_hint")], ["at-1-0", "access_token"]);
  assert.deepEqual(await session.logout(), { revoked: false });
  assert.deepEqual(await (await signedIn({}, { revocationEndpoint: undefined })).logout(), { revoked: false });
  world.server.answer("/revoke", { status: 503, json: {} });
  const { revoked, error } = await (await signedIn()).logout();
  assert.deepEqual([revoked, error.code, error.retry], [false, "token_error", "later"]);
});

test("the state is the same object until something changes, and listeners hear of changes only", async () => {
  const session = createSession(world.config);
  const seen = [];
  const listener = ({ reason }) => seen.push(reason);
  const [off, offAgain] = [session.onChange(listener), session.onChange(listener)];
  off();
  await session.accept(tokens({ scope: "account:read" }));
  const { state } = session;
  assert.ok(Object.isFrozen(state));
  assert.deepEqual([state.signedIn, state.ready, state.scope], [true, true, "account:read"]);
  await session.getAccessToken();
  assert.equal(session.state, state);
  await session.getAccessToken({ renew: true });
  assert.notEqual(session.state, state);
  await session.logout();
  assert.deepEqual(seen, ["start", "login", "refresh", "logout"]);
  offAgain();
  await session.accept(tokens());
  assert.equal(seen.length, 4);
});

test("a listener that throws disturbs nothing", async () => {
  const session = createSession(world.config);
  const uncaught = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  const off = session.onChange(() => {
    throw new Error("of the app");
  });
  const heard = new Promise((resolve) => session.onChange(resolve));
  assert.equal((await uncaught).message, "of the app");
  await heard;
  off();
  await session.accept(tokens());
  process.setUncaughtExceptionCaptureCallback(null);
});

test("a store of the app's own is read, kept up to date and emptied", async () => {
  const store = {
    async load() {
      return this.kept && JSON.parse(this.kept);
    },
    async save(made) {
      this.kept = made && JSON.stringify(made);
    },
    kept: JSON.stringify(tokens()),
  };
  const session = createSession({ ...world.config, tokens: store });
  assert.equal(await session.getAccessToken(), "at-1-0");
  await session.getAccessToken({ renew: true });
  assert.equal(JSON.parse(store.kept).refreshToken, "rt-1-1");
  const next = createSession({ ...world.config, tokens: store });
  assert.equal(await next.getAccessToken(), "at-1-1");
  await next.getAccessToken({ renew: true });
  assert.equal(await session.getAccessToken({ renew: true }), "at-1-2");
  assert.equal(server.refreshes, 2);
  await next.logout();
  await until(() => store.kept === null);
});

test("a login is newer than what a store has, whatever the clock said then", async () => {
  const store = { load: () => store.kept, save: (made) => (store.kept = made) };
  await signedIn({}, { tokens: store });
  pass(-7 * 3600);
  const session = await signedIn({ accessToken: "at-2-0" }, { tokens: store });
  assert.equal(await session.getAccessToken(), "at-2-0");
  assert.equal(store.kept.accessToken, "at-2-0");
});

test("a store that fails loses no login; the state says so", async () => {
  for (const broken of ["load", "save"]) {
    const fine = { load: () => null, save: () => {} };
    const store = { ...fine, [broken]: () => Promise.reject(new Error("quota")) };
    const session = await signedIn({}, { tokens: store });
    assert.equal(session.state.error.code, "storage_unavailable");
    assert.equal(session.state.error.cause.message, "quota");
    assert.equal(await session.getAccessToken({ renew: true }), "at-1-1");
    assert.deepEqual(await session.logout(), { revoked: true });
    server.latest.set("1", 0);
  }
});

test("nonsense in the storage of the browser is no tokens, and not shown", async () => {
  Object.defineProperty(globalThis, "localStorage", { value: new MemoryStorage(), configurable: true });
  const key = `pkce-wasm ${world.config.issuer} ${world.config.clientId}`;
  for (const nonsense of ['{"accessToken":"at-secret', "null", "7"]) {
    localStorage.setItem(key, nonsense);
    const session = createSession({ ...world.config, tokens: "local" });
    await assert.rejects(session.getAccessToken(), pkceError("login_required", { cause: undefined }));
    await session.accept(tokens());
    assert.equal(session.state.error, undefined);
    assert.equal(JSON.parse(localStorage.getItem(key)).accessToken, "at-1-0");
  }
  delete globalThis.localStorage;
});
