// Cal.com today: an app written by its API reference asks somebody for access and gets its tokens.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import axios from "axios";
import { Browser, consentForm, OWNER, PASSWORD, redirectParams } from "../harness/client.mjs";
import { errorPage, errorRedirect } from "../harness/expect.mjs";
import { listed } from "./cal.mjs";
import * as cal from "./cal-v2.mjs";
import { accounts, APP, authorize, decide, get, pkce, postForm, postJson, send, signedIn, STAFF, start } from "./steps.mjs";

const { alive, apiError, dead, exchange, me, publicApp, publicQuestion, question, refresh, refused, SCOPE, tokens } = cal;
const TOKEN = "/v2/auth/oauth2/token";
const OLD_REFRESH = "/api/auth/oauth/refreshToken";
const identity = { client_id: APP.id, client_secret: APP.secret };
const basic = { authorization: `Basic ${Buffer.from(`${APP.id}:${APP.secret}`).toString("base64")}` };
let server, owner;
before(async () => {
  ({ server, owner } = await start("cal-v2"));
});
after(() => server?.stop());
afterEach(() => server.clock(0));

const code = async (changes, choice) => (await authorize(owner, question(changes), choice)).code;
const connect = (choice) => cal.connect(owner, choice);
const askPublic = async (changes) => {
  const { path, verifier } = publicQuestion(server, changes);
  return { ...(await authorize(owner, path)), verifier };
};

test("cal-v2-1 cal-v2-2 cal-v2-5 cal-v2-13 cal-v2-22 cal-v2-23 cal-v2-26: the reference, step by step, with a secret", async () => {
  const redirect = await authorize(
    owner,
    "/auth/oauth2/authorize?client_id=demo-server" +
      "&redirect_uri=http://127.0.0.1:5001/callback" +
      "&state=YOUR_STATE" +
      "&scope=BOOKING_READ PROFILE_READ",
  );
  assert.ok(redirect.location.startsWith("http://127.0.0.1:5001/callback?code="));
  assert.equal(redirect.state, "YOUR_STATE");
  const http = axios.create({ baseURL: server.address });
  const first = await http.post("/v2/auth/oauth2/token", {
    client_id: "demo-server",
    client_secret: "demo-server-secret",
    grant_type: "authorization_code",
    code: redirect.code,
    redirect_uri: "http://127.0.0.1:5001/callback",
  });
  assert.deepEqual([first.status, first.headers["cache-control"], first.headers.pragma], [200, "no-store", "no-cache"]);
  const { access_token, refresh_token, ...rest } = first.data;
  assert.deepEqual(rest, { token_type: "bearer", expires_in: 1800, scope: "PROFILE_READ BOOKING_READ" });
  const second = await http.post("/v2/auth/oauth2/token", {
    client_id: "demo-server",
    client_secret: "demo-server-secret",
    grant_type: "refresh_token",
    refresh_token,
  });
  assert.deepEqual(Object.keys(second.data).sort(), Object.keys(first.data).sort());
  assert.notEqual(second.data.refresh_token, refresh_token);
  const answer = await http.get("/v2/me", { headers: { Authorization: `Bearer ${second.data.access_token}` } });
  const { id, ...named } = answer.data.data;
  assert.deepEqual([answer.data.status, named], ["success", { username: "Demo Team", name: "Demo Team" }]);
  assert.match(id, /^[\da-f]{32}$/);
});

