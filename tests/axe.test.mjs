// Every page of the portal in a real Chromium: no violation that axe knows, nothing wider than the window down to 320
// pixels, headings in order, labels, titles, and Tab to every control. SCREENSHOTS=folder keeps a picture of each.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { startChromium } from "./harness/browser.mjs";
import { DEMO_SALON } from "./harness/made.mjs";
import { configured, hostileProvider } from "./harness/providers.mjs";
import { startServer } from "./harness/server.mjs";
import { check } from "./pages/checks.mjs";
import { ADMIN, asking, CALLBACK, furnish, newcomers, NEWCOMER, NOBODY, OWNER, pageOf, STAFF } from "./pages/people.mjs";

let server, chromium, provider, apps;
before(async () => {
  provider = await hostileProvider();
  server = await startServer({
    vars: { OIDC_PROVIDERS: JSON.stringify([configured("acme", provider)]), SETUP_TOKEN: randomBytes(32).toString("base64url") },
  });
  [chromium] = await Promise.all([startChromium(), newcomers(server)]);
  apps = await furnish(server);
});
after(async () => {
  await chromium?.close();
  await server?.stop();
  await provider?.close();
});

/** Presses what leads to another page, and waits for it. */
const leave = (page, control) => Promise.all([page.waitForEvent("load"), control.first().click()]);
const press = (page, name) => leave(page, page.getByRole("button", { name }));
const follow = (page, name) => leave(page, page.getByRole("link", { name }));
const go = (path) => (page) => page.goto(typeof path === "function" ? path() : path);
/** Opens a page, does something on it. */
const then = (path, act) => async (page) => {
  await go(path)(page);
  await act(page);
};
const pressing = (path, name) => then(path, (page) => press(page, name));
const app = (kind, what = "") => `/developers/apps/${apps[kind]}${what}`;
const staffs = (kind, what = "") => `/admin/apps/${apps[kind]}${what}`;
const disconnect = `/account/apps/disconnect?install=${DEMO_SALON}.2`;

async function secretShown(page) {
  await go(() => app("pending"))(page);
  await press(page, "Add a secret");
}

const registered = async (page) => {
  await go("/developers/new")(page);
  await page.getByLabel("Name", { exact: true }).fill("x");
  await page.getByLabel("Website").fill("ftp://nothing");
  await page.getByLabel("Redirect URIs").fill("http://elsewhere.example/cb");
  await page.getByRole("checkbox", { name: /bookings:read/ }).check();
  await page.getByLabel("Contact", { exact: true }).fill("nobody");
  await press(page, "Register");
};

/** A developer goes through the whole trial; the page after each step is checked. */
async function trial(page, checked) {
  await go(() => app("approved"))(page);
  await follow(page, /^Revoke/);
  await press(page, "Revoke");
  await press(page, "Add a secret");
  const secret = await page.locator("dd code").nth(1).innerText();
  await go(() => app("approved", "/try"))(page);
  await page.getByLabel("http://127.0.0.1").check();
  await press(page, "Build the request");
  const address = await page.getByRole("link", { name: "Open the authorization page" }).getAttribute("href");
  const other = await page.context().newPage();
  await other.goto(address);
  await other.getByLabel("Demo Salon").check();
  await press(other, "Allow");
  await other.waitForURL(`${CALLBACK}**`);
  await page.getByLabel("The address you came back to").fill(other.url());
  await other.close();
  await page.getByLabel("Client secret").fill(secret);
  await press(page, "Exchange the code");
  for (const next of ["Call the API", "Refresh", "Revoke", "Call the API"]) {
    await checked();
    await press(page, next);
  }
  await checked();
}

