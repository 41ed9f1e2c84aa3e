// Edits and their review: what holds at once, what waits, what staff sees and decides, and in which order.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  authorize,
  authorizePath,
  Browser,
  connect,
  consentForm,
  exchange,
  manage,
  me,
  pkce,
  refresh,
  signedIn,
  STAFF,
} from "./harness/client.mjs";
import { errorPage, errorRedirect, safePage } from "./harness/expect.mjs";
import {
  approved,
  CALLBACK,
  developer as signedInDeveloper,
  errorsOf,
  fillIn,
  formTo,
  registered,
  reviewer,
  sendForm,
  uniqueName,
} from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

const DAY = 86_400_000;
const OTHER = "https://app.example/other";
let server, developer, staff;
before(async () => {
  server = await startServer();
  developer = await signedInDeveloper(server);
  staff = await reviewer(server);
});
after(() => server?.stop());
/** Back to now, with sessions of now. */
async function today() {
  await server.clock(0);
  [developer, staff] = [await signedInDeveloper(server), await reviewer(server)];
}

const scope = "bookings:read";
const MORE_SCOPES = { scopes: [scope, "bookings:write"], "reason:bookings:write": "to move them" };
const ask = (app, parameters = {}) =>
  developer.page(authorizePath(app, { code_challenge: pkce().challenge, scope, state: "s", ...parameters }));
const edit = (app, changes) => fillIn(developer, `${app.page}/edit`, changes);
const decide = (app, word, fields = {}, browser = staff) => sendForm(browser, `${app.admin}/${word}`, fields);
const version = async (app) => formTo(await staff.page(app.admin), `${app.admin}/approve`).values("version")[0];
const row = async (app) => (await server.sql("SELECT * FROM apps WHERE client_id = ?", app.id))[0];
const queue = async (browser = staff) => {
  const { html } = await browser.page("/admin");
  return [...html.matchAll(/href="\/admin\/apps\/([\w-]+)"/g)].map(([, id]) => id);
};