test("cal-v2-5 cal-v2-6 cal-v2-7 cal-v2-8 cal-v2-10 cal-v2-22: the reference, step by step, without a secret, as forms", async () => {
  const { verifier, challenge } = pkce();
  const redirectUri = `${server.issuer}/demo/`;
  const redirect = await authorize(
    owner,
    `/auth/oauth2/authorize?client_id=demo-spa&redirect_uri=${redirectUri}&state=YOUR_STATE&scope=BOOKING_READ,PROFILE_READ` +
      `&code_challenge=${challenge}&code_challenge_method=S256`,
  );
  const http = axios.create({ baseURL: server.address });
  const post = (fields) => http.post("/v2/auth/oauth2/token", new URLSearchParams(fields));
  const { data } = await post({
    client_id: "demo-spa",
    grant_type: "authorization_code",
    code: redirect.code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  const again = await post({ client_id: "demo-spa", grant_type: "refresh_token", refresh_token: data.refresh_token });
  assert.deepEqual(Object.keys(again.data).sort(), ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
  await alive(server, again.data.access_token);
});

test("cal-v2-1: a decision is a form's POST on the person's own page, answered with 303, once", async () => {
  const form = consentForm(await owner.page(question()));
  const fill = { account: form.values("account")[0] };
  const foreign = { origin: "https://your-app.com", "sec-fetch-site": "cross-site" };
  const attempts = [
    [{ decision: "allow" }, foreign, 403],
    [{ decision: "allow" }, {}, 303],
    [{ decision: "allow" }, {}, 403],
    [{ decision: "deny" }, {}, 403],
  ];
  for (const [button, headers, status] of attempts) assert.equal((await owner.submit(form, fill, button, headers)).status, status);
});

test("cal-v2-2 cal-v2-3 cal-v2-4: one URL for both grants, the old one for refreshes beside it, and none to revoke", async () => {
  const held = await connect();
  const old = (fields) => postJson(server, OLD_REFRESH, { ...identity, grant_type: "refresh_token", ...fields });
  const next = tokens(await old({ refresh_token: held.refresh_token }));
  tokens(await refresh(server, next.refresh_token));
  const reason = "grant_type must be 'authorization_code' or 'refresh_token'";
  refused(await old({ grant_type: "authorization_code", code: await code() }), 400, "invalid_request", reason);
  for (const path of [TOKEN, OLD_REFRESH]) {
    const answer = await get(server, path);
    assert.deepEqual([answer.status, answer.headers.get("allow"), answer.json.error], [405, "POST, OPTIONS", "invalid_request"]);
  }
  for (const path of ["/v2/auth/oauth2/revoke", "/api/auth/oauth/revoke", "/api/auth/oauth/token", "/oauth/token", "/oauth/authorize"])
    assert.equal((await postForm(server, path, identity)).status, 404, path);
});

test("a refresh token in the Authorization header is not taken, at no URL", async () => {
  const held = await connect();
  const bearer = { authorization: `Bearer ${held.refresh_token}` };
  for (const path of [TOKEN, OLD_REFRESH, "/oauth/revoke"])
    for (const fields of [identity, { client_id: APP.id }, { client_id: "demo-spa" }]) {
      const answer = await postForm(server, path, { grant_type: "refresh_token", ...fields }, bearer);
      assert.ok([400, 401].includes(answer.status), `${path}: HTTP ${answer.status}`);
    }
  dead(await me(server, held.refresh_token));
  tokens(await refresh(server, held.refresh_token));
});

test("cal-v2-5: other types than form and JSON are refused, and nothing is used up", async () => {
  const fields = { ...identity, grant_type: "authorization_code", code: await code(), redirect_uri: APP.redirectUri };
  for (const [type, body, status] of [
    ["text/plain", String(new URLSearchParams(fields)), 415],
    ["multipart/form-data; boundary=x", "--x--", 415],
    ["application/json", "{", 400],
    ["application/json", JSON.stringify([fields]), 400],
  ]) {
    const answer = await send(server, "POST", TOKEN, { headers: { "content-type": type }, body });
    assert.deepEqual([answer.status, answer.json.error], [status, "invalid_request"]);
  }
  tokens(await postJson(server, TOKEN, fields));
});

test("cal-v2-6 cal-v2-S3: a secret in the body with one, none without; Basic is taken nowhere", async () => {
  const fields = { grant_type: "authorization_code", code: await code(), redirect_uri: APP.redirectUri };
  for (const [named, headers, status] of [
    [fields, basic, 401],
    [{ ...fields, client_id: APP.id }, basic, 401],
    [{ ...fields, ...identity }, basic, 400],
  ])
    assert.equal((await postForm(server, TOKEN, named, headers)).status, status);
  for (const client_secret of [undefined, "", "demo-server-secre", "demo-server-secret2"])
    refused(await postForm(server, TOKEN, { ...fields, ...identity, client_secret }), 401, "invalid_client", "invalid_client_credentials");
  const held = tokens(await postForm(server, TOKEN, { ...fields, ...identity }));
  const renewal = { grant_type: "refresh_token", refresh_token: held.refresh_token };
  assert.equal((await postForm(server, TOKEN, renewal, basic)).status, 401);
  refused(await postForm(server, TOKEN, { ...renewal, client_id: APP.id }), 401, "invalid_client", "invalid_client_credentials");
  tokens(await postForm(server, TOKEN, { ...renewal, ...identity }));
});

test("cal-v2-8: either client_secret or code_verifier; both are refused unless the app with the secret has sent a challenge", async () => {
  const client = publicApp(server);
  const { verifier, ...redirect } = await askPublic();
  const both = await exchange(server, redirect.code, { code_verifier: verifier, client_secret: "demo-server-secret" }, client);
  assert.deepEqual([both.status, both.json.error], [401, "invalid_client"]);
  tokens(await exchange(server, redirect.code, { code_verifier: verifier }, client));

  const held = await code();
  const pair = pkce();
  refused(await exchange(server, held, { code_verifier: pair.verifier }), 400, "invalid_grant", "pkce_verification_failed");
  const neither = { client_secret: undefined };
  for (const changes of [neither, { ...neither, code_verifier: pair.verifier }])
    refused(await exchange(server, held, changes), 401, "invalid_client", "invalid_client_credentials");
  tokens(await exchange(server, held));
});

test("cal-v2-10 cal-v2-S7 cal-v2-S9: a challenge is S256's; a public app must send one, and whoever does is held to it", async () => {
  const client = publicApp(server);
  const { challenge } = pkce();
  for (const changes of [
    { code_challenge: null, code_challenge_method: null },
    { code_challenge_method: "plain" },
    { code_challenge_method: null },
    { code_challenge: "short" },
  ]) {
    const params = errorRedirect(await owner.page(publicQuestion(server, changes).path), client, server.issuer, "invalid_request");
    assert.equal(params.state, "YOUR_STATE");
  }
  errorRedirect(await owner.page(question({ code_challenge: challenge })), APP, server.issuer, "invalid_request");

  const pair = pkce();
  const confidential = { code: await code({ code_challenge: pair.challenge, code_challenge_method: "S256" }), verifier: pair.verifier };
  for (const [{ code, verifier }, asking] of [
    [confidential, APP],
    [await askPublic(), client],
  ]) {
    refused(await exchange(server, code, {}, asking), 400, "invalid_request", "pkce_missing_parameters_or_invalid_method");
    for (const code_verifier of ["short", "a".repeat(129), pkce().verifier])
      refused(await exchange(server, code, { code_verifier }, asking), 400, "invalid_grant", "pkce_verification_failed");
    const { refresh_token } = tokens(await exchange(server, code, { code_verifier: verifier }, asking));
    tokens(await refresh(server, refresh_token, {}, asking));
  }
});

test("cal-v2-11 cal-v2-18 cal-v2-34: a redirect URI is a registered string, localhost too; another is an error on the page", async () => {
  const client = publicApp(server);
  assert.match(client.redirectUri, /^http:\/\/localhost:/);
  assert.ok((await askPublic()).location.startsWith(`${client.redirectUri}?code=`));
  for (const redirect_uri of [
    "http://127.0.0.1:5001/callback/",
    "http://127.0.0.1:5001/callback?x=1",
    "http://127.0.0.1:5001/callback#fragment",
    "http://127.0.0.1:5001/CALLBACK",
    "http://localhost:5001/callback",
    "https://127.0.0.1:5001/callback",
    "https://example.com/callback",
    client.redirectUri,
  ])
    errorPage(await owner.page(question({ redirect_uri })));
  errorPage(await owner.page(publicQuestion(server, { redirect_uri: client.redirectUri.replace(/\/$/, "") }).path));
  for (const changes of [{ client_id: null }, { client_id: "my-client-id" }]) errorPage(await owner.page(question(changes)));
});

test("cal-v2-7 cal-v2-18 defect-7: scope is required: without it there is an error on the page, and nobody is sent anywhere", async () => {
  for (const scope of [null, ""]) {
    const page = await owner.page(question({ scope }));
    errorPage(page);
    assert.match(page.text, /scope is missing/);
    errorPage(await new Browser(server).page(question({ scope })));
  }
  for (const scope of ["READ_BOOKING", "EVERYTHING", "PROFILE_READ BOOKING", "profile_read"])
    assert.equal(errorRedirect(await owner.page(question({ scope })), APP, server.issuer, "invalid_scope").state, "YOUR_STATE");
});

test("cal-v2-12: scopes are split on commas and spaces, in any mixture, and told back with spaces", async () => {
  for (const between of [",", " ", ", ", ",, ,"])
    tokens(await exchange(server, await code({ scope: `PROFILE_READ${between}BOOKING_READ` })), SCOPE);
  tokens(await exchange(server, await code({ scope: "PROFILE_READ,PROFILE_READ" })), "PROFILE_READ");
});

test("cal-v2-7 cal-v2-13 defect-6: the state comes back as it was, with a denial too, and only when one was sent", async () => {
  for (const state of ["a b+c%20&d=é\u{1F4C5}", "null", "x".repeat(4096)])
    for (const decision of ["allow", "deny"]) assert.equal((await authorize(owner, question({ state }), { decision })).state, state);
  for (const decision of ["allow", "deny"])
    assert.doesNotMatch((await authorize(owner, question({ state: null }), { decision })).location, /state|null/);
});

test("cal-v2-14: the page lists each requested scope in the reference's words, and no other, above both buttons", async () => {
  const words = {
    PROFILE_READ: "View personal info and primary email address",
    BOOKING_READ: "View bookings",
    BOOKING_WRITE: "Create, edit, and delete bookings",
    SCHEDULE_READ: "View availability",
    APPS_WRITE: "Connect and disconnect apps",
    TEAM_EVENT_TYPE_READ: "View team event types",
    TEAM_MEMBERSHIP_WRITE: "Create, edit, and delete team memberships",
    ORG_BOOKING_READ: "View all bookings across the organization",
    ORG_SCHEDULE_WRITE: "Create, edit, and delete schedules across the organization",
  };
  const permissions = async (scope) => {
    const page = await owner.page(question({ scope }));
    const list = page.html.match(/<ul class="scopes">([^]*?)<\/ul>/)[1];
    return { page, list: [...list.matchAll(/<li[^>]*>\s*<span>([^<]*)/g)].map(([, sentence]) => sentence.trim()) };
  };
  for (const [scope, sentence] of Object.entries(words)) assert.deepEqual((await permissions(scope)).list, [sentence]);
  const { page, list } = await permissions(Object.keys(words).join(","));
  assert.deepEqual(list, Object.values(words));
  assert.match(page.text, /Automation Hub asks for access to your account or team/);
  assert.match(page.text, /For which account or team\? Demo Team Olivia Owner Second Team/);
  assert.match(page.html, /<title>[^<]*Cal\.com<\/title>/);
  assert.match(page.html, /<link rel="stylesheet" href="\/platform\.css">/);
  assert.match(await (await server.fetch("/platform.css")).text(), /--main: #292929;/);
  assert.deepEqual(consentForm(page).values("decision").sort(), ["allow", "deny"]);
});

test("cal-v2-16: somebody who is not signed in signs in and comes back to the same question; there is no sign-up to hide", async () => {
  for (const register of [null, "false"]) {
    const browser = new Browser(server);
    const sent = await browser.page(question({ register }));
    assert.equal(sent.status, 303);
    const login = await browser.page(sent.location);
    assert.match(login.text, /Cal\.com.*Automation Hub/);
    assert.doesNotMatch(login.text, /sign up|register|create an account/i);
    const answer = await browser.submit(login.forms[0], { email: OWNER, password: PASSWORD });
    assert.equal(answer.status, 303);
    const back = new URL(answer.location, server.issuer);
    assert.equal(back.pathname, "/auth/oauth2/authorize");
    assert.deepEqual(redirectParams(back), redirectParams(new URL(question({ register }), server.issuer)));
    tokens(await exchange(server, (await authorize(browser, answer.location)).code));
  }
});

test("cal-v2-17 cal-v2-S1: a denial is access_denied with the state, and no description", async () => {
  const { location, page, ...params } = await authorize(owner, question(), { decision: "deny" });
  assert.ok(location.startsWith("http://127.0.0.1:5001/callback?error=access_denied&"), location);
  assert.deepEqual(params, { error: "access_denied", state: "YOUR_STATE", iss: server.issuer });
});

test("cal-v2-24 cal-v2-S2 cal-v2-S3 cal-v2-S5 cal-v2-S6 cal-v2-S10 cal-v2-S11 cal-v2-S12: each refusal has its reason", async () => {
  const held = await code();
  const grantType = "grant_type must be 'authorization_code' or 'refresh_token'";
  for (const [status, error, reason, changes] of [
    [400, "invalid_request", "client_id is required", { client_id: undefined }],
    [400, "invalid_request", "client_id is required", { client_id: "", client_secret: undefined }],
    [401, "invalid_client", "client_not_found", { client_id: "my-client-id" }],
    [401, "invalid_client", "invalid_client_credentials", { client_secret: "wrong" }],
    [400, "invalid_request", grantType, { grant_type: undefined }],
    [400, "invalid_request", grantType, { grant_type: "client_credentials" }],
    [400, "invalid_grant", "code_invalid_or_expired", { code: "abc123" }],
    [400, "invalid_grant", "code_invalid_or_expired", { code: `${held.slice(0, -1)}${held.endsWith("A") ? "B" : "A"}` }],
    [400, "invalid_grant", "redirect_uri_mismatch", { redirect_uri: "http://127.0.0.1:5002/callback" }],
    [400, "invalid_grant", "redirect_uri_mismatch", { redirect_uri: "http://127.0.0.1/callback" }],
    [400, "invalid_grant", "redirect_uri_mismatch", { redirect_uri: undefined }],
  ])
    refused(await exchange(server, held, changes), status, error, reason);
  const { access_token, refresh_token } = tokens(await exchange(server, held));
  for (const token of ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", access_token, `${refresh_token}x`])
    refused(await refresh(server, token), 400, "invalid_grant", "invalid_refresh_token");
  const other = publicApp(server);
  refused(await refresh(server, refresh_token, {}, other), 400, "invalid_grant", "client_id_mismatch");
  tokens(await refresh(server, refresh_token));
  refused(await exchange(server, held), 400, "invalid_grant", "code_invalid_or_expired");
});

test("cal-v2-25 cal-v2-26 cal-v2-S13 cal-v2-S14: the API refuses a bad token and a missing scope in its envelope", async () => {
  const narrow = await connect({ scope: "BOOKING_READ PROFILE_WRITE" });
  dead(await me(server, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"));
  dead(await me(server, narrow.refresh_token));
  for (const headers of [{}, basic]) {
    const answer = await send(server, "GET", "/v2/me", { headers });
    apiError(answer, 401, "UnauthorizedException", "send an access token: Authorization: Bearer");
  }
  const missing = "insufficient_scope: token does not have the required scopes. Required: PROFILE_READ";
  const headers = apiError(await me(server, narrow.access_token), 403, "ForbiddenException", missing);
  assert.match(headers.get("www-authenticate"), /^Bearer .*error="insufficient_scope".*scope="PROFILE_READ"/);
  const { access_token } = await connect({ scope: "PROFILE_READ" });
  await alive(server, access_token);
  assert.equal((await get(server, `/v2/me?access_token=${access_token}`)).status, 401);
  assert.equal((await send(server, "POST", "/v2/me", { headers: { authorization: `Bearer ${access_token}` } })).status, 405);
});

test("cal-v2-28: the connection is the user's or the team's that was chosen; the team's only by its owner or admin", async () => {
  const offered = async (browser) => accounts(await browser.page(question())).map(({ name }) => name);
  assert.deepEqual(await offered(owner), ["Demo Team", "Olivia Owner", "Second Team"]);
  for (const account of ["Olivia Owner", "Second Team", "Demo Team"])
    assert.equal((await me(server, (await connect({ account })).access_token)).json.data.name, account);
  const staff = await signedIn(server, STAFF);
  assert.deepEqual(await offered(staff), ["Sam Staff"], "a member's own account, not the team");
  const own = await cal.connect(staff);
  assert.equal((await me(server, own.access_token)).json.data.name, "Sam Staff");
  const [team] = accounts(await owner.page(question()));
  const forged = await staff.submit(consentForm(await staff.page(question())), { account: team.id }, { decision: "allow" });
  assert.deepEqual([forged.status, forged.location], [403, null]);
});

test("cal-v2-28 cal-v2-E10: consenting again updates the one connection; old tokens keep their scopes", async () => {
  const narrow = await connect({ scope: "BOOKING_READ", account: "Olivia Owner" });
  const seen = (status) => listed(owner, status, { account: "Olivia Owner" });
  const wide = await connect({ scope: "BOOKING_READ PROFILE_READ SCHEDULE_WRITE", account: "Olivia Owner" });
  const all = "View personal info and primary email address View bookings Create, edit, and delete availability";
  assert.equal(await seen("Connected"), all);
  await alive(server, wide.access_token);
  assert.equal((await me(server, narrow.access_token)).status, 403);
  const renewed = tokens(await refresh(server, narrow.refresh_token), "BOOKING_READ");
  assert.equal((await me(server, renewed.access_token)).status, 403);
  await decide(owner, await owner.page(question({ scope: SCOPE })), { account: "Olivia Owner" });
  assert.equal(await seen("Connected"), "View personal info and primary email address View bookings");
});

test("an address of the API that is not there answers in the API's shape, and not with a page", async () => {
  for (const path of ["/v2/bookings", "/v2/me/", "/api/none"]) {
    const { status, json } = await get(server, path);
    assert.deepEqual([status, json.status, json.path, json.error.code], [404, "error", path, "NotFoundException"]);
  }
  assert.match((await get(server, "/v3/bookings")).headers.get("content-type"), /^text\/html/);
});
