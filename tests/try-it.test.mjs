// "Try it": the flow through the developer's pages, step by step, with what an app must check on the way.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorizePath, consentForm, me, pkce, signedIn } from "./harness/client.mjs";
import { dump, occurrences } from "./harness/dump.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { elements, text } from "./harness/html.mjs";
import { approved, CALLBACK, developer as signedInDeveloper, errorsOf, fillIn, formTo, sendForm } from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

const SCOPES = ["bookings:read", "account:read"];
let server, developer, confidential, browserApp;
before(async () => {
  server = await startServer();
  developer = await signedInDeveloper(server);
  const scopes = { scopes: SCOPES, "reason:account:read": "to name it" };
  const uris = { redirect_uris: `${CALLBACK}\nhttps://app.example/other?x=1` };
  [confidential, browserApp] = await approved(developer, { ...scopes, ...uris }, { ...scopes, client_type: "public" });
});
after(() => server?.stop());

const path = (app) => `${app.page}/try`;
const blocks = (page) => [...elements(page.tree, "pre")].map(text);
const link = (page) =>
  [...elements(page.tree, "a")]
    .map((a) => a.attrs.find(({ name }) => name === "href").value)
    .find((href) => href.includes("response_type=code"));

/** The first page filled in: the request as the app would send it. */
async function begin(app, fill = {}) {
  const page = await fillIn(developer, path(app), { redirect_uri: CALLBACK, scopes: SCOPES, ...fill });
  assert.equal(page.status, 200, page.text);
  safePage(page);
  return page;
}

/** Opens the address of the request as the owner and answers; gives the address that the browser ends up at. */
async function answered(page, decision = "allow") {
  const { pathname, search } = new URL(link(page));
  const form = consentForm(await developer.page(pathname + search));
  const answer = await developer.submit(form, { account: form.values("account")[0] }, { decision });
  assert.equal(answer.status, 303);
  return answer.location;
}

const exchange = (app, page, answer, secret = app.secret) =>
  developer.submit(formTo(page, path(app)), { answer, ...(app.said.client_type === "confidential" && { secret }) });
/** Presses a button of the result's page. */
const press = (app, page, step) =>
  developer.submit(page.forms.find((form) => form.action === path(app) && form.values("step")[0] === step));
const told = (page) => JSON.parse(blocks(page)[1].match(/\{.*\}/)[0]);

test("the whole flow works for a confidential and a public app, each request and answer is shown, and it is real", async () => {
  for (const app of [confidential, browserApp]) {
    const page = await begin(app);
    assert.match(blocks(page)[0], new RegExp(`GET ${server.issuer}/oauth/authorize.*client_id=${app.id}.*code_challenge_method=S256`));
    assert.match(blocks(page)[1], /state: [\w-]{22}.*code_verifier: [\w-]{43}/);
    const state = blocks(page)[1].match(/state: ([\w-]+)/)[1];
    const location = await answered(page);
    assert.equal(new URL(location).searchParams.get("state"), state);
    const result = await exchange(app, page, `  ${location} `);
    safePage(result);
    assert.match(result.text, /It worked/);
    assert.match(blocks(result)[0], /POST \/oauth\/token.*grant_type=authorization_code.*code_verifier=/);
    assert.match(blocks(result)[1], /HTTP 200/);
    const tokens = told(result);
    assert.equal(tokens.scope, SCOPES.toSorted().join(" "));

    const called = await press(app, result, "call");
    assert.match(blocks(called)[0], new RegExp(`GET /api/v1/me.*Bearer ${tokens.access_token}`));
    assert.equal(told(called).app.client_id, app.id);
    const refreshed = await press(app, called, "refresh");
    const next = told(refreshed);
    assert.notEqual(next.refresh_token, tokens.refresh_token);
    assert.equal((await me(server, next.access_token)).status, 200, "a real connection");
    assert.match((await developer.page("/account/apps")).text, new RegExp(app.name));
    const revoked = await press(app, refreshed, "revoke");
    assert.match(blocks(revoked)[0], /POST \/oauth\/revoke/);
    assert.match(blocks(revoked)[1], /HTTP 200/);
    const refused = await press(app, revoked, "call");
    assert.match(refused.text, /It was refused/);
    assert.match(blocks(refused)[1], /HTTP 401.*www-authenticate: Bearer .*invalid_token/);
    assert.equal((await me(server, next.access_token)).status, 401);
    for (const shown of [result, called, refreshed, revoked, refused]) {
      if (app.secret) assert.ok(!shown.html.includes(app.secret), "the secret is in no page");
    }
    if (app.secret) assert.deepEqual(occurrences(dump(server), app.secret), []);
    assert.ok(!server.log.includes(tokens.access_token) && !server.log.includes(state));
  }
});