// A change of an app answers when it holds everywhere, after seconds: these wait together.
describe("edits and decisions", { concurrency: true }, () => {
  let ready;
  before(async () => {
    ready = await approved(developer, ...Array.from({ length: 8 }, (_, n) => (n ? {} : MORE_SCOPES)));
  });
  test("description, contact and fewer scopes hold at once and trouble nobody", async () => {
    const app = ready.shift(); // the one with more scopes
    const held = await connect(server, developer, app, { scope });
    const answer = await edit(app, { description: "Moves your bookings by night.", contact: "new@app.example", scopes: [scope] });
    assert.equal(answer.location, `${app.page}?done=changed`);
    const page = await developer.page(answer.location);
    assert.match(page.text, /The change is saved and holds/);
    assert.match(page.text, /Moves your bookings by night\..*new@app\.example/);
    assert.ok(!(await queue()).includes(app.id));
    assert.match((await ask(app)).text, /Moves your bookings by night/);
    errorRedirect(await ask(app, { scope: "bookings:write" }), app, server.issuer, "invalid_scope");
    assert.equal((await me(server, held.access_token)).status, 200);
  });

  test("name, website, redirect URI and further scopes wait, the approved version goes on, and approving puts them in use", async () => {
    const app = ready.pop();
    const held = await connect(server, developer, app, { scope });
    const name = uniqueName("Renamed");
    const answer = await edit(app, {
      name,
      website: "https://renamed.example/",
      redirect_uris: `${CALLBACK}\n${OTHER}`,
      scopes: [scope, "bookings:write"],
      "reason:bookings:write": "to move them",
      description: "Described anew for everybody.",
    });
    assert.equal(answer.location, `${app.page}?done=submitted`);
    const own = await developer.page(answer.location);
    assert.match(own.text, /waits for review\. The approved version keeps working/);
    assert.match(own.text, new RegExp(`In use Name ${app.name}.*Waits for review Name ${name}`));
    assert.equal(formTo(await developer.page(`${app.page}/edit`), `${app.page}/edit`).values("name")[0], name, "it is edited further");

    const consent = await ask(app);
    consentForm(consent);
    assert.match(consent.text, /Described anew for everybody/, "what only explains holds at once");
    assert.ok(consent.text.includes(app.name) && !consent.text.includes(name) && !consent.text.includes("renamed.example"));
    errorPage(await ask(app, { redirect_uri: OTHER }), 400);
    errorRedirect(await ask(app, { scope: "bookings:write" }), app, server.issuer, "invalid_scope");
    assert.equal((await me(server, held.access_token)).status, 200);

    const seen = await staff.page(app.admin);
    safePage(seen);
    assert.match(seen.text, /Changed: name, website, redirect URIs, scopes\./);
    assert.match(seen.text, new RegExp(`Waits for review.*Name ${name}.*In use Name ${app.name}`));
    assert.ok((await queue()).includes(app.id));
    assert.equal((await decide(app, "approve", { version: await version(app) })).location, "/admin?done=decided");
    assert.ok(!(await queue()).includes(app.id));
    const after = await ask(app, { redirect_uri: OTHER, scope: "bookings:read bookings:write" });
    consentForm(after);
    assert.ok(after.text.includes(name) && after.text.includes("renamed.example"));
    assert.equal((await me(server, held.access_token)).status, 200);
  });

  test("a change that is rejected is dropped with its reason, and what was approved goes on", async () => {
    const app = ready.pop();
    const name = uniqueName("Wanted");
    await edit(app, { name, redirect_uris: `${CALLBACK}\n${OTHER}` });
    for (const reason of ["", "   "]) {
      const answer = await fillIn(staff, `${app.admin}/reject`, { reason });
      errorPage(answer, 400);
      assert.match(errorsOf(answer).reason, /say why/);
    }
    errorPage(await fillIn(staff, `${app.admin}/reject`, { reason: "x".repeat(501) }), 400);
    errorPage(await fillIn(staff, `${app.admin}/reject`, { reason: "turned \u202earound" }), 400);
    assert.ok((await queue()).includes(app.id));
    assert.equal((await fillIn(staff, `${app.admin}/reject`, { reason: "That name belongs to others." })).status, 303);
    const page = await developer.page(app.page);
    assert.match(page.text, /The last change was not approved\. Reason: That name belongs to others\./);
    assert.ok(!page.text.includes(name) && !page.text.includes("Waits for review"));
    assert.ok(!(await queue()).includes(app.id));
    errorPage(await ask(app, { redirect_uri: OTHER }), 400);
    consentForm(await ask(app));
  });

  test("a rejected app cannot be connected, says why, and goes to review again when it is mended", async () => {
    const app = await registered(developer);
    await fillIn(staff, `${app.admin}/reject`, { reason: "Say what it does." });
    assert.ok(!(await queue()).includes(app.id));
    const page = await developer.page(app.page);
    assert.match(page.text, /not approved\. Reason: Say what it does\. Mend it and save it/);
    const refused = await ask(app);
    errorPage(refused, 403);
    assert.match(refused.text, /This app was not approved/);
    assert.doesNotMatch(refused.text, /Say what it does/, "the reason is for the developer");
    await edit(app, { description: "Writes each booking into your ledger." });
    assert.ok((await queue()).includes(app.id));
    const again = await developer.page(app.page);
    assert.match(again.text, /waits for review/);
    assert.doesNotMatch(again.text, /Say what it does/);
    assert.equal((await decide(app, "approve", { version: await version(app) })).status, 303);
    consentForm(await ask(app));
  });

  test("a decision about a version that its developer has changed meanwhile is refused and changes nothing", async () => {
    const pending = await registered(developer);
    const inUse = ready.pop();
    await edit(inUse, { redirect_uris: `${CALLBACK}\n${OTHER}` });
    const seen = await Promise.all([pending, inUse].map(version));
    await Promise.all([
      edit(pending, { website: "https://else.example/" }),
      edit(inUse, { redirect_uris: `${CALLBACK}\n${OTHER}\nhttps://else.example/cb` }),
    ]);
    for (const [at, app] of [pending, inUse].entries()) {
      const before = await row(app);
      for (const word of ["approve", "reject"]) {
        for (const looked of [seen[at], "", "0".repeat(16)]) {
          const answer = await decide(app, word, { version: looked, reason: "because" });
          errorPage(answer, 409);
          assert.match(answer.text, /has changed the app since you looked at it/);
        }
      }
      assert.deepEqual(await row(app), before);
      assert.ok((await queue()).includes(app.id));
    }
    errorPage(await ask(pending), 403);
    errorPage(await ask(inUse, { redirect_uri: OTHER }), 400);
  });

  test("a name that was taken meanwhile is not approved a second time", async () => {
    const app = ready.pop();
    const name = uniqueName("Taken");
    assert.equal((await edit(app, { name })).location, `${app.page}?done=submitted`);
    await registered(developer, { name: name.toUpperCase() });
    const answer = await decide(app, "approve", { version: await version(app) });
    errorPage(answer, 409);
    assert.match(answer.text, /looks like/);
    assert.equal((await row(app)).name, app.name);
  });

  test("edits are checked like registrations, and a wrong one changes nothing", async () => {
    const app = await registered(developer);
    const before = await row(app);
    const answer = await edit(app, { name: "x", redirect_uris: "http://app.example/cb", contact: "nobody" });
    errorPage(answer, 400);
    assert.deepEqual(Object.keys(errorsOf(answer)), ["name", "redirect_uris", "contact"]);
    const other = await registered(developer);
    assert.match(errorsOf(await edit(app, { name: other.name.toUpperCase() })).name, /looks like/);
    assert.deepEqual(await row(app), before);
  });

  test("staff sets the limit of one app: it holds, wrong numbers are told, and a policy may forbid it", async () => {
    const [app, other] = [ready.pop(), ready.pop()];
    const held = await connect(server, developer, app, { scope });
    const theirs = await connect(server, developer, other, { scope });
    await sendForm(developer, `${app.page}/rate`, { wish: "A thousand calls a minute, for the nightly run." });
    assert.match((await staff.page(`${app.admin}/limits`)).text, /developer asks for: A thousand calls a minute/);
    assert.match((await staff.page("/admin/apps")).text, /Asks for A thousand calls a minute/);
    for (const [limit, window_s] of [
      ["0", "60"],
      ["5", "0"],
      ["-1", "60"],
      ["5", "x"],
      ["5", ""],
      ["", "60"],
      ["1.5", "60"],
      ["5", "90000"],
      ["99999999999", "60"],
    ]) {
      const answer = await fillIn(staff, `${app.admin}/limits`, { limit, window_s });
      errorPage(answer, 400);
      assert.match(answer.text, /Error|api\.rate|number/, `${limit} in ${window_s}`);
    }
    assert.equal((await fillIn(staff, `${app.admin}/limits`, { limit: "5", window_s: "60" })).location, app.admin);
    assert.match((await staff.page(app.admin)).text, /5 calls in 60 seconds/);
    assert.match((await developer.page(app.page)).text, /5 calls in 60 seconds/);
    assert.doesNotMatch((await staff.page(app.admin)).text, /Asks for/);
    const calls = [];
    for (let n = 0; n < 6; n += 1) calls.push(await me(server, held.access_token));
    assert.deepEqual(
      calls.map((answer) => answer.status),
      [200, 200, 200, 200, 200, 429],
    );
    assert.equal(calls[0].headers.get("ratelimit-limit"), "5");
    for (let n = 0; n < 6; n += 1) assert.equal((await me(server, theirs.access_token)).status, 200, "for this app alone");
  });

  test("without review everything holds at once; a policy that forbids limits of one app says so", async () => {
    const POLICY = JSON.stringify({ apps: { review: "none", overridable: [] } });
    const open = await startServer({ vars: { POLICY } });
    try {
      const [owner, reader] = [await signedInDeveloper(open), await reviewer(open)];
      const app = await registered(owner, { client_type: "public" });
      assert.match((await owner.page(app.page)).text, /Approved/);
      const path = (client) => authorizePath(client, { code_challenge: pkce().challenge, scope });
      consentForm(await owner.page(path(app)));
      const name = uniqueName("Renamed");
      const answer = await fillIn(owner, `${app.page}/edit`, { name, redirect_uris: OTHER });
      assert.equal(answer.location, `${app.page}?done=changed`);
      const consent = await owner.page(path({ ...app, redirectUri: OTHER }));
      consentForm(consent);
      assert.ok(consent.text.includes(name));
      errorPage(await owner.page(path(app)), 400);
      const limits = await fillIn(reader, `${app.admin}/limits`, { limit: "5", window_s: "60" });
      errorPage(limits, 409);
      assert.match(limits.text, /policy does not let it be set for a single app/);
      assert.match((await reader.page("/admin")).text, /Nothing waits/);
      assert.equal((await connect(open, owner, { ...app, redirectUri: OTHER }, { scope })).scope, scope);
    } finally {
      await open.stop();
    }
  });
});