/** By who looks: name of the page, how to get there, and what is on it. */
const PAGES = {
  stranger: [
    ["login", go("/login"), /Sign in/],
    ["login-wrong", then("/login", async (page) => {
      await page.getByLabel("E-mail").fill(OWNER);
      await page.getByLabel("Password").fill("wrong");
      await press(page, "Sign in");
    }), /is not right/],
    ["login-for-app", go(() => asking("demo-server", "bookings:read")), /asks for access/],
    ["marketplace-stranger", go("/marketplace"), /Chair Planner/],
    ["not-found", go("/nothing-here"), /not here|no such|nothing/i],
    ["link-broken", go(() => asking("demo-server", "bookings:read", { redirect_uri: "https://elsewhere.example/" })), /This link does not work/],
    ["callback-without-flow", go("/login/acme/callback"), /./],
  ],
  owner: [
    ["consent", go(() => asking("demo-server", "account:read bookings:read customers:read")), /asks for access/],
    ["consent-pending", go(() => asking(apps.pending, "bookings:read")), /not approved yet/],
    ["connected-apps", go("/account/apps"), /Ledger Link/],
    ["disconnect", go(disconnect), /Disconnect this app/],
    ["profile", go("/account/profile"), /Your profile/],
    ["profile-name", go("/account/profile/name"), /Your name/],
    ["profile-name-wrong", then("/account/profile/name", async (page) => {
      await page.getByLabel("Your name").fill("");
      await press(page, "Change name");
    }), /Nothing was saved/],
    ["profile-password", go("/account/profile/password"), /Current password/],
    ["profile-password-wrong", pressing("/account/profile/password", "Change password"), /Nothing was saved/],
    ["profile-delete", go("/account/profile/delete"), /Delete your profile/],
    ["account-history", go("/account/activity"), /History/],
    ["keys-new", go("/account/keys/new"), /New API key/],
    ["keys-new-wrong", pressing("/account/keys/new", "Make the key"), /Choose one/],
    ["key-shown", then("/account/keys/new", async (page) => {
      await page.getByLabel("Demo Salon").check();
      await page.getByLabel("Name", { exact: true }).fill("Nightly export");
      await page.getByLabel("See your bookings").check();
      await press(page, "Make the key");
    }), /Copy the key now/],
    ["keys", go("/account/keys"), /Nightly export/],
    ["key-revoke", then("/account/keys", (page) => follow(page, /^Revoke/)), /Revoke/],
  ],
  developer: [
    ["developers", go("/developers"), /Night Ledger/],
    ["register", go("/developers/new"), /Register an app/],
    ["register-empty", pressing("/developers/new", "Register"), /Nothing was saved/],
    ["register-wrong", registered, /Nothing was saved/],
    ["app-pending", go(() => app("pending")), /waits for review/],
    ["app-approved", go(() => app("approved")), /Approved/],
    ["app-rejected", go(() => app("rejected")), /The website does not answer/],
    ["app-suspended", go(() => app("suspended")), /It copied more/],
    ["app-changed", go(() => app("changed")), /Waits for review/],
    ["app-registered", go(() => app("pending", "?done=registered")), /The app is registered/],
    ["secret-shown", secretShown, /Copy it now/],
    ["secret-revoke", then(() => app("approved"), (page) => follow(page, /^Revoke/)), /Revoke this secret/],
    ["app-delete", go(() => app("approved", "/delete")), /Delete this app/],
    ["app-delete-wrong", pressing(() => app("approved", "/delete"), "Delete for ever"), /type the name/],
    ["app-edit", go(() => app("changed", "/edit")), /wait for review/],
    ["app-edit-wrong", then(() => app("pending", "/edit"), async (page) => {
      await page.getByLabel("Name", { exact: true }).fill("");
      await page.getByLabel("Redirect URIs").fill("https://*.example/");
      await press(page, "Save");
    }), /Nothing was saved/],
    ["app-logo", go(() => app("pending", "/logo")), /Upload a file/],
    ["app-logo-wrong", pressing(() => app("pending", "/logo"), "Use this logo"), /choose a file/],
    ["app-rate", go(() => app("pending", "/rate")), /Ask for another limit/],
    ["app-rate-wrong", then(() => app("approved", "/rate"), async (page) => {
      await page.getByLabel("What does the app need").fill("more");
      await press(page, "Ask");
    }), /10 to 500/],
    ["try", go(() => app("approved", "/try")), /Try the flow/],
    ["try-request", pressing(() => app("approved", "/try"), "Build the request"), /Authorization request/],
    ["try-wrong", then(() => app("approved", "/try"), async (page) => {
      await press(page, "Build the request");
      await press(page, "Exchange the code");
    }), /not the redirect URI/],
    ["app-failures", go(() => app("approved", "/failures")), /Failed requests/],
    ["app-history", go(() => app("approved", "/activity")), /History/],
    ["form-refused", then("/developers/new", async (page) => {
      await page.locator("form[action='/developers/new'] input[name=csrf]").evaluate((input) => (input.value = "forged"));
      await press(page, "Register");
    }), /./],
    ["marketplace", go("/marketplace"), /Chair Planner/],
  ],
  staff: [
    ["admin-tokens", go("/admin/tokens"), /Management tokens/],
    ["admin-token-new", go("/admin/tokens/new"), /Make a management token/],
    ["admin-token-wrong", pressing("/admin/tokens/new", "Make it"), /Nothing was saved/],
    ["admin-token-shown", then("/admin/tokens/new", async (page) => {
      await page.getByLabel("Name", { exact: true }).fill("Nightly report");
      await page.getByLabel("audit:read").check();
      await press(page, "Make it");
    }), /Copy it now/],
    ["resource-servers", go("/admin/resource-servers"), /Demo API/],
    ["resource-server", go("/admin/resource-servers/demo-resource"), /Add a secret/],
    ["resource-server-new", go("/admin/resource-servers/new"), /Register a resource server/],
    ["resource-server-wrong", pressing("/admin/resource-servers/new", "Register it"), /choose at least one scope/],
    ["resource-server-shown", then("/admin/resource-servers/new", async (page) => {
      await page.getByLabel("Name", { exact: true }).fill("Bookings API");
      await page.getByLabel("Identifier").fill("https://bookings.example");
      await page.getByLabel("bookings:read").check();
      await press(page, "Register it");
    }), /Copy it now/],
    ["resource-server-revoke", go("/admin/resource-servers/demo-resource/revoke?hint=cret"), /Revoke this secret/],
    ["resource-server-delete", go("/admin/resource-servers/demo-resource/delete"), /cannot be undone/],
    ["admin-queue", go("/admin"), /Night Ledger/],
    ["admin-metrics", go("/admin/metrics"), /Metrics/],
    ["admin-apps", go("/admin/apps"), /Chair Planner/],
    ["admin-decided", go("/admin?done=decided"), /It is decided/],
    ["admin-app", go(() => staffs("pending")), /Approve/],
    ["admin-changed", go(() => staffs("changed")), /Changed/],
    ["admin-suspended", go(() => staffs("suspended")), /Restore/],
    ["admin-reject", go(() => staffs("pending", "/reject")), /Reject/],
    ["admin-reject-wrong", pressing(() => staffs("pending", "/reject"), "Reject it"), /say why/],
    ["admin-suspend", go(() => staffs("approved", "/suspend")), /Suspend/],
    ["admin-restore", go(() => staffs("suspended", "/restore")), /Restore/],
    ["admin-limits", go(() => staffs("pending", "/limits")), /asks for/],
    ["admin-limits-wrong", then(() => staffs("pending", "/limits"), async (page) => {
      await page.getByLabel("Calls").fill("many");
      await press(page, "Set it");
    }), /whole number/],
    ["admin-history", go("/admin/activity"), /History/],
    ["admin-conflict", then(() => staffs("pending"), async (page) => {
      await page.locator("form[action$='/approve'] input[name=version]").evaluate((input) => (input.value = "0"));
      await press(page, "Approve");
    }), /look at it again/],
  ],
  newcomer: [
    ["empty-connected-apps", go("/account/apps"), /No app is connected/],
    ["empty-keys", go("/account/keys"), /There is no API key/],
    ["empty-history", go("/account/activity"), /Nothing has happened yet/],
    ["empty-developers", go("/developers"), /No app yet/],
    ["register-one-account", go("/developers/new"), /Register an app/],
    ["empty-profile", go("/account/profile"), /New Shop/],
  ],
  nobody: [
    ["nobody-connected-apps", go("/account/apps"), /No app is connected/],
    ["nobody-developers", go("/developers"), /Your role in no account/],
    ["nobody-keys", go("/account/keys"), /Only/],
    ["nobody-profile", go("/account/profile"), /Your profile/],
    ["nobody-consent", go(() => asking("demo-server", "bookings:read")), /./],
    ["nobody-profile-delete", go("/account/profile/delete"), /Delete your profile/],
  ],
  member: [
    ["member-connected-apps", go("/account/apps"), /can disconnect it/],
    ["member-consent", go(() => asking("demo-server", "bookings:read")), /./],
  ],
};
const PEOPLE = { stranger: undefined, owner: OWNER, developer: OWNER, staff: ADMIN, newcomer: NEWCOMER, nobody: NOBODY, member: STAFF };

