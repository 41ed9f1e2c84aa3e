// /developers/apps/…: whose they are, forms from elsewhere, credentials, deletion.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  authorize,
  authorizePath,
  basic,
  Browser,
  connect,
  exchange,
  me,
  pkce,
  post,
  refresh,
  signedIn,
  STAFF,
} from "./harness/client.mjs";
import { dump, occurrences } from "./harness/dump.mjs";
import { errorPage, oauthError, safePage } from "./harness/expect.mjs";
import {
  addSecret,
  approved,
  csrf,
  DEMO_SALON,
  developer as signedInDeveloper,
  encoded,
  errorsOf,
  fillIn,
  join,
  registered,
  registration,
  reviewer,
  SECOND_SALON,
  sendForm,
} from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

const THIRD = "a0000000000000000000000000000003";
let server, developer, staff, other;
before(async () => {
  server = await startServer();
  developer = await signedInDeveloper(server);
  staff = await reviewer(server);
  other = await signedIn(server, STAFF);
});
after(() => server?.stop());

const count = async () => (await server.sql("SELECT count(*) AS n FROM apps"))[0].n;
const register = (changes, browser = developer) => sendForm(browser, "/developers/new", registration(changes));

test("somebody whose role may not is told so, and their forms do nothing", async () => {
  const rows = await count();
  const page = await other.page("/developers");
  assert.equal(page.status, 403);
  safePage(page);
  assert.match(page.text, /role in no account lets you register apps/);
  assert.doesNotMatch(page.html, /href="\/developers/);
  assert.equal((await other.page("/developers/new")).location, "/developers");
  for (const account of [DEMO_SALON, ""]) {
    const answer = await register({ account }, other);
    errorPage(answer, 403);
    assert.match(answer.text, /role in this account does not allow/);
  }
  errorPage(await register({ account: SECOND_SALON }, other), 404);
  assert.equal(await count(), rows);
  const anybody = new Browser(server);
  for (const path of ["/developers", "/developers/new", "/developers/apps/demo-spa"]) {
    assert.match((await anybody.page(path)).location, /^\/login\?return_to=%2Fdevelopers/);
  }
});

const BELOW = ["", "/edit", "/logo", "/rate", "/delete", "/failures", "/try", "/secrets/revoke?hint=abcd"];
const FORMS = ["/edit", "/logo", "/rate", "/delete", "/try", "/secrets", "/secrets/revoke"];

test("another account's app is not there: no page of it, no form", async () => {
  const app = await registered(developer);
  await join(server, THIRD, "owner");
  const stranger = await signedIn(server, STAFF);
  assert.equal((await stranger.page("/developers")).status, 200, "a developer, but of another account");
  const own = await registered(stranger, { account: THIRD });
  const [before] = await server.sql("SELECT * FROM apps WHERE client_id = ?", app.id);
  const audit = (await server.sql("SELECT count(*) AS n FROM audit"))[0].n;
  for (const path of BELOW) {
    errorPage(await stranger.page(app.page + path), 404);
    errorPage(await stranger.page(`/developers/apps/nothing${path}`), 404);
  }
  const token = await csrf(stranger);
  for (const path of FORMS) {
    const fields = { ...registration({ account: THIRD }), confirm: app.name, hint: "abcd", wish: "a thousand calls a minute", csrf: token };
    const body = path === "/logo" ? new FormData() : encoded(fields);
    if (path === "/logo") body.append("csrf", token);
    errorPage(await stranger.page(app.page + path, { method: "POST", body, headers: { origin: server.issuer } }), 404);
  }
  assert.deepEqual((await server.sql("SELECT * FROM apps WHERE client_id = ?", app.id))[0], before);
  assert.equal((await server.sql("SELECT count(*) AS n FROM audit"))[0].n, audit);
  assert.doesNotMatch((await stranger.page("/developers")).text, new RegExp(app.name));
  errorPage(await developer.page(own.page), 404);
  await server.sql("DELETE FROM members WHERE account_id = ?", THIRD);
  errorPage(await stranger.page(own.page), 404); // the role went, and the app with it
});

test("a form without the session's token, with another's, or from a foreign page does nothing", async () => {
  const app = await registered(developer);
  const paths = ["/developers/new", ...FORMS.map((path) => app.page + path)];
  const decisions = ["approve", "reject", "suspend", "restore", "limits"].map((word) => `${app.admin}/${word}`);
  const audit = (await server.sql("SELECT count(*) AS n FROM audit"))[0].n;
  for (const [browser, path] of [...paths.map((path) => [developer, path]), ...decisions.map((path) => [staff, path])]) {
    const right = await csrf(browser);
    const foreign = await csrf(browser === developer ? staff : developer);
    const own = { origin: server.issuer };
    for (const [token, headers] of [
      [null, own],
      ["", own],
      [foreign, own],
      [`${right}x`, own],
      [right, { origin: "https://evil.example" }],
      [right, { origin: "null" }],
      [right, { "sec-fetch-site": "cross-site" }],
      [right, { "sec-fetch-site": "same-site" }],
    ]) {
      const fields = { ...registration(), confirm: app.name, reason: "because", wish: "a thousand calls a minute", csrf: token };
      let body = encoded(fields);
      if (path.endsWith("/logo")) {
        body = new FormData();
        if (token !== null) body.append("csrf", token);
      }
      const answer = await browser.page(path, { method: "POST", body, headers });
      errorPage(answer, 403);
      assert.match(answer.text, /Start again|form|page/i);
    }
    const signedOut = await new Browser(server).page(path, { method: "POST", body: encoded({ csrf: right }), headers: own });
    if (!path.endsWith("/logo")) assert.match(signedOut.location ?? "", /^\/login/, path);
  }
  assert.equal((await server.sql("SELECT count(*) AS n FROM audit"))[0].n, audit, "nothing happened");
});

test("bodies that are too large are 413, methods that are not served 405 with Allow", async () => {
  const app = await registered(developer);
  const large = { csrf: await csrf(developer), description: "x".repeat(70_000) };
  for (const path of ["/developers/new", ...FORMS.filter((path) => path !== "/logo").map((path) => app.page + path)]) {
    errorPage(await developer.page(path, { method: "POST", body: encoded(large), headers: { origin: server.issuer } }), 413);
    const json = { method: "POST", body: "{}", headers: { origin: server.issuer, "content-type": "application/json" } };
    errorPage(await developer.page(path, json), 415);
  }
  const both = "GET, HEAD, POST";
  const allowed = {
    "/developers": "GET, HEAD",
    "/developers/new": both,
    "/admin": "GET, HEAD",
    "/admin/apps": "GET, HEAD",
    "/marketplace": "GET, HEAD",
  };
  for (const path of ["", "/failures"]) allowed[app.page + path] = "GET, HEAD";
  for (const path of ["/edit", "/logo", "/rate", "/delete", "/try", "/secrets/revoke"]) allowed[app.page + path] = both;
  allowed[`${app.page}/secrets`] = "POST";
  allowed[app.admin] = "GET, HEAD";
  allowed[`${app.admin}/approve`] = "POST";
  for (const word of ["reject", "suspend", "restore", "limits"]) allowed[`${app.admin}/${word}`] = both;
  for (const [path, allow] of Object.entries(allowed)) {
    const wrong = ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", ...(allow === "POST" ? ["GET"] : allow === both ? [] : ["POST"])];
    for (const method of wrong) {
      const answer = await staff.page(path, { method, headers: { origin: server.issuer } });
      errorPage(answer, 405);
      assert.equal(answer.headers.get("allow"), allow, `${method} ${path}`);
    }
  }
  for (const path of ["/developers/", "/developers/apps", "/developersx", `${app.page}/nothing`, "/admin/apps/x/nothing"]) {
    assert.equal((await staff.page(path)).status, 404, path);
  }
});

test("CL-01: a public client gets no secret and may send none; a confidential one proves itself", async () => {
  const [browserApp, serverApp] = await approved(developer, { client_type: "public" }, {});
  const page = await developer.page(browserApp.page);
  assert.match(page.text, /public client has no secret/);
  assert.ok(!page.forms.some((form) => form.action.endsWith("/secrets")));
  const answer = await sendForm(developer, `${browserApp.page}/secrets`);
  errorPage(answer, 409);
  assert.match(answer.text, /public client has no secret/);
  const scope = "bookings:read";
  const held = await connect(server, developer, browserApp, { scope });
  oauthError(await refresh(server, { ...browserApp, secret: serverApp.secret }, held.refresh_token), 401, "invalid_client");
  assert.equal((await refresh(server, browserApp, held.refresh_token)).status, 200);

  const redirect = await authorize(developer, serverApp, { scope });
  for (const secret of [undefined, "", "wrong", serverApp.secret.slice(0, -1)]) {
    oauthError(await exchange(server, { ...serverApp, secret }, redirect), 401, "invalid_client");
  }
  assert.equal((await exchange(server, serverApp, redirect)).status, 200);
});

test("a secret is shown once; two work side by side, a third is refused, the last one stays, a revoked one is dead at once", async () => {
  const [app] = await approved(developer);
  const first = app.secret;
  const second = await addSecret(developer, app);
  const full = await sendForm(developer, `${app.page}/secrets`);
  errorPage(full, 409);
  assert.match(full.text, /as many secrets as it may have/);
  const page = await developer.page(app.page);
  for (const secret of [first, second]) {
    assert.ok(page.text.includes(`…${secret.slice(-4)}`), "the hint stays");
    assert.ok(!page.html.includes(secret));
    assert.ok(!(await staff.page(app.admin)).html.includes(secret));
    assert.deepEqual(occurrences(dump(server), secret), [], "nowhere is it stored");
    assert.ok(!server.log.includes(secret));
  }
  const works = async (secret) => {
    const fields = { grant_type: "refresh_token", refresh_token: "x" };
    const answer = await post(server, "/oauth/token", fields, { authorization: basic(app.id, secret) });
    return answer.json.error !== "invalid_client";
  };
  assert.deepEqual([await works(first), await works(second)], [true, true]);
  const ask = `${app.page}/secrets/revoke?hint=${first.slice(-4)}`;
  assert.ok(page.html.includes(ask.replaceAll("&", "&amp;")), "the link to take it back");
  assert.equal((await fillIn(developer, ask)).location, `${app.page}?done=revoked`);
  assert.deepEqual([await works(first), await works(second)], [false, true], "dead when the page has answered");
  const last = await fillIn(developer, `${app.page}/secrets/revoke?hint=${second.slice(-4)}`);
  errorPage(last, 409);
  assert.match(last.text, /last secret stays/);
  errorPage(await sendForm(developer, `${app.page}/secrets/revoke`, { hint: "nope" }), 404);
  assert.equal(await works(second), true);
});

test("deletion names what it costs, asks for the name, and everything is dead when it has answered", async () => {
  const [app] = await approved(developer, { name: "Gone  Tomorrow" });
  const scope = "bookings:read";
  const held = await connect(server, developer, app, { scope });
  assert.match((await developer.page(`${app.page}/delete`)).text, /1 account is connected to it and loses it/);
  await connect(server, developer, app, { scope, account: SECOND_SALON });
  const waiting = await authorize(developer, app, { scope });
  const page = await developer.page(`${app.page}/delete`);
  assert.match(page.text, /2 accounts are connected to it and lose it at once/);
  for (const confirm of ["", "gone tomorrow", "Gone Tomorrow!"]) {
    const answer = await fillIn(developer, `${app.page}/delete`, { confirm });
    errorPage(answer, 400);
    assert.match(errorsOf(answer).confirm, /type the name/);
  }
  assert.equal((await me(server, held.access_token)).status, 200);
  const shown = page.text.match(/Type the name to confirm: (Gone Tomorrow)/)[1];
  assert.equal((await fillIn(developer, `${app.page}/delete`, { confirm: shown })).location, "/developers?done=deleted");
  assert.equal((await me(server, held.access_token)).status, 401);
  oauthError(await refresh(server, app, held.refresh_token), 401, "invalid_client");
  oauthError(await exchange(server, app, waiting), 401, "invalid_client");
  errorPage(await developer.page(authorizePath(app, { code_challenge: pkce().challenge, scope })), 400);
  for (const [browser, path] of [
    [developer, app.page],
    [developer, `${app.page}/edit`],
    [staff, app.admin],
  ]) {
    errorPage(await browser.page(path), 404);
  }
  assert.equal((await developer.page("/account/apps")).text.split("Gone Tomorrow by Second Salon Ended").length - 1, 2);
  const [{ number }] = await server.sql("SELECT number FROM apps WHERE client_id = ?", app.id);
  const next = await registered(developer, { name: "Gone Tomorrow" });
  const [{ number: other }] = await server.sql("SELECT number FROM apps WHERE client_id = ?", next.id);
  assert.ok(other > number && next.id !== app.id, "nothing of a deleted app is used again");
  assert.equal((await me(server, held.access_token)).status, 401);
});
