// What people do to a page: reload it, go back, open an old address, log in twice, change the clock.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { beforeEach, test } from "node:test";
import { becomes, keepTokens, launch, loaded, login, named, open, serve, serveApp, signIn } from "./chromium.mjs";
import { rotate } from "./rotating.mjs";
import { world } from "./setup.mjs";

let server;
const app = () => `${named("localhost")}/app`;
const requests = (path) => world.server.requests.filter((request) => request.path === path);
const arrived = (page) => page.evaluate("arrived");
const token = (page) => page.evaluate("session.getAccessToken().catch(({ code }) => code)");

beforeEach(() => {
  server = rotate(world.server);
  keepTokens("memory");
  serve("/other", "text/html", "<!doctype html><title>Other</title>");
});

/** A login that has got as far as the server; gives the parameters of its request. */
async function leave(page, options = {}) {
  const query = requests("/authorize").length;
  const automatic = world.server.answers.get("/authorize");
  world.server.answer("/authorize", { text: "<!doctype html><title>Server</title>", headers: HTML });
  const landed = page.waitForURL(/\/authorize/);
  await page.evaluate(`void session.login(${JSON.stringify(options)})`);
  await landed;
  world.server.answer("/authorize", automatic);
  return requests("/authorize")[query].query;
}
const HTML = { "content-type": "text/html", "cache-control": "no-cache" };

/** The address of an answer to such a request. */
function answerTo(request, parameters = {}) {
  const answer = { code: "c", state: request.get("state"), iss: named("localhost"), ...parameters };
  return `${app()}?${new URLSearchParams(Object.entries(answer).filter(([, value]) => value))}`;
}

async function visit(page, url) {
  await page.goto(url);
  await loaded(page);
}

test("effects that run twice, as in React's StrictMode, are one exchange", async () => {
  serveApp(`
    window.session = pkce.createSession(config);
    const listener = () => {};
    const mount = () => {
      const off = session.onChange(listener);
      const result = session.handleCallback();
      return { result, unmount: () => (off(), session.close()) };
    };
    const first = mount();
    first.unmount();
    const second = mount();
    window.arrived = Promise.all([first.result, second.result]);`);
  const page = await signIn();
  const [one, two] = await arrived(page);
  assert.deepEqual([one.tokens.accessToken, two], ["at-1-0", one]);
  assert.equal(server.exchanges, 1);
  const other = await signIn();
  await becomes(page, "session.getAccessToken().then((token) => token === 'at-2-0')");
  await other.close();
});

test("a session that was closed listens again when it is used", async () => {
  const [first, second] = [await signIn(), await open(app())];
  await first.evaluate("session.close()");
  await second.evaluate("session.getAccessToken({ renew: true })");
  assert.equal(await token(first), "at-1-0");
  await becomes(first, "session.getAccessToken().then((token) => token === 'at-1-1')");
});

test("the page of the callback may be reloaded and gone back to", async () => {
  keepTokens("session");
  const page = await signIn();
  await page.reload();
  await loaded(page);
  assert.deepEqual([await arrived(page), page.url()], [null, app()]);
  await page.goto(`${named("localhost")}/other`);
  await page.goBack();
  await loaded(page);
  assert.deepEqual([await arrived(page), page.url()], [null, app()]);
  await page.goBack(); // to where the login was started
  await loaded(page);
  assert.deepEqual([await arrived(page), await token(page)], [null, "at-1-0"]);
  assert.equal(server.exchanges, 1);
});

test("the address of an old callback is named as such and harms no session", async () => {
  const first = await signIn();
  const old = answerTo(requests("/authorize")[0].query);
  const page = await open(old);
  assert.deepEqual([await arrived(page), page.url()], ["state_unknown", app()]);
  assert.equal(await token(page), "at-1-0");
  await visit(first, old);
  assert.deepEqual([await arrived(first), await token(first)], ["state_unknown", "at-1-0"]);
  assert.equal(server.exchanges, 1);
});

