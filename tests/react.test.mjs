// The React example, built by Vite with the packed module, in a real Chromium: connecting, the API, several tabs that stay in
// step, and what is served where.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { startChromium } from "./harness/browser.mjs";
import { disconnectAll, OWNER, PASSWORD, signedIn } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";
import { check } from "./pages/checks.mjs";

let server, chromium, context;
before(async () => {
  [server, chromium] = await Promise.all([startServer(), startChromium()]);
});
afterEach(async () => context?.close());
after(() => Promise.all([server?.stop(), chromium?.close()]));

const button = (page, name) => page.getByRole("button", { name, exact: true });
const state = (page, word) => page.locator("#state", { hasText: new RegExp(`^${word}$`) }).waitFor();
const reason = (page, words) => page.locator("#reason", { hasText: words }).waitFor();

async function tab(path = "/react/") {
  const page = await context.newPage();
  await page.goto(path);
  return page;
}

/** A fresh profile with the app in its first tab. */
async function visit(options = {}) {
  context = await chromium.context({ baseURL: server.issuer, ...options });
  context.setDefaultTimeout(15_000);
  return tab();
}

async function connect(page, decision = "allow") {
  await button(page, "Connect").click();
  await page.locator("input[name=email]").fill(OWNER);
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.locator("form[action='/login'] button[type=submit]").click();
  await page.getByRole("radio", { name: "Demo Salon" }).check();
  await page.locator(`button[name=decision][value=${decision}]`).click();
}

async function connected(options) {
  const page = await visit(options);
  await connect(page);
  await state(page, "connected");
  return page;
}

async function callApi(page) {
  const answered = page.waitForResponse((response) => response.url().endsWith("/api/v1/me"));
  await button(page, "Call the API").click();
  return (await answered).status();
}

test("connect, call the API, renew: the address is clean and no token is written down", async () => {
  const page = await connected();
  assert.equal(page.url(), `${server.issuer}/react/`);
  assert.equal(await callApi(page), 200);
  await page.locator("#answer", { hasText: "Demo Salon" }).waitFor();
  await button(page, "Renew").click();
  await reason(page, "renewed");
  assert.equal(await callApi(page), 200);
  assert.equal(await page.evaluate("sessionStorage.length + localStorage.length"), 0);
  assert.deepEqual(context.errors, []);
});

test("a second tab is connected at once; both call the API; disconnecting in one reaches the other, and the token is dead", async () => {
  const one = await connected();
  const two = await tab();
  await state(two, "connected");
  assert.deepEqual([await callApi(one), await callApi(two)], [200, 200]);

  const revoked = one.waitForResponse((response) => response.url().endsWith("/oauth/revoke"));
  await button(one, "Disconnect").click();
  await Promise.all([state(one, "disconnected"), state(two, "disconnected")]);
  await reason(two, "Disconnected");
  assert.equal((await revoked).status(), 200);
  assert.equal(await button(two, "Call the API").count(), 0);
  await two.reload();
  await state(two, "disconnected");
  assert.deepEqual(context.errors, []);
});

test("connecting in one tab connects the other that was open before; the reload of one of two loses nothing", async () => {
  const one = await visit();
  const two = await tab();
  await state(two, "disconnected");
  await connect(one);
  await Promise.all([state(one, "connected"), state(two, "connected")]);
  await one.reload();
  await state(one, "connected");
  assert.equal(await callApi(one), 200);
  assert.deepEqual(context.errors, []);
});

test("the owner ends the access at the server: the next call ends the session in all tabs", async () => {
  const one = await connected();
  const two = await tab();
  await state(two, "connected");
  await disconnectAll(await signedIn(server));
  await button(one, "Call the API").click();
  await Promise.all([state(one, "disconnected"), state(two, "disconnected")]);
  await reason(two, "The server ended");
});

test("deny: kind words with the code, and the button is there again", async () => {
  const page = await visit();
  await connect(page, "deny");
  await page.locator("#error code", { hasText: "authorization_denied" }).waitFor();
  await state(page, "disconnected");
  await button(page, "Connect").waitFor();
  assert.equal(page.url(), `${server.issuer}/react/`);
});

test("reload and back do no harm: a reload after the login handles nothing twice, an answer that was used is refused", async () => {
  const page = await connected();
  await page.goBack();
  await page.getByRole("radio", { name: "Demo Salon" }).check();
  await page.locator("button[name=decision][value=allow]").click();
  await page.locator("#error code", { hasText: "state_unknown" }).waitFor();
  await page.reload();
  await state(page, "disconnected");
  assert.equal(await page.locator("#error").count(), 0);
});

test("signed out and in, the page passes the checks of every page: axe, widths, headings, the keyboard", async () => {
  const page = await visit();
  await state(page, "disconnected");
  const wrong = await check(page, "react-out");
  await connect(page);
  await state(page, "connected");
  await button(page, "Call the API").dispatchEvent("click"); // a real one would put the focus there, and Tab begin there
  await page.locator("#answer").waitFor();
  assert.deepEqual([...wrong, ...(await check(page, "react-in"))], []);
});

test("one policy without inline scripts, and links that lead here in development", async () => {
  const answer = await server.fetch("/react/");
  assert.match(answer.headers.get("content-security-policy"), /script-src 'self' 'wasm-unsafe-eval';/);
  assert.doesNotMatch(await answer.text(), /<script(?![^>]* src=)|<style| style=| on\w+=/);
  for (const path of ["/", "/demo/"]) assert.match(await (await server.fetch(path)).text(), /href="\/react\/"/, path);
});

test("the example asks for the versions that are tested here", () => {
  const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
  const { dependencies, devDependencies } = read("../www/react/package.json");
  const root = read("../package.json").devDependencies;
  const { version } = read("../pkce-wasm/package.json");
  assert.equal(dependencies["pkce-wasm"], `^${version}`);
  for (const name of ["react", "react-dom"]) assert.equal(dependencies[name], `^${root[name]}`);
  assert.equal(devDependencies.vite, `^${root.vite}`);
});
