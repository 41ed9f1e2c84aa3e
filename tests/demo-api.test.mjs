// The demo page and the sample API behind the gateway, in a real Chromium: what a developer sees of a call that works, of a
// token that was given back or disconnected, of a permission that is missing and of a limit.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { BOOKINGS } from "./harness/bookings.mjs";
import { startChromium } from "./harness/browser.mjs";
import { disconnectAll, OWNER, PASSWORD, signedIn } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

let server, chromium, context;
before(async () => {
  [server, chromium] = await Promise.all([startServer(BOOKINGS), startChromium()]);
});
afterEach(async () => context?.close());
after(() => Promise.all([server.stop(), chromium.close()]));

const button = (page, name) => page.getByRole("button", { name, exact: true });
const state = (page, word) => page.locator("#state", { hasText: new RegExp(`^${word}$`) }).waitFor();
const last = (page) => page.locator("#exchanges li").last();

/** The demo page with tokens; `without` is a permission that it does not ask for. */
async function connected({ without } = {}) {
  context = await chromium.context({ baseURL: server.issuer });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  await page.goto("/demo/");
  if (without) await page.getByLabel(without).uncheck();
  await button(page, "Connect").click();
  await page.locator("input[name=email]").fill(OWNER);
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.locator("form[action='/login'] button[type=submit]").click();
  await page.getByRole("radio", { name: "Demo Salon" }).check();
  await page.locator("button[name=decision][value=allow]").click();
  await state(page, "connected");
  return page;
}

/** Presses a button and waits for the step that it adds: its status and its text. */
async function press(page, name) {
  const steps = await page.locator("#exchanges li").count();
  await button(page, name).click();
  await page.locator("#exchanges li").nth(steps).waitFor();
  await page.waitForFunction(() => document.querySelector("#me").getAttribute("aria-disabled") !== "true" || document.querySelector("#me").disabled);
  return { status: await last(page).locator(".log-status").textContent(), text: await last(page).textContent() };
}

const said = (page) => page.locator("#error p").first().textContent();

test("200: the API behind the gateway answers with the account's own bookings, takes a new one, and the token stays outside", async () => {
  const page = await connected();
  assert.ok(await button(page, "Call with the revoked token").isHidden(), "nothing was revoked");
  const { status, text } = await press(page, "List bookings");
  assert.equal(status, "200 OK");
  assert.match(text, /GET \/api\/v1\/bookings/);
  assert.match(text, /"asked_by": "demo-spa"/);
  assert.match(text, /"service": "Cut and dry"/);
  assert.match(text, /ratelimit-remaining: \d+/);
  assert.equal((await press(page, "Create a booking")).status, "201 Created");
  assert.match((await press(page, "List customers")).text, /ada@customers\.example/);
  assert.ok(await page.locator("#error").isHidden());
  assert.deepEqual(context.errors, []);
});

test("401: a token that was given back is dead at the API, and so is one whose account has disconnected the app", async () => {
  const page = await connected();
  await press(page, "Revoke");
  await state(page, "disconnected");
  assert.ok(await button(page, "List bookings").isHidden());
  const dead = await press(page, "Call with the revoked token");
  assert.match(dead.status, /^401/);
  assert.match(dead.text, /www-authenticate: Bearer .*error="invalid_token"/);
  assert.match(await said(page), /not valid any more: expired, or revoked/);

  const other = await connected();
  await disconnectAll(await signedIn(server));
  assert.match((await press(other, "List bookings")).status, /^401/);
  assert.match(await said(other), /not valid any more/);
});

test("403: without the permission the page names it, and the API was not asked", async () => {
  const page = await connected({ without: "customers:read" });
  const { status, text } = await press(page, "List customers");
  assert.match(status, /^403/);
  assert.match(text, /error="insufficient_scope"/);
  assert.equal(await said(page), "This token lacks the permission customers:read. Revoke it, connect again, and ask for that permission.");
  assert.equal((await press(page, "List bookings")).status, "200 OK");
});

test("429: calls until one is refused: exactly the limit were accepted, and the page says how long to wait", async () => {
  await disconnectAll(await signedIn(server));
  await server.clock(120_000); // another window than that of the tests before
  const page = await connected();
  const { status, text } = await press(page, "Call until refused");
  assert.equal(status, "429 after 100");
  const [, wait] = text.match(/retry-after: (\d+)/);
  assert.match(await said(page), new RegExp(`^Too many requests\\. Try again in ${wait} seconds\\.$`));
  assert.match((await press(page, "List bookings")).status, /^429/);
  await server.clock(120_000 + Number(wait) * 1000);
  assert.equal((await press(page, "List bookings")).status, "200 OK");
  await server.clock(0);
});
