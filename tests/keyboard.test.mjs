// By keyboard alone, and without JavaScript: an app is registered, approved, connected and disconnected.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChromium } from "./harness/browser.mjs";
import { startServer } from "./harness/server.mjs";
import { ADMIN, asking, CALLBACK, OWNER, PASSWORD, pageOf } from "./pages/people.mjs";

let server, chromium;
before(async () => {
  [server, chromium] = await Promise.all([startServer(), startChromium()]);
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

/** In the page: what a screen reader calls the control that has the focus. */
const focused = () => {
  const element = document.activeElement;
  const labels = [...(element.labels ?? [])].map((label) => label.textContent);
  return (labels.length ? labels.join(" ") : element.textContent).replace(/\s+/g, " ").trim();
};

/** Presses Tab until the control of this name has the focus; nothing else moves it. */
async function tabTo(page, name) {
  const passed = [];
  for (let presses = 0; presses < 100; presses += 1) {
    await page.keyboard.press("Tab");
    const now = await page.evaluate(focused);
    if (name.test(now)) return;
    passed.push(now);
  }
  assert.fail(`Tab does not reach ${name}: ${passed.join(" | ")}`);
}

/** Goes to a control and uses it: types a text, or presses a key. */
async function use(page, name, text) {
  await tabTo(page, name);
  if (text === " " || text === "Enter") await page.keyboard.press(text === " " ? "Space" : text);
  else await page.keyboard.type(text);
}

const says = (page, text) => page.getByText(text).first().waitFor();

test("by keyboard: somebody signs in and registers an app, staff approves it, an owner connects and disconnects it", async () => {
  const developer = await pageOf(chromium, server);
  await developer.goto("/login");
  await use(developer, /^E-mail address$/, OWNER);
  await use(developer, /^Password$/, PASSWORD);
  await use(developer, /^Sign in$/, "Enter");
  await developer.waitForURL("**/account/apps");
  await use(developer, /^Skip to the content$/, "Enter");
  await developer.goto("/account/apps");
  await use(developer, /^Developers$/, "Enter");
  await developer.waitForURL("**/developers");
  await use(developer, /^Register an app$/, "Enter");
  await developer.waitForURL("**/developers/new");
  // The first try is wrong: what is wrong is on top, and the link there leads to the field.
  await use(developer, /^Register$/, "Enter");
  await says(developer, "Nothing was saved");
  await use(developer, /^Name$/, "Enter");
  assert.equal(await developer.evaluate(() => location.hash), "#name");
  await developer.keyboard.press("Tab");
  assert.match(await developer.evaluate(() => document.activeElement.id), /^(name|description)$/, "the focus goes on there");
  await developer.goto("/developers/new");
  await use(developer, /^Demo Salon$/, " ");
  await use(developer, /^On a server/, " ");
  await use(developer, /^Name$/, "Keyboard Ledger");
  await use(developer, /^Description$/, "Writes your bookings into your books every night.");
  await use(developer, /^Website$/, "https://ledger.example/");
  await use(developer, /^Redirect URIs$/, CALLBACK);
  await use(developer, /bookings:read/, " ");
  await use(developer, /^Why it is needed : See your bookings|^Why it is needed: See your bookings/, "to write them down");
  await use(developer, /^Register$/, "Enter");
  await says(developer, "The app is registered.");
  const id = new URL(developer.url()).pathname.split("/").pop();

  const staff = await pageOf(chromium, server, ADMIN);
  await staff.goto("/admin");
  await use(staff, /^Keyboard Ledger$/, "Enter");
  await staff.waitForURL(`**/admin/apps/${id}`);
  await use(staff, /^Approve/, "Enter");
  await says(staff, "It is decided");

  await developer.goto(asking(id, "bookings:read"));
  await use(developer, /^Demo Salon$/, " ");
  await use(developer, /^Allow$/, "Enter");
  await developer.waitForURL(`${CALLBACK}**`);
  assert.ok(new URL(developer.url()).searchParams.get("code"));
  await developer.goto("/account/apps");
  await use(developer, /^Disconnect Keyboard Ledger/, "Enter");
  await says(developer, "Disconnect this app?");
  await use(developer, /^Disconnect$/, "Enter");
  await says(developer, "The app is disconnected");
});

test("without JavaScript: the same registration, with a wrong first try, and the same decision", async () => {
  const page = await pageOf(chromium, server, OWNER, { javaScriptEnabled: false });
  const press = (name) => page.getByRole("button", { name }).first().click();
  await page.goto("/developers/new");
  await page.getByLabel("Demo Salon").check();
  await page.getByLabel("On a server").check();
  await page.getByLabel("Name", { exact: true }).fill("Plain Ledger");
  await page.getByLabel("Description").fill("Writes your bookings into your books every night.");
  await page.getByLabel("Website").fill("https://ledger.example/");
  await page.getByLabel("Redirect URIs").fill("http://elsewhere.example/cb");
  await page.getByRole("checkbox", { name: /bookings:read/ }).check();
  await page.getByLabel(/Why it is needed: See your bookings/).fill("to write them down");
  await press("Register");
  await says(page, "Nothing was saved");
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Plain Ledger", "what was right stays");
  await page.getByLabel("Redirect URIs").fill("https://ledger.example/cb");
  await press("Register");
  await says(page, "The app is registered.");
  const id = new URL(page.url()).pathname.split("/").pop();
  await press("Add a secret");
  await says(page, "Copy it now");

  const staff = await pageOf(chromium, server, ADMIN, { javaScriptEnabled: false });
  await staff.goto(`/admin/apps/${id}`);
  await staff.getByRole("link", { name: /^Reject/ }).click();
  await staff.getByLabel("Reason").fill("Say more about what it does.");
  await staff.getByRole("button", { name: "Reject it" }).click();
  await says(staff, "It is decided");
  await page.goto(`/developers/apps/${id}`);
  await says(page, "Say more about what it does.");
});
