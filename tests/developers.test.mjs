// /developers/new: registration, and everything that is told about what is wrong with one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorizePath, Browser, pkce } from "./harness/client.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { elements } from "./harness/html.mjs";
import {
  approved,
  developer as signedInDeveloper,
  errorsOf,
  fillIn,
  formTo,
  registered,
  registration,
  reviewer,
  SECOND_SALON,
  sendForm,
  uniqueName,
} from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

let server, developer, staff;
before(async () => {
  server = await startServer();
  developer = await signedInDeveloper(server);
  staff = await reviewer(server);
});
after(() => server?.stop());

const count = async () => (await server.sql("SELECT count(*) AS n FROM apps"))[0].n;
const register = (changes, browser = developer) => sendForm(browser, "/developers/new", registration(changes));

/** Refused with these fields named, and nothing was created. */
async function refused(changes, ...fields) {
  const rows = await count();
  const answer = await register(changes);
  assert.equal(answer.status, 400, `${JSON.stringify(changes)}: ${answer.status} ${answer.location ?? answer.text}`);
  safePage(answer);
  assert.deepEqual(Object.keys(errorsOf(answer)), fields, JSON.stringify(changes));
  assert.equal(await count(), rows, "nothing was created");
  return answer;
}

test("everything that is wrong is told at once, each beside its field, and what was right stays filled in", async () => {
  const answer = await refused(
    {
      account: "",
      client_type: "",
      name: "x",
      description: "short",
      website: "http://app.example/",
      install_url: "ftp://app.example/",
      redirect_uris: "http://app.example/cb",
      scopes: [],
      contact: "nobody",
    },
    ...["account", "client_type", "name", "description", "website", "install_url", "redirect_uris", "scopes", "contact"],
  );
  assert.match(answer.text, /Nothing was saved/);
  assert.deepEqual(formTo(answer, "/developers/new").values("description"), ["short"]);
  const half = await refused({ name: "x", redirect_uris: "https://app.example/a\nhttps://app.example/b" }, "name");
  const form = formTo(half, "/developers/new");
  assert.deepEqual(form.values("redirect_uris"), ["https://app.example/a\nhttps://app.example/b"]);
  assert.deepEqual(form.values("reason:bookings:read"), ["to write them down"]);
  const chosen = form.controls.filter((control) => control.checked).map((control) => control.value);
  assert.deepEqual(chosen, [SECOND_SALON, "confidential", "bookings:read"]);
});

test("CL-02 AZ-09 AZ-10 AZ-11 AZ-13 AZ-45: a redirect URI that could lead somewhere else is refused with what to change", async () => {
  const most = Array.from({ length: 11 }, (_, n) => `https://app.example/${n}`).join("\n");
  for (const [uris, told] of [
    ["", /at least one/],
    ["https://app.example", /path/],
    ["//app.example/cb", /complete URI/],
    ["app.example/cb", /complete URI/],
    ["/cb", /complete URI/],
    ["https://*.app.example/cb", /wildcard/],
    ["https://app.example/cb#f", /fragment/],
    ["https://app.example/cb#", /fragment/],
    ["http://app.example/cb", /https/],
    ["http://127.0.0.1.evil.example/cb", /https/],
    ["http://localhost.evil.example/cb", /https/],
    ["javascript:alert(1)", /https/],
    ["data:text/html,<script>", /ASCII/],
    ["data:text/html;base64,x", /ASCII/],
    ["data:text/html", /https/],
    ["myapp:/cb", /private-use scheme with a dot/],
    ["com.example.app:/cb", /private-use scheme belongs to a public client/],
    ["https://user:pass@app.example/cb", /user name/],
    ["https://app.example/cb?code=1", /query/],
    [most, /at most 10/],
    ["https://app.example/cb\nhttps://app.example/cb", /once/],
    ["https://app.example/good\nhttp://app.example/bad", /app\.example\/bad/],
    [`https://app.example/${"x".repeat(2000)}`, /2000/],
  ]) {
    assert.match(errorsOf(await refused({ redirect_uris: uris }, "redirect_uris")).redirect_uris, told, uris);
  }
  const local = "http://127.0.0.1/cb\nhttp://[::1]/cb\nhttp://localhost:3000/cb\ncom.example.app:/cb";
  await registered(developer, { client_type: "public", redirect_uris: local });
});

test("scopes come with a reason, are known, and are named once", async () => {
  for (const changes of [
    { "reason:bookings:read": "" },
    { "reason:bookings:read": "  x  " },
    { "reason:bookings:read": "to \u202ewrite them" },
    { "reason:bookings:read": "x".repeat(201) },
    { scopes: ["bookings:read", "bookings:read"] },
    { scopes: ["all"], "reason:all": "we need everything" },
    { scopes: ["bookings:read", "customers:read"] },
  ]) {
    await refused(changes, "scopes");
  }
});