test("two logins in two tabs each end in their own", async () => {
  const challenges = new Map();
  const issue = world.server.answers.get("/token");
  world.server.answer("/token", (request) => {
    const digest = createHash("sha256").update(request.form.get("code_verifier")).digest("base64url");
    assert.equal(digest, challenges.get(request.form.get("code")));
    return issue(request);
  });
  for (const storage of ["session", "local"]) {
    serveApp(`
      window.session = pkce.createSession({ ...config, storage: "${storage}" });
      window.arrived = session.handleCallback();`);
    const [first, second] = [await open(app()), await open(app())];
    const one = await leave(first, { returnTo: "/first" });
    const two = await leave(second, { returnTo: "/second" });
    challenges.set("one", one.get("code_challenge")).set("two", two.get("code_challenge"));
    await visit(second, answerTo(two, { code: "two" }));
    await visit(first, answerTo(one, { code: "one" }));
    assert.equal((await arrived(first)).returnTo, "/first");
    assert.equal((await arrived(second)).returnTo, "/second");
    assert.equal(await first.evaluate("sessionStorage.length + localStorage.length"), 0);
    await Promise.all([first.close(), second.close()]);
  }
});

test("a forged callback does not destroy the pending login, which then completes", async () => {
  const page = await open(app());
  const request = await leave(page, { returnTo: "/orders" });
  const forged = [
    [{ state: "guess" }, "state_unknown"],
    [{ state: undefined }, "state_missing"],
    [{ state: "guess", code: undefined, error: "access_denied" }, "state_unknown"],
    [{ iss: "https://evil.example" }, "issuer_mismatch"],
    [{ iss: undefined }, "issuer_missing"],
    [{ iss: "https://evil.example", code: undefined, error: "access_denied" }, "issuer_mismatch"],
  ];
  for (const [parameters, code] of forged) {
    await visit(page, answerTo(request, parameters));
    assert.equal(await arrived(page), code);
    const other = await open(answerTo(request, parameters)); // a tab that has no login pending
    await other.close();
  }
  assert.equal(requests("/token").length, 0);
  await visit(page, answerTo(request));
  assert.equal((await arrived(page)).returnTo, "/orders");
  assert.equal(await token(page), "at-1-0");
});

test("pending logins are capped and end after ten minutes; tokens beside them stay", async () => {
  keepTokens("session");
  await world.context.addInitScript("const now = Date.now; window.shift = 0; Date.now = () => now() + shift;");
  const page = await signIn();
  const starts = "for (let n = 0; n < 7; n += 1) void session.login({ navigate() {} });";
  const slots = () => page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('pkce-wasm.')).length");
  await page.evaluate(starts);
  assert.equal(await slots(), 5);
  const state = await page.evaluate("Object.keys(sessionStorage).find((key) => key.startsWith('pkce-wasm.')).slice(10)");
  await page.evaluate("shift = 601_000; void session.login({ navigate() {} })");
  assert.equal(await slots(), 1);
  const answer = answerTo(new URLSearchParams({ state }));
  assert.equal(await page.evaluate(`session.handleCallback("${answer}").catch(({ code }) => code)`), "state_unknown");
  assert.equal(await token(page), "at-1-0");
  await page.reload();
  await loaded(page);
  assert.equal(await token(page), "at-1-0");
});

