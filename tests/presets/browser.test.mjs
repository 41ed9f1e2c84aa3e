// Under each preset in a real Chromium, at desktop and phone width: sign in, allow, deny, disconnect, and the demo page
// with a standard client. SCREENSHOTS=folder keeps a picture of every page.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startChromium } from "../harness/browser.mjs";
import { authorizePath, OWNER, PASSWORD, pkce, serverApp } from "../harness/client.mjs";
import { startServer } from "../harness/server.mjs";

const PLATFORMS = [
  { preset: "klippa", name: "Klippa", colour: "rgb(124, 45, 107)", asks: "your salon", scope: "klippa.context klippa.availability klippa.book" },
  { preset: "cal-classic", name: "Cal.com", colour: "rgb(41, 41, 41)", asks: "your account or team", scope: "READ_BOOKING,READ_PROFILE" },
  { preset: "cal-v2", name: "Cal.com", colour: "rgb(41, 41, 41)", asks: "your account or team", scope: "PROFILE_READ BOOKING_READ" },
  { preset: "klaviyo", name: "Klaviyo", colour: "rgb(31, 74, 61)", asks: "your Klaviyo account", scope: "lists:write campaigns:write metrics:read" },
  { preset: "yappointment", name: "yAppointment", colour: "rgb(15, 95, 138)", asks: "your company", scope: "bookings:read services:read" },
];
const WIDTHS = { desktop: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };

let chromium, callback, redirectUri;
before(async () => {
  chromium = await startChromium();
  callback = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<title>app</title>back at the app"));
  await new Promise((done) => callback.listen(0, "127.0.0.1", done));
  redirectUri = `http://127.0.0.1:${callback.address().port}/callback`;
});
after(() => Promise.all([chromium.close(), new Promise((done) => callback.close(done))]));

/** Runs under a preset with a fresh server. */
const under = (preset, run) => async () => {
  const server = await startServer({ preset });
  try {
    await run(server);
  } finally {
    await server.stop();
  }
};

/** A fresh profile with one page. */
async function visit(server, path, viewport) {
  const context = await chromium.context({ baseURL: server.issuer, viewport });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  await page.goto(path);
  return { context, page };
}

/** No page is wider than the window; a picture is kept when asked for. */
async function looksRight(page, name) {
  await page.waitForLoadState();
  const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= view, `${name} is ${wide} wide in a window of ${view}`);
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
}

async function signIn(page) {
  await page.locator("input[name=email]").fill(OWNER);
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.locator("form[action='/login'] button[type=submit]").click();
}

const ask = (server, scope, more = {}, client = serverApp()) =>
  authorizePath({ ...client, redirectUri }, { scope, state: "s", code_challenge: pkce().challenge, ...more }, server.routes.authorize);

/** Consent, then what is connected, then Disconnect: pages of one width. */
async function journey(server, { preset, name, colour, asks, scope }, [width, viewport]) {
  const picture = (page, what) => looksRight(page, `${preset}-${what}-${width}`);
  const { context, page } = await visit(server, ask(server, scope), viewport);
  assert.match(await page.title(), new RegExp(name.replace(".", "\\.")));
  await picture(page, "login");
  await signIn(page);
  await page.getByRole("heading", { level: 1 }).filter({ hasText: `asks for access to ${asks}` }).waitFor();
  await page.waitForLoadState(); // the style sheets are there
  const allow = page.locator("button[name=decision][value=allow]");
  assert.equal(await allow.evaluate((button) => getComputedStyle(button).backgroundColor), colour, "the platform's colour");
  await picture(page, "consent");
  for (const item of await page.getByRole("checkbox").all()) assert.equal(await item.isChecked(), false, "nothing is ticked");
  await page.locator("button[name=decision][value=deny]").click();
  await page.waitForURL(`${redirectUri}?**`);
  const denied = new URL(page.url()).searchParams;
  assert.equal(`${denied.get("error")} ${denied.get("state")}`, "access_denied s");

  await page.goto(ask(server, scope));
  await page.getByRole("radio").first().check();
  await page.locator("button[name=decision][value=allow]").click();
  await page.waitForURL(`${redirectUri}?**`);
  assert.match(new URL(page.url()).searchParams.get("code"), /^[\w-]{84}$/);

  await page.goto("/account/apps");
  await picture(page, "apps");
  await page.getByRole("link", { name: /^Disconnect/ }).click();
  await page.getByRole("heading", { name: "Disconnect this app?" }).waitFor();
  await picture(page, "disconnect");
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("status").filter({ hasText: "disconnected" }).waitFor();
  await page.goto(ask(server, scope, { redirect_uri: "https://elsewhere.example/" }));
  await page.getByRole("heading", { name: "This link does not work" }).waitFor();
  await picture(page, "error");
  assert.deepEqual(
    context.errors.filter((error) => !error.includes("status of 400")),
    [],
  );
  await context.close();
}

/** The demo page is a client that knows OAuth only, not the platform. */
async function demo(server, { preset, name }) {
  const { context, page } = await visit(server, "/demo/", WIDTHS.desktop);
  const button = (label) => page.getByRole("button", { name: label, exact: true });
  const state = (word) => page.locator("#state", { hasText: new RegExp(`^${word}$`) }).waitFor();
  const steps = page.locator("#exchanges li");
  await button("Connect").click();
  await signIn(page);
  await page.getByRole("radio").first().check();
  await page.locator("button[name=decision][value=allow]").click();
  await state("connected");
  assert.equal(await page.title(), `Demo app – ${name}`);
  for (const label of ["Call the API", "Refresh"]) {
    const count = await steps.count();
    await button(label).click();
    await steps.nth(count).waitFor();
    assert.match(await steps.nth(count).textContent(), /20[01]/, `${label} under ${preset}`);
  }
  await looksRight(page, `${preset}-demo-desktop`);
  await button("Revoke").click();
  await state("disconnected");
  assert.deepEqual(context.errors, []);
  await context.close();
}

for (const platform of PLATFORMS) {
  test(
    `${platform.preset}: the whole flow in a browser, allow and deny, at both widths; the demo page connects, calls, refreshes, revokes`,
    under(platform.preset, async (server) => {
      for (const width of Object.entries(WIDTHS)) await journey(server, platform, width);
      await demo(server, platform);
    }),
  );
}

test(
  "klaviyo: the consent page warns of an app that nobody has reviewed",
  under("klaviyo", async (server) => {
    for (const [width, viewport] of Object.entries(WIDTHS)) {
      const pending = { id: "demo-pending" };
      const { context, page } = await visit(server, ask(server, "lists:read", {}, pending), viewport);
      await signIn(page);
      await page.getByText("This app has not been reviewed.").waitFor();
      await looksRight(page, `klaviyo-warning-${width}`);
      await context.close();
    }
  }),
);