test("nothing that nobody has looked at comes into use while a decision and an edit run at once", async () => {
  const EVIL = "https://evil.example/cb";
  const apps = await Promise.all([0, 1, 2, 3].map(() => registered(developer)));
  const [first, , third] = apps;
  const looked = await Promise.all(apps.map(version));
  const forms = await Promise.all(apps.map(async (app) => formTo(await developer.page(`${app.page}/edit`), `${app.page}/edit`)));
  const change = (at, fill) => developer.submit(forms[at], fill);
  const approve = (at) => decide(apps[at], "approve", { version: looked[at] });
  // The object has answered the one, its listing says so only seconds later: the other comes in between.
  const soon = (run) => new Promise((done) => setTimeout(done, 700)).then(run);
  const answers = await Promise.all([
    ...[approve(0), soon(() => change(0, { redirect_uris: EVIL, website: "https://evil.example/" }))],
    ...[change(1, { redirect_uris: EVIL, website: "https://evil.example/" }), soon(() => approve(1))],
    ...[approve(2), soon(() => change(2, { website: "https://evil.example/" }))],
    ...[change(3, { website: "https://evil.example/" }), approve(3)],
  ]);
  const became = answers.map(({ status, location }) => location?.split("done=")[1] ?? status);
  assert.deepEqual(became.slice(0, 6), ["decided", "submitted", "changed", 409, "decided", "submitted"]);
  assert.ok(["changed,409", "submitted,decided", "409,decided"].includes(became.slice(6).join()), `${became}`);
  for (const app of [first, third]) {
    assert.ok((await queue()).includes(app.id), "what was changed afterwards waits");
    consentForm(await ask(app));
  }
  for (const app of apps) {
    const { status, details, website } = await row(app);
    // Never the consent page: the redirect URI is not known, or the app is still in review.
    assert.ok([400, 403].includes((await ask(app, { redirect_uri: EVIL })).status), status);
    if (status === "approved") assert.ok(!`${details}${website}`.includes("evil.example"), `${website} ${details}`);
  }
});