describe("pages", { concurrency: 3 }, () => {
  for (const [who, pages] of Object.entries(PAGES).sort(([, a], [, b]) => b.length - a.length)) {
    test(`pages of ${who}: axe, widths, headings, labels, titles and the way of Tab`, async () => {
      const page = await pageOf(chromium, server, PEOPLE[who]);
      const wrong = [];
      for (const [name, reach, shows] of pages) {
        try {
          await reach(page);
          await page.waitForLoadState();
          const text = await page.locator("main").innerText();
          if (!shows.test(text)) wrong.push(`${name}: no ${shows} in ${text.slice(0, 300)}`);
          wrong.push(...(await check(page, name)));
        } catch (error) {
          wrong.push(`${name}: ${error.message.slice(0, 400)}`);
        }
      }
      await page.context().close();
      assert.equal(wrong.join("\n"), "");
    });
  }
});

test("each step of a trial of the flow, up to a token that is refused", async () => {
  const page = await pageOf(chromium, server, OWNER);
  const titles = [];
  const wrong = [];
  await trial(page, async () => {
    wrong.push(...(await check(page, `trial-${titles.length}`)));
    titles.push(await page.locator("h1").innerText());
  });
  assert.equal(wrong.join("\n"), "");
  assert.deepEqual(titles, ["It worked", "It worked", "It worked", "It worked", "It was refused"]);
});

test("the lists of staff and the marketplace without any app; the page that makes the first administrator", async () => {
  await server.sql("UPDATE apps SET status = 'deleted', submitted_at = NULL");
  const page = await pageOf(chromium, server, ADMIN);
  const wrong = [];
  for (const [name, path, shows] of [
    ["empty-queue", "/admin", /Nothing waits/],
    ["empty-admin-apps", "/admin/apps", /There is no app/],
    ["empty-marketplace", "/marketplace", /No app is in the marketplace yet/],
  ]) {
    await page.goto(path);
    assert.match(await page.locator("main").innerText(), shows);
    wrong.push(...(await check(page, name)));
  }
  await server.sql("UPDATE users SET platform_admin = 0");
  await page.goto("/admin/setup");
  wrong.push(...(await check(page, "setup")));
  await page.goto("/admin/setup");
  await page.getByLabel("Set-up token").fill("wrong");
  await press(page, "Become the administrator");
  wrong.push(...(await check(page, "setup-wrong")));
  assert.deepEqual(wrong, []);
});
