// The consent page and its decision: shown in words, bound to one session and one transaction, used once.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import {
  authorize,
  authorizePath,
  Browser,
  connect,
  consentForm,
  manage,
  me,
  pkce,
  redirectParams,
  serverApp,
  signedIn,
  spa,
  STAFF,
} from "./harness/client.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
before(async () => {
  server = await startServer();
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());
afterEach(() => server.clock(0));

const { challenge } = pkce();
const consent = (browser = owner, parameters = {}, client = app) =>
  browser.page(authorizePath(client, { code_challenge: challenge, state: "s", ...parameters }));
const choice = (form) => ({ account: form.values("account")[0] });

/** No code, whatever the answer is. */
function noCode(answer) {
  assert.notEqual(answer.status, 500);
  if (answer.location) assert.equal(new URL(answer.location, server.issuer).searchParams.get("code"), null, answer.location);
}

test("UI-01: the page names the app, its developer, every scope in words, how long access lasts, and the accounts", async () => {
  const page = await consent();
  assert.equal(page.status, 200);
  safePage(page);
  assert.match(page.text, /Demo Salon/);
  assert.match(page.text, /Second Salon/);
  assert.match(page.text, /180 days|6 months|30 days/);
  for (const raw of ["account:read", "bookings:read", "bookings:write", "customers:read"]) {
    const words = page.text.replaceAll(raw, "");
    assert.match(words, new RegExp(raw.split(":")[0].replace(/s$/, ""), "i"), `${raw} in words`);
  }
  assert.match(page.html, /<img[^>]+alt=/, "the logo has a text");
});

test("UI-03: the page shows only what was asked for", async () => {
  const page = await consent(owner, { scope: "account:read" });
  assert.doesNotMatch(page.text, /customer/i);
});

test("UI-09: the page works without scripts and names its fields", async () => {
  const page = await consent();
  const form = consentForm(page);
  assert.equal(form.method, "post");
  const accounts = form.controls.filter((control) => control.name === "account");
  assert.deepEqual(
    accounts.map((control) => control.type),
    ["radio", "radio"],
  );
  assert.deepEqual(form.values("decision").sort(), ["allow", "deny"]);
  assert.match(page.html, /<html[^>]+lang=/);
});

test("AZ-26: allow and deny answer 303", async () => {
  for (const decision of ["allow", "deny"]) {
    const form = consentForm(await consent());
    assert.equal((await owner.submit(form, choice(form), { decision })).status, 303);
  }
});

test("AZ-27: deny sends access_denied with state and iss, and no code", async () => {
  const { error, state, iss, code } = await authorize(owner, app, { decision: "deny", state: "the state" });
  assert.deepEqual({ error, state, iss, code }, { error: "access_denied", state: "the state", iss: server.issuer, code: undefined });
});

test("AZ-41, A19: a decision works once: allow twice, allow after deny, deny after allow", async () => {
  for (const [first, second] of [
    ["allow", "allow"],
    ["deny", "allow"],
    ["allow", "deny"],
  ]) {
    const form = consentForm(await consent());
    assert.equal((await owner.submit(form, choice(form), { decision: first })).status, 303);
    const again = await owner.submit(form, choice(form), { decision: second });
    errorPage(again, 403);
    assert.match(again.text, /already/i);
  }
});

test("AZ-41, A19: of ten parallel submissions of one decision exactly one makes a code", async () => {
  const form = consentForm(await consent());
  const answers = await Promise.all(Array.from({ length: 10 }, () => owner.submit(form, choice(form), { decision: "allow" })));
  assert.equal(answers.filter((answer) => answer.status === 303).length, 1, answers.map((answer) => answer.status).join(" "));
  for (const answer of answers) assert.ok([303, 403].includes(answer.status));
});

test("AZ-41: a decision needs the session that saw the page", async () => {
  const form = consentForm(await consent());
  const nobody = new Browser(server);
  noCode(await nobody.submit(form, choice(form), { decision: "allow" }));
  const other = await signedIn(server);
  const answer = await other.submit(form, choice(form), { decision: "allow" });
  errorPage(answer, 403);
});

test("AZ-41: a submission from another site is refused and uses nothing up", async () => {
  const form = consentForm(await consent());
  for (const headers of [
    { origin: "https://attacker.example", "sec-fetch-site": "cross-site" },
    { origin: "null", "sec-fetch-site": "cross-site" },
    { origin: app.redirectUri.replace("localhost", "127.0.0.1").replace("/demo/", ""), "sec-fetch-site": "same-site" },
  ]) {
    errorPage(await owner.submit(form, choice(form), { decision: "allow" }, headers), 403);
  }
  assert.equal((await owner.submit(form, choice(form), { decision: "allow" })).status, 303);
});

test("AZ-41: without the sealed field, or with a changed one, nothing is decided", async () => {
  const form = consentForm(await consent());
  const post = (data) => owner.page(form.action, { method: "POST", body: data, headers: { origin: server.issuer } });
  const data = form.data(choice(form), { decision: "allow" });
  const sealed = data.get("consent");
  for (const value of [
    null,
    "",
    "x",
    sealed.slice(0, -1),
    `${sealed}A`,
    sealed.slice(0, 20) + (sealed[20] === "A" ? "B" : "A") + sealed.slice(21),
  ]) {
    const changed = new URLSearchParams(data);
    if (value === null) changed.delete("consent");
    else changed.set("consent", value);
    const answer = await post(changed);
    noCode(answer);
    assert.ok([400, 403].includes(answer.status), `${answer.status}`);
  }
  assert.equal((await post(data)).status, 303);
});

test("a POST of the authorization request itself never decides, even with decision=allow", async () => {
  const query = new URLSearchParams(authorizePath(app, { code_challenge: challenge }).split("?")[1]);
  query.set("decision", "allow");
  const answer = await owner.page("/oauth/authorize", { method: "POST", body: query, headers: { origin: server.issuer } });
  consentForm(answer);
});

test("the decision must be allow or deny", async () => {
  for (const decision of [undefined, "", "yes", "ALLOW"]) {
    const form = consentForm(await consent());
    const data = form.data(choice(form));
    if (decision !== undefined) data.set("decision", decision);
    const answer = await owner.page(form.action, { method: "POST", body: data, headers: { origin: server.issuer } });
    noCode(answer);
    assert.equal(answer.status, 400);
  }
});

test("UI-10: the grant is for the account that was chosen, and only for one the person may consent for", async () => {
  const ids = consentForm(await consent()).values("account");
  assert.equal(new Set(ids).size, 2);
  const names = [];
  for (const account of ids) {
    const { access_token } = await connect(server, owner, app, { account });
    const { json } = await me(server, access_token);
    assert.equal(json.account.id, account);
    names.push(json.account.name);
  }
  assert.deepEqual(names.sort(), ["Demo Salon", "Second Salon"]);

  for (const account of ["", "nope", `${ids[0]}x`, null]) {
    const form = consentForm(await consent());
    const data = form.data({}, { decision: "allow" });
    data.delete("account");
    if (account !== null) data.set("account", account);
    noCode(await owner.page(form.action, { method: "POST", body: data, headers: { origin: server.issuer } }));
  }
});

test("a member of staff may not consent: a page says so, and no form decides", async () => {
  const staff = await signedIn(server, STAFF);
  const answer = await consent(staff);
  noCode(answer);
  safePage(answer);
  assert.equal(
    answer.forms.some((form) => form.values("decision").includes("allow")),
    false,
  );
  // Nor with the owner's form.
  const form = consentForm(await consent());
  errorPage(await staff.submit(form, choice(form), { decision: "allow" }), 403);
});

test("a consent needs the role in the very account it is for, and still when the decision arrives", async () => {
  const [first, second] = consentForm(await consent()).values("account");
  const staffId = "b0000000000000000000000000000002";
  await server.sql("INSERT INTO members (account_id, user_id, role) VALUES (?1, ?2, 'owner')", second, staffId);
  const staff = await signedIn(server, STAFF);
  try {
    const form = consentForm(await consent(staff));
    assert.deepEqual(form.values("account"), [second]);
    const allow = (account) => staff.submit(form, { account }, { decision: "allow" });
    errorPage(await allow(first), 403); // staff there, and of no say
    assert.equal((await allow(second)).status, 303);
    const open = consentForm(await consent(staff));
    await server.sql("UPDATE members SET role = 'staff' WHERE user_id = ?1", staffId);
    errorPage(await staff.submit(open, { account: second }, { decision: "allow" }), 403);
  } finally {
    await server.sql("DELETE FROM members WHERE user_id = ?1 AND account_id = ?2", staffId, second);
  }
});

test("the row of the app is asked in the very batch that decides", async () => {
  const form = consentForm(await consent());
  const set = (status) => server.sql("UPDATE apps SET status = ?1 WHERE number = 1", status);
  await set("suspended");
  const late = await owner.submit(form, choice(form), { decision: "allow" });
  await set("approved");
  errorPage(late, 403);
  assert.equal((await owner.submit(form, choice(form), { decision: "allow" })).status, 303, "nothing was used up");
});

test("a consent page is good for ten minutes", async () => {
  const form = consentForm(await consent());
  await server.clock(9 * 60_000);
  const inTime = consentForm(await consent());
  assert.equal((await owner.submit(inTime, choice(inTime), { decision: "allow" })).status, 303);
  await server.clock(10 * 60_000 + 1000);
  const late = await owner.submit(form, choice(form), { decision: "allow" });
  noCode(late);
  safePage(late);
});

test("a decision after logging out makes no code", async () => {
  const browser = await signedIn(server);
  const form = consentForm(await consent(browser));
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const apps = await browser.page("/account/apps");
  await browser.submit(apps.forms.find((candidate) => candidate.action.endsWith("/logout")));
  const late = await browser.submit(form, choice(form), { decision: "allow" }, { cookie });
  noCode(late);
  assert.notEqual(late.status, 200);
  assert.match(late.html, /href="\/oauth\/authorize\?/, "it can be asked again");
});

test("UI-11: a suspended app gets a page instead of consent, also when the page was open already", async () => {
  const client = serverApp();
  const form = consentForm(await consent(owner, {}, client));
  assert.equal((await manage(server, client.id, "suspend")).status, 200);
  const late = await owner.submit(form, choice(form), { decision: "allow" });
  noCode(late);
  const page = await consent(owner, {}, client);
  safePage(page);
  for (const { status, text } of [late, page]) {
    assert.equal(status, 403);
    assert.match(text, /suspended/);
  }
  assert.equal(
    page.forms.some((candidate) => candidate.values("decision").length > 0),
    false,
  );
  assert.equal((await manage(server, client.id, "restore")).status, 200);
  consentForm(await consent(owner, {}, client));
});

test("an allowed code reaches exactly the redirect URI that was asked for", async () => {
  const client = { ...serverApp(), redirectUri: "http://127.0.0.1:50111/callback" };
  const { location } = await authorize(owner, client, { state: "s" });
  assert.ok(location.startsWith("http://127.0.0.1:50111/callback?"));
  assert.deepEqual(Object.keys(redirectParams(location)).sort(), ["code", "iss", "state"]);
});