test("an answer that an app must not take is explained: state, iss, an error, another address, no code", async () => {
  const page = await begin(confidential);
  const location = await answered(page);
  const changed = (name, value) => {
    const url = new URL(location);
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
    return url.href;
  };
  for (const [answer, problem] of [
    [changed("state", "x"), /state is not the one that was sent/],
    [changed("state", null), /state is not the one that was sent/],
    [changed("iss", "https://evil.example"), /iss is not this server/],
    [changed("iss", null), /iss is not this server/],
    [changed("code", null), /no code in it/],
    [location.replace(CALLBACK, "https://app.example/other"), /not the redirect URI/],
    [location.replace("https://", "http://"), /not the redirect URI/],
    [location.replace(CALLBACK, `${CALLBACK}.evil.example/`), /not the redirect URI/],
    ["", /not the redirect URI/],
    [new URL(location).searchParams.get("code"), /not the redirect URI/],
  ]) {
    const wrong = await exchange(confidential, page, answer);
    errorPage(wrong, 400);
    assert.match(errorsOf(wrong).answer, problem, answer);
    assert.ok(!wrong.html.includes(confidential.secret));
  }
  const denied = await exchange(confidential, page, await answered(page, "deny"));
  assert.match(errorsOf(denied).answer, /the answer is the error access_denied: The resource owner denied/);
  // The code was not used up by the wrong ones, and the page that told them works on.
  assert.match(blocks(await exchange(confidential, denied, location))[1], /HTTP 200/);
});

test("a wrong secret and a used code are refused as an app would be, with nothing to go on with", async () => {
  const page = await begin(confidential);
  const location = await answered(page);
  const wrong = await exchange(confidential, page, location, "not the secret");
  assert.match(wrong.text, /It was refused/);
  assert.match(blocks(wrong)[1], /HTTP 401.*invalid_client/);
  assert.ok(!wrong.html.includes("not the secret"));
  assert.ok(!wrong.forms.some((form) => form.action === path(confidential)), "no step without a token");
  assert.match(blocks(await exchange(confidential, page, location))[1], /HTTP 200/);
  assert.match(blocks(await exchange(confidential, page, location))[1], /HTTP 400.*invalid_grant/);
  const log = await developer.page(`${confidential.page}/failures`);
  assert.match(log.text, /invalid_client/);
  assert.match(log.text, /code replayed/);
});

test("what a trial remembers is sealed for one session: in another, or changed, it does nothing", async () => {
  const page = await begin(confidential);
  const result = await exchange(confidential, page, await answered(page));
  const [trial] = result.forms.find((form) => form.values("step")[0] === "revoke").values("trial");
  for (const secret of [confidential.secret, told(result).refresh_token]) {
    assert.ok(!Buffer.from(trial, "base64url").includes(secret));
  }
  const elsewhere = await signedIn(server);
  const { access_token } = told(result);
  for (const [browser, sealed] of [
    [elsewhere, trial],
    [developer, `${trial.slice(0, -2)}AA`],
    [developer, ""],
    [developer, "garbage"],
  ]) {
    for (const step of ["exchange", "call", "refresh", "revoke", ""]) {
      const answer = await sendForm(browser, path(confidential), { step, trial: sealed, answer: "x" });
      assert.equal(answer.location, path(confidential));
    }
  }
  assert.equal((await me(server, access_token)).status, 200);
  await press(confidential, result, "revoke");
});

test("the request is the app's own: a foreign redirect URI or scope gets what an app gets", async () => {
  const foreign = await sendForm(developer, path(confidential), { step: "begin", redirect_uri: "https://evil.example/", scopes: SCOPES });
  const { pathname, search } = new URL(link(foreign));
  errorPage(await developer.page(pathname + search), 400);
  const wide = await sendForm(developer, path(confidential), { step: "begin", redirect_uri: CALLBACK, scopes: ["customers:read"] });
  const answer = await developer.page(new URL(link(wide)).pathname + new URL(link(wide)).search);
  const told = await exchange(confidential, wide, answer.location);
  assert.match(errorsOf(told).answer, /the answer is the error invalid_scope/);
  assert.ok(consentForm(await developer.page(authorizePath(confidential, { code_challenge: pkce().challenge, scope: "bookings:read" }))));
});
