// /account/profile: name, password, sessions, a copy of one's data, and the deletion of a person.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { authorize, Browser, connect, disconnectAll, me, OWNER, PASSWORD, serverApp, signedIn, spa, STAFF } from "./harness/client.mjs";
import { dump } from "./harness/dump.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const ADMIN = "admin@demo.example";
const NEW = "four plain words here";
const STAFF_ID = "b0000000000000000000000000000002";
const SECOND = "a0000000000000000000000000000002";
const PLACE = "203.0.113.50";

let server;
before(async () => (server = await startServer({ counting: true })));
after(() => server?.stop());
afterEach(() => server.clock(0));

const isSignedIn = async (browser) => (await browser.page("/account/profile")).status === 200;
const formOf = (page, action) => page.forms.find((form) => form.action === action);
const cookieHeader = (browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");

/** Opens a form of the profile and sends it. */
async function send(browser, path, fill, headers) {
  const page = await browser.page(path);
  assert.equal(page.status, 200, page.text);
  safePage(page);
  return browser.submit(formOf(page, path), fill, {}, headers);
}
const changePassword = (browser, current, next, repeat = next) =>
  send(browser, "/account/profile/password", { current, new: next, repeat });
const deleteProfile = (browser, proof) => send(browser, "/account/profile/delete", { proof });

test("the profile shows name, address, accounts with roles and sessions; without a session it leads to sign-in", async () => {
  const owner = await signedIn(server);
  await signedIn(server);
  const page = await owner.page("/account/profile");
  safePage(page);
  for (const text of [/Olivia Owner/, /owner@demo\.example/, /Demo Salon/, /Second Salon/, /Your role owner/, /This browser/, /Another browser/])
    assert.match(page.text, text);
  const answer = await new Browser(server).page("/account/profile");
  assert.equal(`${answer.status} ${answer.location}`, "303 /login?return_to=%2Faccount%2Fprofile");
  errorPage(await owner.page("/account/profile/nothing"), 404);
  errorPage(await owner.page("/account/profile/sessions"), 405);
});

test("no form of the profile is taken without its token, from elsewhere, or with the token of another session", async () => {
  const staff = await signedIn(server, STAFF);
  const other = await signedIn(server, OWNER);
  const fills = {
    "/account/profile/name": { name: "Mallory" },
    "/account/profile/password": { current: PASSWORD, new: NEW, repeat: NEW },
    "/account/profile/delete": { proof: PASSWORD },
    "/account/profile/sessions": {},
  };
  await server.sql("DELETE FROM audit");
  for (const [path, fill] of Object.entries(fills)) {
    const token = formOf(await other.page("/account/profile"), "/logout").values("csrf")[0];
    for (const [csrf, origin] of [
      ["", server.issuer],
      [token, server.issuer],
      [formOf(await staff.page("/account/profile"), "/logout").values("csrf")[0], "https://attacker.example"],
    ]) {
      const body = new URLSearchParams({ csrf, ...fill, user: "b0000000000000000000000000000001" });
      errorPage(await staff.page(path, { method: "POST", body, headers: { origin } }), 403);
    }
    const out = await new Browser(server).page(path, { method: "POST", body: new URLSearchParams({ csrf: token, ...fill }) });
    assert.equal(out.status, 303);
  }
  assert.deepEqual(await server.sql("SELECT action FROM audit WHERE action <> 'staff signed in'"), []);
  assert.equal((await new Browser(server).signIn(STAFF)).status, 303, "the password is the old one");
});

test("a name is changed, with what is wrong beside the field", async () => {
  const staff = await signedIn(server, STAFF);
  for (const name of ["", "   ", "x".repeat(101), "nul \0 in it", "bidi \u202e in it"]) {
    const answer = await send(staff, "/account/profile/name", { name });
    assert.equal(answer.status, 400, JSON.stringify(name));
    assert.match(answer.html, /aria-invalid="true"/);
  }
  const answer = await send(staff, "/account/profile/name", { name: " Samira \n <Staff> " });
  assert.equal(`${answer.status} ${answer.location}`, "303 /account/profile?done=name");
  const page = await staff.page(answer.location);
  assert.match(page.text, /Your name is changed\..*Samira <Staff>/);
  await send(staff, "/account/profile/name", { name: "Sam Staff" });
});

test("a new password has to be long, unknown and typed twice; the page says what is wrong and repeats no password", async () => {
  const staff = await signedIn(server, STAFF);
  for (const [next, repeat, why] of [
    ["short", "short", /at least 12/],
    ["x y".repeat(67), "x y".repeat(67), /at most 200/],
    [STAFF.toUpperCase(), STAFF.toUpperCase(), /your e-mail address/],
    ["passwordpassword", "passwordpassword", /tried first/],
    [PASSWORD, PASSWORD, /that you have now/],
    [NEW, `${NEW}!`, /not the same/],
  ]) {
    const answer = await changePassword(staff, PASSWORD, next, repeat);
    assert.equal(answer.status, 400, next);
    safePage(answer);
    assert.match(answer.text, why);
    assert.ok(!answer.html.includes(`value="${next}"`));
  }
  const page = await staff.page("/account/profile/password");
  assert.equal((page.html.match(/autocomplete="new-password"/g) ?? []).length, 2);
  assert.match(page.html, /autocomplete="current-password"/);
});

test("A30: a password change ends every other session, gives this browser a new one, and the old password is worth nothing", async () => {
  const [here, there] = [await signedIn(server, STAFF), await signedIn(server, STAFF)];
  const copy = cookieHeader(here);
  await server.sql("DELETE FROM audit");
  const answer = await changePassword(here, PASSWORD, NEW);
  assert.equal(`${answer.status} ${answer.location}`, "303 /account/profile?done=password");
  assert.match((await here.page(answer.location)).text, /signed out everywhere else/);
  assert.equal(await isSignedIn(there), false, "the other browser");
  assert.equal((await server.fetch("/account/profile", { headers: { cookie: copy } })).status, 303, "a copy of the old cookie");
  assert.equal((await server.sql("SELECT id FROM sessions WHERE user_id = ?1", STAFF_ID)).length, 1);
  assert.equal((await new Browser(server).signIn(STAFF)).status, 401, "the old password");
  assert.equal((await new Browser(server).signIn(STAFF, NEW)).status, 303, "the new one");
  assert.deepEqual(await server.sql("SELECT actor, action FROM audit"), [{ actor: STAFF_ID, action: "password changed" }]);
  await server.count();
  const letters = await (await server.fetch(`/__dev/mail.json?to=${STAFF}`)).json();
  assert.ok(letters.some(({ subject }) => /password/i.test(subject)), "the person is told");
  assert.equal((await changePassword(here, NEW, PASSWORD)).status, 303);
});

test("two password changes at once: one is done, and the other changes nothing", async () => {
  const staff = await signedIn(server, STAFF);
  const page = await staff.page("/account/profile/password");
  const answers = await Promise.all(
    ["one two three four", "five six seven eight"].map((next) =>
      staff.submit(formOf(page, "/account/profile/password"), { current: PASSWORD, new: next, repeat: next }),
    ),
  );
  assert.equal(answers.filter((answer) => answer.status === 303 && answer.location.startsWith("/account/profile?")).length, 1);
  const works = [];
  for (const next of ["one two three four", "five six seven eight", PASSWORD]) {
    if ((await new Browser(server).signIn(STAFF, next)).status === 303) works.push(next);
  }
  assert.equal(works.length, 1, works.join());
  assert.equal((await server.sql("SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.id = ?1 AND u.epoch <> s.epoch", STAFF_ID)).length, 0);
  const again = new Browser(server);
  await again.signIn(STAFF, works[0]);
  assert.equal((await changePassword(again, works[0], PASSWORD)).status, 303);
});

test("a person without a password, from an identity provider, sees no password form and may not send one", async () => {
  const admin = await signedIn(server, ADMIN);
  const token = formOf(await admin.page("/account/profile"), "/logout").values("csrf")[0];
  const [{ password_hash: hash }] = await server.sql("SELECT password_hash FROM users WHERE platform_admin = 1");
  await server.sql("UPDATE users SET password_hash = '' WHERE platform_admin = 1");
  const page = await admin.page("/account/profile");
  assert.doesNotMatch(page.html, /profile\/password|profile\/name/);
  for (const path of ["/account/profile/password", "/account/profile/name"]) {
    errorPage(await admin.page(path), 404);
    const body = new URLSearchParams({ csrf: token, current: "", new: NEW, repeat: NEW, name: "x" });
    errorPage(await admin.page(path, { method: "POST", body, headers: { origin: server.issuer } }), 404);
  }
  assert.equal((await new Browser(server).signIn(ADMIN, "")).status, 401);
  await server.sql("UPDATE users SET password_hash = ?1 WHERE platform_admin = 1", hash);
});

test("signing out everywhere else leaves this browser alone", async () => {
  const [here, there] = [await signedIn(server, STAFF), await signedIn(server, STAFF)];
  const bystander = await signedIn(server, OWNER);
  const page = await here.page("/account/profile");
  const answer = await here.submit(formOf(page, "/account/profile/sessions"));
  assert.equal(answer.location, "/account/profile?done=sessions");
  const after = await here.page(answer.location);
  assert.equal(after.status, 200);
  assert.doesNotMatch(after.text, /Another browser|Sign out everywhere else/);
  assert.equal(await isSignedIn(there), false);
  assert.ok(await isSignedIn(bystander));
});

test("UI-07: guessing the current password is limited, keeps nobody from signing in, and is recorded once", async () => {
  const staff = await signedIn(server, STAFF);
  await server.sql("DELETE FROM audit");
  const page = await staff.page("/account/profile/password");
  let [answer, tries] = [undefined, 0];
  for (; tries < 60; tries++) {
    const fill = { current: `guess number ${tries}`, new: NEW, repeat: NEW };
    answer = await staff.submit(formOf(page, "/account/profile/password"), fill);
    if (answer.status === 429) break;
    assert.equal(answer.status, 401);
    assert.match(answer.text, /it is not your password/);
  }
  assert.equal(answer.status, 429, `${tries} guesses`);
  assert.equal(tries, 20);
  const wait = Number(answer.headers.get("retry-after"));
  assert.ok(wait > 0);
  assert.equal((await changePassword(staff, PASSWORD, NEW)).status, 429, "the right one has to wait too");
  assert.equal((await deleteProfile(staff, PASSWORD)).status, 429, "on the other form as well");
  assert.equal((await new Browser(server).signIn(STAFF)).status, 303, "signing in goes on");
  await server.count();
  assert.deepEqual(await server.sql("SELECT actor, action FROM audit"), [{ actor: STAFF_ID, action: "password locked" }]);
  await server.clock(wait * 1000 + 1000);
  assert.equal((await changePassword(staff, PASSWORD, NEW)).status, 303);
  assert.equal((await changePassword(staff, NEW, PASSWORD)).status, 303);
});

test("where the policy says so a password change ends what the person has allowed; what is not finished stays listed", async () => {
  const other = await startServer({ counting: true, vars: { POLICY: JSON.stringify({ login: { password_change_ends: "sessions_and_grants" } }) } });
  try {
    const owner = await signedIn(other);
    const held = await connect(other, owner, serverApp());
    const page = await owner.page("/account/profile/password");
    assert.match(page.text, /apps that you connected are disconnected too/);
    const form = formOf(page, "/account/profile/password");
    await other.faults({ object: "throw", objectOnly: ["GRANT"] });
    const first = await owner.submit(form, { current: PASSWORD, new: NEW, repeat: NEW });
    await other.faults({});
    assert.equal(first.location, "/account/profile?done=password-unfinished");
    assert.match((await owner.page(first.location)).text, /not disconnected yet/);
    assert.match((await owner.page("/account/apps")).text, /Disconnect not finished/);
    assert.equal((await me(other, held.access_token)).status, 200);

    const second = formOf(await owner.page("/account/profile/password"), "/account/profile/password");
    const answer = await owner.submit(second, { current: NEW, new: PASSWORD, repeat: PASSWORD });
    assert.equal(answer.location, "/account/profile?done=password-and-apps");
    assert.equal((await me(other, held.access_token)).status, 401);
    assert.deepEqual(await other.sql("SELECT status, ended_why FROM installs"), [{ status: "ended", ended_why: "disconnected" }]);
    const actions = await other.sql("SELECT action, detail FROM audit WHERE action = 'disconnected'");
    assert.equal(actions.length, 2, "each try is recorded");
    assert.equal(actions[0].detail, "password changed");
  } finally {
    await other.stop();
  }
});

test("by default a password change ends no connection", async () => {
  const owner = await signedIn(server);
  const held = await connect(server, owner, serverApp());
  assert.equal((await changePassword(owner, PASSWORD, NEW)).status, 303);
  assert.equal((await me(server, held.access_token)).status, 200);
  assert.equal((await changePassword(owner, NEW, PASSWORD)).status, 303);
  await disconnectAll(owner);
});

test("a copy of one's data has everything about oneself, as a download, and nothing about others", async () => {
  const owner = await signedIn(server);
  await authorize(owner, spa(server));
  const answer = await owner.fetch("/account/profile/export", { headers: { "cf-connecting-ip": PLACE } });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-disposition"), /^attachment; filename="[\w.-]+\.json"$/);
  assert.match(answer.headers.get("cache-control"), /no-store/);
  const text = await answer.text();
  const copy = JSON.parse(text);
  assert.deepEqual(
    { email: copy.profile.email, name: copy.profile.name, staff: copy.profile.platform_staff, password: copy.profile.has_password },
    { email: OWNER, name: "Olivia Owner", staff: false, password: true },
  );
  assert.deepEqual(copy.memberships.map(({ account, role }) => `${account} ${role}`), ["Demo Salon owner", "Second Salon owner"]);
  assert.ok(copy.sessions.length >= 1);
  assert.match(copy.sessions[0].signed_in_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(copy.sessions.every((session) => Object.keys(session).length === 2), "no session id");
  assert.ok(copy.consents.some(({ app, status }) => app === "Salon Planner" && status === "allowed"));
  assert.deepEqual(copy.apps_registered.map(({ client_id: id }) => id), ["demo-spa", "demo-server"]);
  assert.deepEqual(copy.keys_created, []);
  assert.equal(copy.activity[0].action, "allowed");
  assert.equal(copy.activity_is_complete, true);
  for (const foreign of [STAFF, ADMIN, "argon2", "Sam Staff"]) assert.ok(!text.includes(foreign), foreign);

  const again = await (await owner.fetch("/account/profile/export")).json();
  assert.equal(again.activity[0].action, "person exported");
  assert.equal(again.activity[0].from, PLACE);
  assert.equal((await new Browser(server).page("/account/profile/export")).status, 303);
  await disconnectAll(owner);
});

test("the last administrator and the only member of an account that has something live are not deleted", async () => {
  const admin = await signedIn(server, ADMIN);
  const refused = await admin.page("/account/profile/delete");
  assert.match(refused.text, /Nobody else is platform staff/);
  assert.equal(formOf(refused, "/account/profile/delete"), undefined);

  const owner = await signedIn(server);
  await connect(server, owner, serverApp(), { account: SECOND });
  const page = await owner.page("/account/profile/delete");
  assert.match(page.text, /Ledger Link is connected to Second Salon: disconnect it first/);
  assert.doesNotMatch(page.text, /Demo Salon/, "others are in it");
  const token = formOf(page, "/logout").values("csrf")[0];
  const body = () => new URLSearchParams({ csrf: token, proof: PASSWORD });
  const post = () => owner.page("/account/profile/delete", { method: "POST", body: body(), headers: { origin: server.issuer } });
  const sent = await post();
  errorPage(sent, 409);
  assert.match(sent.text, /Second Salon/);
  assert.ok(await isSignedIn(owner), "nothing was changed");

  await disconnectAll(owner);
  const key = "INSERT INTO api_keys (id, account_id, family, status, label, hint, scope, created_by, created_at, asked_ms, expires_at)";
  await server.sql(`${key} VALUES ('k1', ?1, 1, 'live', 'Night export', 'abcd', 'account:read', 'x', 0, 0, 0)`, SECOND);
  assert.match((await post()).text, /Second Salon has the API key “Night export”: revoke it first/);
  await server.sql("UPDATE api_keys SET expires_at = 1");
  await server.sql("UPDATE apps SET account_id = ?1 WHERE number = 2", SECOND);
  assert.match((await post()).text, /Second Salon has the app Ledger Link: delete it first/);
  await server.sql("UPDATE apps SET account_id = 'a0000000000000000000000000000001' WHERE number = 2");
  assert.equal((await owner.page("/account/profile/delete")).forms.some((form) => form.action === "/account/profile/delete"), true);
  assert.ok(await isSignedIn(owner));
});

test("a wrong password deletes nobody; a person without one types the address", async () => {
  const owner = await signedIn(server);
  const wrong = await deleteProfile(owner, "not the password");
  assert.equal(wrong.status, 401);
  assert.match(wrong.text, /it is not your password/);
  const [{ password_hash: hash }] = await server.sql("SELECT password_hash FROM users WHERE id LIKE 'b%1'");
  await server.sql("UPDATE users SET password_hash = '' WHERE id LIKE 'b%1'");
  assert.equal((await deleteProfile(owner, "someone@demo.example")).status, 400);
  assert.ok(await isSignedIn(owner));
  await server.sql("UPDATE users SET password_hash = ?1 WHERE id LIKE 'b%1'", hash);
});

test("a storage fault while deleting is told, and all or nothing is done", async () => {
  const owner = await signedIn(server);
  const page = await owner.page("/account/profile/delete");
  await server.faults({ d1Batch: "throw" });
  const answer = await owner.submit(formOf(page, "/account/profile/delete"), { proof: PASSWORD });
  await server.faults({});
  assert.equal(answer.status, 503);
  assert.ok(await isSignedIn(owner));
  assert.equal((await new Browser(server).signIn()).status, 303);
});

/** Last: the owner is gone afterwards. */
test("a person who is deleted is gone: no sign-in, no session, nothing that opens; accounts keep what they had", async () => {
  const [owner, other] = [await signedIn(server), await signedIn(server)];
  const place = { "cf-connecting-ip": PLACE };
  const session = formOf(await owner.page("/account/profile/name"), "/account/profile/name");
  await owner.submit(session, { name: "Olivia Unmistakable" }, {}, place);
  const held = await connect(server, owner, serverApp());
  await server.sql(
    "INSERT INTO identities (issuer, subject_lookup, user_id, created_at) VALUES ('https://id.example', 'x', 'b0000000000000000000000000000001', 0)",
  );
  for (const text of ["Olivia", OWNER, PLACE]) {
    const files = dump(server).filter(({ name }) => !name.startsWith("ratelimit/"));
    assert.ok(!files.some(({ bytes }) => bytes.includes(text)), `${text} is sealed before`);
  }
  const audited = async () => (await server.sql("SELECT count(*) AS n FROM audit WHERE actor LIKE 'b%1'"))[0].n;
  const before = await audited();
  const copy = cookieHeader(owner);

  const answer = await deleteProfile(owner, PASSWORD);
  assert.equal(answer.status, 200);
  safePage(answer);
  assert.match(answer.text, /Your profile is deleted/);
  assert.equal(owner.cookies.has("edgegrant_session"), false);

  const known = await new Browser(server).signIn();
  const unknown = await new Browser(server).signIn("nobody@demo.example");
  assert.equal(`${known.status} ${known.text}`.replace(/Development:.*/, ""), `${unknown.status} ${unknown.text}`.replace(/Development:.*/, ""));
  for (const browser of [owner, other]) assert.equal(await isSignedIn(browser), false);
  assert.equal((await server.fetch("/account/apps", { headers: { cookie: copy } })).status, 303);
  for (const [table, column] of [
    ["users", "id"],
    ["members", "user_id"],
    ["sessions", "user_id"],
    ["identities", "user_id"],
    ["apps", "owner_id"],
  ]) {
    assert.deepEqual(await server.sql(`SELECT 1 FROM ${table} WHERE ${column} = 'b0000000000000000000000000000001'`), [], table);
  }
  assert.equal((await server.sql("SELECT 1 FROM audit WHERE actor LIKE 'b%1' AND place_sealed IS NOT NULL")).length, 0);
  assert.equal(await audited(), before + 2, "the deletion itself, for each account");
  const apps = await server.sql("SELECT account_id, owner_id FROM apps ORDER BY number");
  assert.ok(apps.every(({ account_id: account, owner_id: id }) => account === "a0000000000000000000000000000001" && id === null));
  assert.equal((await me(server, held.access_token)).status, 200, "the account's connection goes on");
  const list = await (await signedIn(server, STAFF)).page("/account/apps");
  assert.match(list.text, /Ledger Link.*by a former member/);
  assert.deepEqual(await server.sql("SELECT name FROM accounts ORDER BY id"), [{ name: "Demo Salon" }, { name: "Closed account" }]);
  for (const text of ["Olivia", OWNER, PLACE]) {
    const files = dump(server).filter(({ name }) => !name.startsWith("ratelimit/"));
    assert.ok(!files.some(({ bytes }) => bytes.includes(text)), text);
    assert.ok(!server.log.includes(text), `${text} in the log`);
  }
});