test("the queue has the longest waiting first; editing keeps the place; two business days are counted without weekends", async (t) => {
  t.after(today);
  const now = Date.now();
  const friday = now + ((5 - new Date(now).getUTCDay() + 7) % 7) * DAY + 7 * DAY;
  const at = async (days) => {
    await server.clock(friday + days * DAY - now);
    return [await reviewer(server), await signedInDeveloper(server)];
  };
  await server.sql("UPDATE apps SET submitted_at = NULL");
  const late = async (days) => {
    const [reader] = await at(days);
    const page = await reader.page("/admin");
    return page.text.split("Older than 2 business days").length - 1;
  };
  const [, onFriday] = await at(0);
  const first = await registered(onFriday);
  const [, onSaturday] = await at(1);
  const second = await registered(onSaturday);
  assert.deepEqual([await late(2), await late(3)], [0, 0], "the weekend does not count");
  assert.equal(await late(4), 0, "two business days: Monday and Tuesday");
  assert.equal(await late(5), 2, "Wednesday");
  const [reader, onWednesday] = await at(5);
  assert.deepEqual(await queue(reader), [first.id, second.id]);
  assert.match((await reader.page("/admin")).text, /Waits for 5 days/);
  const edited = await fillIn(onWednesday, `${first.page}/edit`, { website: "https://else.example/" });
  assert.equal(edited.location, `${first.page}?done=changed`);
  assert.deepEqual(await queue(await reviewer(server)), [first.id, second.id], "its place is kept");
  const third = await registered(onWednesday);
  assert.deepEqual(await queue(await reviewer(server)), [first.id, second.id, third.id]);
});

