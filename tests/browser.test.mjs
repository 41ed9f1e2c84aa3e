// The flow in a real Chromium, as people see it: the demo page, signing in, consent, and the way back.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, test } from "node:test";
import { startChromium } from "./harness/browser.mjs";
import { authorizePath, exchange, OWNER, PASSWORD, pkce, serverApp, STAFF } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

let server, chromium, context;
before(async () => {
  [server, chromium] = await Promise.all([startServer(), startChromium()]);
});
afterEach(async () => context?.close());
after(() => Promise.all([server.stop(), chromium.close()]));

/** A fresh profile with one page. */
async function visit(path, options) {
  context = await chromium.context({ baseURL: server.issuer, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  await page.goto(path);
  return page;
}

const button = (page, name) => page.getByRole("button", { name, exact: true });
const state = (page, word) => page.locator("#state", { hasText: new RegExp(`^${word}$`) }).waitFor();

async function signIn(page, email = OWNER, password = PASSWORD) {
  await page.locator("input[name=email]").fill(email);
  await page.locator("input[name=password]").fill(password);
  await page.locator("form[action='/login'] button[type=submit]").click();
}

async function choose(page, account = "Demo Salon") {
  await page.getByRole("radio", { name: account }).check();
}

const decide = (page, decision) => page.locator(`button[name=decision][value=${decision}]`).click();

/** From the demo page to its tokens. */
async function connected(page, account) {
  await button(page, "Connect").click();
  await signIn(page);
  await choose(page, account);
  await decide(page, "allow");
  await state(page, "connected");
}

const lastBody = (page) => page.locator("#exchanges li").last().locator("pre").last().textContent();

async function callApi(page) {
  const steps = await page.locator("#exchanges li").count();
  await button(page, "Call the API").click();
  await page.locator("#exchanges li").nth(steps).waitFor();
  return lastBody(page);
}

test("allow: connect, sign in, allow; the page has tokens it can use, refresh and revoke; its address is clean", async () => {
  const page = await visit("/demo/");
  await connected(page);
  assert.equal(page.url(), `${server.issuer}/demo/`);
  assert.match(await callApi(page), /"Demo Salon"/);
  const before = await page.locator("#tokens").textContent();
  await button(page, "Refresh").click();
  await page.waitForFunction((text) => document.querySelector("#tokens").textContent !== text, before);
  assert.match(await callApi(page), /"Demo Salon"/);
  await button(page, "Revoke").click();
  await state(page, "disconnected");
  assert.deepEqual(context.errors, []);
});

test("deny: back at the app with a friendly word, and no tokens", async () => {
  const page = await visit("/demo/");
  await button(page, "Connect").click();
  await signIn(page);
  await choose(page);
  await decide(page, "deny");
  await page.locator("#error code", { hasText: "authorization_denied" }).waitFor();
  await state(page, "disconnected");
  assert.equal(page.url(), `${server.issuer}/demo/`);
  assert.deepEqual(context.errors, []);
});

test("wrong password: the form says so, keeps the address, and the right one goes on to the app", async () => {
  const page = await visit("/demo/");
  await button(page, "Connect").click();
  await signIn(page, OWNER, "not it");
  await page.getByText("The e-mail address or the password is not right.").waitFor();
  assert.equal(await page.locator("input[name=password]").inputValue(), "");
  await signIn(page);
  await choose(page);
  await decide(page, "allow");
  await state(page, "connected");
});

test("UI-10: two accounts: the app gets the one that was chosen", async () => {
  for (const account of ["Second Salon", "Demo Salon"]) {
    const page = await visit("/demo/");
    await connected(page, account);
    assert.match(await callApi(page), new RegExp(`"${account}"`));
    await context.close();
  }
});

test("with two accounts and none chosen nothing is decided", async () => {
  const page = await visit("/demo/");
  await button(page, "Connect").click();
  await signIn(page);
  if ((await page.locator("input[name=account]:checked").count()) === 0) {
    await decide(page, "allow");
    assert.match(page.url(), /\/oauth\/authorize/, "the browser asks for the choice first");
  }
  await choose(page);
  await decide(page, "allow");
  await state(page, "connected");
});

test("reload: the connected page starts again without an error, and connecting needs no password", async () => {
  const page = await visit("/demo/");
  await connected(page);
  await page.reload();
  await state(page, "disconnected");
  assert.equal(await page.locator("#error").isVisible(), false);
  await button(page, "Connect").click();
  await choose(page);
  await page.reload(); // of the consent page
  await choose(page);
  await decide(page, "allow");
  await state(page, "connected");
  assert.deepEqual(context.errors, []);
});

test("back button: allowing once more does not hand the app a second answer for one login", async () => {
  const page = await visit("/demo/");
  await connected(page);
  await page.goBack();
  await page.locator("button[name=decision][value=allow]").waitFor();
  await choose(page);
  await decide(page, "allow");
  // The browser asks for the page anew, which makes it a decision of its own; the app refuses the second answer,
  // because the login that this state belonged to is finished.
  await page.locator("#error code", { hasText: "state_unknown" }).waitFor();
  await state(page, "disconnected");
});

test("back button after signing in: no form sends the password again, and the flow goes on", async () => {
  const page = await visit("/demo/");
  await button(page, "Connect").click();
  await signIn(page);
  await page.locator("button[name=decision][value=allow]").waitFor();
  await page.goBack();
  await page.goForward();
  await choose(page);
  await decide(page, "allow");
  await state(page, "connected");
});

test("a member of staff is told that the owner has to connect the app", async () => {
  const page = await visit("/demo/");
  await button(page, "Connect").click();
  await signIn(page, STAFF);
  await page.locator("main h1").waitFor();
  assert.equal(await page.locator("button[name=decision]").count(), 0);
});

test("UI-04: the owner disconnects the app on the page of connected apps; the app's next call fails", async () => {
  const page = await visit("/demo/");
  await connected(page);
  const apps = await context.newPage();
  await apps.goto("/account/apps");
  await apps.locator("a[href*='/account/apps/disconnect'], form[action*='/account/apps/disconnect'] button").first().click();
  await apps.locator("form[action='/account/apps/disconnect'] button[type=submit]").click();
  await apps.waitForURL("**/account/apps?*");
  assert.match(await callApi(page), /invalid_token/);
});

/** The server of an app: answers its callback and keeps what came. */
async function callbackServer() {
  const received = [];
  const app = createServer((request, answer) => {
    received.push(new URL(request.url, "http://127.0.0.1"));
    answer.end("<h1>Connected</h1>");
  });
  await new Promise((next) => app.listen(0, "127.0.0.1", next));
  return { received, port: app.address().port, close: () => new Promise((next) => app.close(next)) };
}

test("UI-12, UI-09: without scripts, Allow reaches an app on another origin: form-action lets the redirect pass", async () => {
  const app = await callbackServer();
  try {
    const client = { ...serverApp(), redirectUri: `http://127.0.0.1:${app.port}/callback` };
    const { verifier, challenge } = pkce();
    const page = await visit(authorizePath(client, { code_challenge: challenge, state: "s" }), { javaScriptEnabled: false });
    await signIn(page);
    await choose(page);
    await decide(page, "allow");
    await page.getByText("Connected").waitFor();
    const params = app.received.find((url) => url.pathname === "/callback").searchParams;
    assert.equal(params.get("state"), "s");
    assert.equal((await exchange(server, client, { code: params.get("code"), verifier })).status, 200);
    assert.deepEqual(context.errors, []);
  } finally {
    await context.close();
    await app.close();
  }
});

test("UI-09: everything can be done with the keyboard alone", async () => {
  const page = await visit("/demo/");
  await button(page, "Connect").focus();
  await page.keyboard.press("Enter");
  await page.locator("input[name=email]").waitFor();
  await page.locator("input[name=email]").focus();
  await page.keyboard.type(OWNER);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.locator("input[name=account]").first().focus();
  await page.keyboard.press("Space");
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.value === "allow")) break;
  }
  await page.keyboard.press("Enter");
  await state(page, "connected");
});

test("no page is wider than a telephone", async () => {
  const page = await visit("/", { viewport: { width: 390, height: 844 } });
  const client = { id: "demo-spa", redirectUri: `${server.issuer}/demo/` };
  const wide = async () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok((await wide()) <= 0, "landing page");
  await page.goto("/login");
  assert.ok((await wide()) <= 0, "login");
  await signIn(page);
  await page.waitForURL("**/account/apps");
  for (const path of [
    "/account/apps",
    authorizePath(client, { code_challenge: pkce().challenge }),
    authorizePath(client, { client_id: "x".repeat(200) }),
    "/demo/",
    "/nowhere",
  ]) {
    await page.goto(path);
    assert.ok((await wide()) <= 0, path);
  }
});