test("a name that looks like another app's, or like the platform's, is refused", async () => {
  for (const name of ["Night Ledger", "CAPE OX", "Kappa Tax"]) await registered(developer, { name });
  for (const name of [
    ...[
      "Night Ledger",
      "NIGHT LEDGER",
      "nightledger",
      "  Night   Ledger ",
      "Night-Ledger!",
      "N1ght L3dger",
      "Nlght Ledger",
      "Night Ledger\u00a0",
    ],
    ...["Níght Lédgêr", "Ｎight Ledger", "САРЕ ОХ", "καρρα ταχ"],
    ...["Edgegrant", "EDGE GRANT Official", "3dgegrant", "The Ｅdgegrant App"],
    ...["\u{1d40d}ight Ledger", "Ⓝight Ledger", "ɴight Ledger"],
    ...["Nіght Ledger", "Night Lеdger", "Nιght Ledger"],
    ...[
      "Night\u200b Ledger",
      "Night\u2060Ledger",
      "\u202eregdeL thgiN",
      "Night \u2066Ledger",
      "Night\u0000Ledger",
      "Night\u0007Ledger",
      "Night\tLedger",
    ],
    ...["x", "x".repeat(51), "!!!", ""],
  ]) {
    await refused({ name }, "name");
  }
  await registered(developer, { name: "Night Ledger for Barbers" });
});

test("control and direction characters are refused wherever people read the text", async () => {
  for (const bad of [
    "Writes your \u202ebookings",
    "Writes your\u0000 bookings",
    "Writes your \u200fbookings",
    "Writes \u{e0041}bookings",
  ]) {
    await refused({ description: bad }, "description");
  }
  for (const contact of ["dev@app.example, x@evil.example", "Dev <dev@app.example>", "dev@app.example\nbcc: x@evil.example", "a@b", ""]) {
    await refused({ contact }, "contact");
  }
  for (const website of [
    "",
    "javascript:alert(1)",
    "https://localhost/",
    "http://app.example/",
    "https://u:p@app.example/",
    "https://app.example/ü",
  ]) {
    await refused({ website }, "website");
  }
  for (const address of ["javascript:alert(1)", "http://app.example/", "data:text/html,x"])
    await refused({ install_url: address }, "install_url");
});

test("HTML in every field is text on every page that shows it", async () => {
  const html = '"><img src=x onerror=alert(1)><script>alert(1)</script>';
  const [app] = await approved(developer, {
    name: `<img src=x onerror=alert(1)>${uniqueName("")}`.slice(0, 50),
    description: html,
    website: `https://app.example/"><script>alert(1)</script>`,
    install_url: `https://app.example/?'"><script>alert(1)</script>`,
    redirect_uris: "https://app.example/callback?x=%22%3E%3Cscript%3E",
    "reason:bookings:read": html,
  });
  assert.equal((await fillIn(developer, `${app.page}/rate`, { wish: `${html} many calls` })).status, 303);
  assert.equal((await fillIn(staff, `${app.admin}/reject`, { reason: html })).status, 303);
  assert.equal((await sendForm(staff, `${app.admin}/approve`, { version: await version(app) })).status, 303);
  const consent = authorizePath(app, { code_challenge: pkce().challenge, scope: "bookings:read" });
  const login = `/login?${new URLSearchParams({ return_to: consent })}`;
  const pages = ["", "/edit", "/logo", "/rate", "/delete", "/failures", "/try"].map((path) => [developer, app.page + path]);
  pages.push([developer, "/developers"], [developer, "/marketplace"], [developer, consent], [new Browser(server), login]);
  pages.push(...["", "/suspend", "/limits"].map((path) => [staff, app.admin + path]), [staff, "/admin"], [staff, "/admin/apps"]);
  for (const [browser, path] of pages) {
    const page = await browser.page(path);
    assert.equal(page.status, 200, path);
    safePage(page);
    const images = [...elements(page.tree, "img")].filter(
      (image) => !image.attrs.some(({ name, value }) => name === "src" && value.startsWith("/logo/")),
    );
    assert.deepEqual(images, [], path);
  }
});

const version = async (app) => formTo(await staff.page(app.admin), `${app.admin}/approve`).values("version")[0];

test("two registrations of one name in parallel give one app", async () => {
  for (const names of [
    ["Twin", "Twin"],
    ["Twim", "TWIM"],
  ]) {
    const ending = uniqueName("");
    const answers = await Promise.all([0, 1, 0, 1].map((at) => register({ name: names[at] + ending })));
    const rows = await server.sql("SELECT name FROM apps WHERE name LIKE ? AND status <> 'deleted'", `%${ending}`);
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [303, 400, 400, 400], "one was registered");
    assert.equal(rows.length, 1);
    const [wrong] = answers.filter((answer) => answer.status === 400);
    assert.match(errorsOf(wrong).name, /looks like/);
  }
});

test("an account has no more apps than the policy lets it, whatever runs in parallel; without creator roles there is only staff", async () => {
  const limited = await startServer({ vars: { POLICY: JSON.stringify({ apps: { per_account_max: 3 } }) } });
  const closed = await startServer({ vars: { POLICY: JSON.stringify({ apps: { creator_roles: [] } }) } });
  try {
    const browser = await signedInDeveloper(limited);
    const answers = await Promise.all(Array.from({ length: 6 }, () => sendForm(browser, "/developers/new", registration())));
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [303, 303, 303, 409, 409, 409]);
    assert.match(answers.find((answer) => answer.status === 409).text, /3 apps, as many as it may have/);
    const owner = await signedInDeveloper(closed);
    assert.equal((await owner.page("/developers")).status, 403);
    errorPage(await sendForm(owner, "/developers/new", registration()), 403);
    errorPage(await owner.page("/developers/apps/demo-spa"), 404);
    const own = await registered(await reviewer(closed), { account: null });
    assert.match((await (await reviewer(closed)).page(own.admin)).text, /Maker Edgegrant/);
  } finally {
    await limited.stop();
    await closed.stop();
  }
});