test("staff's pages are not there for anybody else", async () => {
  const app = await registered(developer);
  const before = await row(app);
  const nobody = new Browser(server);
  const member = await signedIn(server, STAFF);
  for (const path of [
    "/admin",
    "/admin/apps",
    app.admin,
    ...["reject", "suspend", "restore", "limits"].map((word) => `${app.admin}/${word}`),
  ]) {
    assert.match((await nobody.page(path)).location, /^\/login/);
    for (const browser of [developer, member]) {
      const answer = await browser.page(path);
      errorPage(answer, 404);
      assert.doesNotMatch(answer.text, new RegExp(app.name));
    }
  }
  const looked = await version(app);
  for (const word of ["approve", "reject", "suspend", "restore", "limits"]) {
    for (const browser of [developer, member]) {
      errorPage(await decide(app, word, { version: looked, reason: "because", limit: "5", window_s: "60" }, browser), 404);
    }
  }
  assert.deepEqual(await row(app), before);
  errorPage(await staff.page("/admin/apps/nothing"), 404);
});

test("all apps are found by a part of their name or their client id", async () => {
  const app = await registered(developer, { name: `Ferry ${uniqueName("Timetable")}` });
  for (const name of [app.name.slice(3, 20).toUpperCase(), app.id]) {
    const page = await staff.page(`/admin/apps?${new URLSearchParams({ name })}`);
    assert.equal(page.text.split("Client id").length - 1, 1, name);
    assert.ok(page.text.includes(app.name));
  }
  for (const name of ["no such app", "%", "' OR 1=1 --", "_"]) {
    const page = await staff.page(`/admin/apps?${new URLSearchParams({ name })}`);
    safePage(page);
    assert.match(page.text, /There is no app/, name);
  }
  const all = await staff.page("/admin/apps");
  assert.ok(
    all.forms.some((form) => form.method === "get" && form.controls.some((control) => control.name === "name")),
    "a field to search",
  );
});

test("staff makes the first management token on a page: shown once, held to its scopes, dead when it was revoked", async () => {
  const staff = await reviewer(server);
  const wrong = await sendForm(staff, "/admin/tokens/new", { label: "", scopes: ["everything"], account: "", expires_at: "7" });
  assert.equal(wrong.status, 400);
  assert.deepEqual(Object.keys(errorsOf(wrong)).sort(), ["expires_at", "label", "scopes"]);
  const made = await sendForm(staff, "/admin/tokens/new", { label: "Reader", scopes: ["apps:read"], account: "", expires_at: "30" });
  assert.equal(made.status, 200);
  const token = made.html.match(/eg_mgmt_[\w-]+/)[0];
  const list = await staff.page("/admin/tokens");
  assert.match(list.text, /Reader/);
  assert.ok(!list.html.includes(token));
  const call = (method, path) => server.fetch(path, { method, headers: { authorization: `Bearer ${token}` } });
  assert.equal((await call("GET", "/manage/v1/apps")).status, 200);
  assert.equal((await call("GET", "/manage/v1/tokens")).status, 403);
  const owner = await signedInDeveloper(server);
  for (const path of ["/admin/tokens", "/admin/tokens/new"]) assert.equal((await owner.page(path)).status, 404);
  assert.equal((await sendForm(owner, "/admin/tokens/new", { label: "Mine", scopes: ["*"], expires_at: "0" })).status, 404);
  const id = list.html.match(/name="id" value="([0-9a-f]{32})"/)[1];
  assert.equal((await sendForm(staff, "/admin/tokens/revoke", { id })).status, 303);
  assert.equal((await call("GET", "/manage/v1/apps")).status, 401);
});
