// The whole life of an app in a real browser: from its registration to its deletion, as developer, owner and staff see it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChromium } from "./harness/browser.mjs";
import { basic, exchange, me, pkce, refresh } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

const CALLBACK = "http://127.0.0.1:49152/callback";
let server;
let chromium;

before(async () => {
  server = await startServer();
  chromium = await startChromium();
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

/** Somebody in a browser of their own. */
async function somebody(email) {
  const context = await chromium.context({ viewport: { width: 1280, height: 900 } });
  // Nobody listens there: what the app would be sent is in the address.
  await context.route(`${CALLBACK}**`, (route) => route.fulfill({ body: "back at the app" }));
  const page = await context.newPage();
  await page.goto(`${server.issuer}/login`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill("demo-password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/account/apps");
  return page;
}

const press = (page, name) => page.getByRole("button", { name, exact: false }).first().click();
const follow = (page, name) => page.getByRole("link", { name, exact: false }).first().click();
const has = async (page, text) => assert.ok((await page.locator("main").innerText()).includes(text), `${text} is not in: ${await page.locator("main").innerText()}`);

/** Connects the app as an owner and returns what the app gets. */
async function connect(page, app, scope) {
  const { verifier, challenge } = pkce();
  const query = new URLSearchParams({
    response_type: "code",
    client_id: app.id,
    redirect_uri: CALLBACK,
    scope,
    state: "s",
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  await page.goto(`${server.issuer}/oauth/authorize?${query}`);
  const choice = page.getByLabel("Demo Salon");
  if (await choice.count()) await choice.check();
  await press(page, "Allow");
  await page.waitForURL(`${CALLBACK}**`);
  const code = new URL(page.url()).searchParams.get("code");
  const answer = await exchange(server, { ...app, redirectUri: CALLBACK }, { code, verifier });
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  return answer.json;
}

async function addSecret(page, id) {
  await page.goto(`${server.issuer}/developers/apps/${id}`);
  await press(page, "Add a secret");
  await page.getByRole("heading", { name: "The new secret" }).waitFor();
  const secret = await page.locator("dd code").nth(1).innerText();
  assert.match(secret, /^[\w-]{43}$/);
  await page.goto(`${server.issuer}/developers/apps/${id}`);
  assert.ok(!(await page.content()).includes(secret), "a secret is shown once");
  return secret;
}

test("an app lives from registration to deletion", async () => {
  const developer = await somebody("owner@demo.example");
  const owner = await somebody("owner@demo.example");
  const staff = await somebody("admin@demo.example");
  let id;

  await developer.goto(`${server.issuer}/developers`);
  await follow(developer, "Register an app");
  await developer.getByLabel("Second Salon").check();
  await developer.getByLabel("On a server").check();
  await developer.getByLabel("Name", { exact: true }).fill("Night Ledger");
  await developer.getByLabel("Description").fill("Writes your bookings into your books every night.");
  await developer.getByLabel("Website").fill("https://ledger.example/");
  await developer.getByLabel("Redirect URIs").fill(`https://ledger.example/cb\n${CALLBACK}`);
  await developer.getByLabel("Install address").fill("https://ledger.example/install");
  await developer.getByRole("checkbox", { name: /bookings:read/ }).check();
  await developer.getByLabel(/Why it is needed: See your bookings/).fill("to write them down");
  await press(developer, "Register");
  await has(developer, "The app is registered.");
  id = new URL(developer.url()).pathname.split("/").pop();

  // Pending: nobody can connect it.
  await owner.goto(`${server.issuer}/oauth/authorize?response_type=code&client_id=${id}&redirect_uri=${encodeURIComponent(CALLBACK)}&scope=bookings:read&code_challenge=${pkce().challenge}&code_challenge_method=S256`);
  await has(owner, "This app is not approved yet");
  await owner.goto(`${server.issuer}/marketplace`);
  assert.ok(!(await owner.content()).includes("Night Ledger"));

  // Approved by staff, in the queue with its age.
  await staff.goto(`${server.issuer}/admin`);
  await has(staff, "Night Ledger");
  await follow(staff, "Night Ledger");
  await press(staff, "Approve");
  await has(staff, "It is decided");

  // The secret is shown once; an owner connects.
  const first = { id, secret: await addSecret(developer, id) };
  const tokens = await connect(owner, first, "bookings:read");
  assert.equal((await me(server, tokens.access_token)).status, 200);
  await owner.goto(`${server.issuer}/account/apps`);
  await has(owner, "Night Ledger");
  await owner.goto(`${server.issuer}/marketplace`);
  const card = owner.locator("li", { hasText: "Night Ledger" });
  assert.match(await card.innerText(), /Connected/);
  assert.equal(await card.getByRole("link", { name: /Open/ }).getAttribute("href"), "https://ledger.example/install");

  // The secret is rotated without downtime: both work, then the old one alone does not.
  const second = { id, secret: await addSecret(developer, id) };
  let answer = await refresh(server, first, tokens.refresh_token);
  assert.equal(answer.status, 200, "the old secret works beside the new one");
  answer = await refresh(server, second, answer.json.refresh_token);
  assert.equal(answer.status, 200, "the new secret works");
  await developer.goto(`${server.issuer}/developers/apps/${id}`);
  await follow(developer, `Revoke the secret that ends in ${first.secret.slice(-4)}`);
  await press(developer, "Revoke");
  await has(developer, "The secret is revoked");
  const old = await refresh(server, first, answer.json.refresh_token);
  assert.equal(old.status, 401, "the old secret has ended");
  answer = await refresh(server, second, answer.json.refresh_token);
  assert.equal(answer.status, 200, "nothing was consumed by the refusal");

  // A further scope goes to review; the approved version keeps working.
  await developer.goto(`${server.issuer}/developers/apps/${id}/edit`);
  await developer.getByRole("checkbox", { name: /bookings:write/ }).check();
  await developer.getByLabel(/Why it is needed: Create and change/).fill("to move them");
  await press(developer, "Save");
  await has(developer, "waits for review");
  assert.equal((await me(server, answer.json.access_token)).status, 200);
  await staff.goto(`${server.issuer}/admin/apps/${id}`);
  await has(staff, "Changed: scopes.");
  await press(staff, "Approve");
  await has(staff, "It is decided");
  const wider = await connect(owner, second, "bookings:read bookings:write");
  assert.equal(wider.scope, "bookings:read bookings:write");

  // Suspended: the API refuses; restored: the same tokens work.
  await staff.goto(`${server.issuer}/admin/apps/${id}`);
  await follow(staff, "Suspend");
  await staff.getByLabel("Reason").fill("It copied more than it said.");
  await press(staff, "Suspend it");
  await has(staff, "It is decided");
  assert.equal((await me(server, wider.access_token)).status, 401);
  await developer.goto(`${server.issuer}/developers/apps/${id}`);
  await has(developer, "It copied more than it said.");
  await staff.goto(`${server.issuer}/admin/apps/${id}`);
  await follow(staff, "Restore");
  await press(staff, "Restore it");
  await has(staff, "It is decided");
  assert.equal((await me(server, wider.access_token)).status, 200);

  // Disconnected: dead at once.
  await owner.goto(`${server.issuer}/account/apps`);
  await owner.getByRole("link", { name: /Disconnect Night Ledger/ }).click();
  await press(owner, "Disconnect");
  await has(owner, "The app is disconnected");
  assert.equal((await me(server, wider.access_token)).status, 401);

  // Deleted: gone for ever, after its name was typed.
  await developer.goto(`${server.issuer}/developers/apps/${id}/delete`);
  await has(developer, "No account is connected to it.");
  await press(developer, "Delete for ever");
  await has(developer, "type the name");
  await developer.getByLabel("Name of the app").fill("Night Ledger");
  await press(developer, "Delete for ever");
  await has(developer, "The app is deleted");
  assert.equal((await developer.goto(`${server.issuer}/developers/apps/${id}`)).status(), 404);
  const gone = await server.fetch("/oauth/token", {
    method: "POST",
    body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: wider.refresh_token }),
    headers: { authorization: basic(id, second.secret) },
  });
  assert.equal(gone.status, 401);
});