for (const hours of [-9, 9]) {
  test(`a clock that is ${hours} hours off does no harm, and one that jumps makes no token immortal`, async () => {
    const off = hours * 3_600_000;
    await world.context.addInitScript(`const now = Date.now; window.shift = ${off}; Date.now = () => now() + shift;`);
    const page = await signIn();
    assert.equal(await token(page), "at-1-0");
    await page.evaluate("shift += 3_500_000");
    assert.equal(await token(page), "at-1-0");
    await page.evaluate("shift += 45_000");
    assert.equal(await token(page), "at-1-1");
    assert.equal(await token(page), "at-1-1");
    await page.evaluate(`shift = ${off - 72_000_000}`);
    assert.equal(await token(page), "at-1-2");
    assert.equal(await token(page), "at-1-2");
    await world.context.addInitScript(`window.shift = ${off - 72_000_000}`);
    const other = await signIn();
    await becomes(page, "session.getAccessToken().then((token) => token === 'at-2-0')");
    await page.evaluate("session.logout()");
    await becomes(other, "!session.state.signedIn");
    assert.equal(server.refreshes, 2);
  });
}

test("where the browser refuses storage and locks, tokens are in memory and the error says so", async () => {
  const policy = "sandbox allow-scripts";
  const html = '<!doctype html><script type="module" src="/app.js" crossorigin></script>';
  serve("/app", "text/html", html, { "content-security-policy": policy });
  world.server.always["access-control-allow-origin"] = "*";
  serveApp(`
    window.session = pkce.createSession({ ...config, tokens: "local" });
    window.arrived = session.accept({ accessToken: "at-1-0", tokenType: "Bearer", refreshToken: "rt-1-0" });`);
  server.latest.set("1", 0);
  const page = await world.context.newPage();
  await page.goto(app());
  await loaded(page);
  await arrived(page);
  const refused = "(() => { try { return localStorage; } catch ({ name }) { return name; } })()";
  assert.equal(await page.evaluate(refused), "SecurityError");
  assert.equal(await page.evaluate("navigator.locks.request('x', () => {}).catch(({ name }) => name)"), "SecurityError");
  assert.deepEqual(await page.evaluate("[session.state.signedIn, session.state.error.code]"), [
    true,
    "storage_unavailable",
  ]);
  assert.equal(await page.evaluate("session.getAccessToken({ renew: true })"), "at-1-1");
  const login = "session.login().catch(({ code }) => code)";
  assert.equal(await page.evaluate(login), "storage_unavailable");
  assert.deepEqual(await page.evaluate("session.logout()"), { revoked: true });
});

/** A window of a browser with a back/forward cache, which goes `back` to a page of it. */
async function cached(context) {
  const browser = await launch({ bfcache: true });
  context.after(() => browser.close());
  const tabs = await browser.newContext();
  await tabs.addInitScript("addEventListener('pageshow', ({ persisted }) => { window.persisted = persisted; })");
  const back = async (page) => {
    void page.goBack().catch(() => {}); // never settles for such a page
    await page.waitForURL(app(), { waitUntil: "commit" });
    await becomes(page, "window.persisted");
  };
  return { tabs, back };
}

test("back from the server to a page of the back/forward cache", async (context) => {
  const { tabs, back } = await cached(context);
  const page = await open(app(), tabs);
  await leave(page);
  await back(page);
  await login(page); // the first one left nothing behind that is in the way
  assert.equal(await token(page), "at-1-0");

  const other = await open(app(), tabs);
  await leave(page);
  await other.evaluate("session.getAccessToken({ renew: true })");
  await back(page);
  await becomes(page, "session.state.reason === 'refresh'");
  assert.equal(await token(page), "at-1-1");

  await leave(page);
  await other.evaluate("session.logout()");
  await back(page);
  await becomes(page, "session.state.reason === 'logout'");
  assert.equal(await token(page), "login_required");
  assert.equal(server.refreshes, 1);
});

for (const place of ["local", "session"]) {
  test(`a page of the back/forward cache believes the store: ${place}`, async (context) => {
    keepTokens(place);
    const { tabs, back } = await cached(context);
    const page = await signIn(app(), tabs);
    await visit(page, `${app()}?page=2`);
    await page.evaluate("session.logout()");
    await back(page);
    await becomes(page, "!session.state.signedIn");
    assert.equal(await page.evaluate("sessionStorage.length + localStorage.length"), 0);
  });
}
