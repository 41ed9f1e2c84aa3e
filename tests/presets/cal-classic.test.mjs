// Cal.com as its guide of 2024 has it: an app written by that guide asks somebody for access and gets its tokens.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import axios from "axios";
import { Browser, consentForm, OWNER, PASSWORD, redirectParams } from "../harness/client.mjs";
import { errorPage, errorRedirect } from "../harness/expect.mjs";
import * as cal from "./cal-classic.mjs";
import { accounts, APP, authorize, decide, get, pkce, postForm, postJson, send, signedIn, STAFF, start } from "./steps.mjs";

const { alive, dead, exchange, me, publicApp, question, refresh, refreshed, refused, revoke, tokens } = cal;
const TOKEN = "/api/auth/oauth/token";
const REFRESH = "/api/auth/oauth/refreshToken";
const identity = { client_id: APP.id, client_secret: APP.secret };
let server, owner;
before(async () => {
  ({ server, owner } = await start("cal-classic"));
});
after(() => server?.stop());
afterEach(() => server.clock(0));

const code = async (changes, choice) => (await authorize(owner, question(changes), choice)).code;
const connect = (choice) => cal.connect(owner, choice);
const basic = { authorization: `Basic ${Buffer.from(`${APP.id}:${APP.secret}`).toString("base64")}` };

test("cal-classic-1 cal-classic-5 cal-classic-7 cal-classic-22 cal-classic-23 cal-classic-26: the guide, step by step", async () => {
  const redirect = await authorize(
    owner,
    "/auth/oauth2/authorize?client_id=demo-server" +
      "&state=4e12ab0c9d" +
      "&redirect_uri=http://127.0.0.1:5001/callback" +
      "&scope=READ_BOOKING,READ_PROFILE",
  );
  assert.ok(redirect.location.startsWith("http://127.0.0.1:5001/callback?"));
  assert.deepEqual([redirect.state, redirect.error], ["4e12ab0c9d", undefined]);

  const http = axios.create({ baseURL: server.address });
  const first = await http.post(
    "/api/auth/oauth/token",
    new URLSearchParams({
      code: redirect.code,
      client_id: "demo-server",
      client_secret: "demo-server-secret",
      grant_type: "authorization_code",
      redirect_uri: "http://127.0.0.1:5001/callback",
    }),
  );
  assert.deepEqual([first.status, Object.keys(first.data)], [200, ["access_token", "refresh_token"]]);
  const second = await http.post(
    "/api/auth/oauth/refreshToken",
    new URLSearchParams({ grant_type: "refresh_token", client_id: "demo-server", client_secret: "demo-server-secret" }),
    { headers: { Authorization: `Bearer ${first.data.refresh_token}` } },
  );
  assert.deepEqual([second.status, Object.keys(second.data)], [200, ["access_token"]]);
  assert.notEqual(second.data.access_token, first.data.access_token);
  for (const { access_token } of [first.data, second.data]) {
    const headers = { Authorization: `Bearer ${access_token}` };
    for (const answer of [await http.get("/api/auth/oauth/me", { headers }), await http.post("/api/auth/oauth/me", "", { headers })])
      assert.deepEqual([answer.status, answer.data], [201, { username: "Demo Team" }]);
  }
});

test("cal-classic-7: response_type may be sent, as code and nothing else", async () => {
  tokens(await exchange(server, await code({ response_type: "code" })));
  const asked = await owner.page(question({ response_type: "token" }));
  assert.equal(errorRedirect(asked, APP, server.issuer, "unsupported_response_type").state, "a_securely_generated_random_string");
});

test("cal-classic-5: the earliest apps send JSON and get the same; other types are refused, and nothing is used up", async () => {
  const held = await code();
  const fields = { code: held, ...identity, grant_type: "authorization_code", redirect_uri: APP.redirectUri };
  for (const type of ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
    for (const path of [TOKEN, REFRESH]) {
      const answer = await send(server, "POST", path, { headers: { "content-type": type }, body: String(new URLSearchParams(fields)) });
      assert.deepEqual([answer.status, Object.keys(answer.json)], [415, ["message"]]);
    }
  const broken = await send(server, "POST", TOKEN, { headers: { "content-type": "application/json" }, body: "{" });
  assert.deepEqual([broken.status, Object.keys(broken.json)], [400, ["message"]]);
  const { refresh_token } = tokens(await postJson(server, TOKEN, fields));
  const bearer = { authorization: `Bearer ${refresh_token}` };
  await alive(server, refreshed(await postJson(server, REFRESH, { grant_type: "refresh_token", ...identity }, bearer)));
});

test("cal-classic-2 cal-classic-3 cal-classic-4 cal-classic-24: two URLs to post to, and no other, not to revoke either", async () => {
  for (const path of [TOKEN, REFRESH])
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await send(server, method, path);
      refused(answer, 405, "Invalid method");
      assert.equal(answer.headers.get("allow"), "POST, OPTIONS");
    }
  const method = await send(server, "DELETE", "/api/auth/oauth/me");
  assert.deepEqual([method.status, method.json], [405, { message: "Invalid method" }]);
  for (const path of ["/api/auth/oauth/revoke", "/api/auth/oauth/authorize", "/oauth/token", "/oauth/authorize", "/v2/auth/oauth2/token"])
    assert.equal((await postForm(server, path, identity)).status, 404, path);
});

test("cal-classic-6: the secret is in the body; Basic is taken nowhere, alone or beside it", async () => {
  const held = await connect();
  const fresh = await code();
  const fields = { code: fresh, grant_type: "authorization_code", redirect_uri: APP.redirectUri };
  for (const named of [fields, { ...fields, client_id: APP.id }]) refused(await postForm(server, TOKEN, named, basic), 401);
  const both = await postForm(server, TOKEN, { ...fields, ...identity }, basic);
  assert.deepEqual([both.status, Object.keys(both.json)], [400, ["message"]]);
  const renewal = { grant_type: "refresh_token", refresh_token: held.refresh_token };
  refused(await postForm(server, REFRESH, renewal, basic), 401);
  refused(await postForm(server, "/oauth/revoke", { token: held.refresh_token }, basic), 401);
  tokens(await exchange(server, fresh));
  refreshed(await refresh(server, held.refresh_token));
});

test("cal-classic-8 cal-classic-S2 cal-classic-S3 cal-classic-S5 cal-classic-S6 cal-classic-S11: each member is needed", async () => {
  const held = await code();
  for (const [status, message, changes] of [
    [400, "Missing client id or secret", { client_id: undefined }],
    [400, "Missing client id or secret", { client_secret: undefined }],
    [400, "Missing client id or secret", { client_id: undefined, client_secret: undefined }],
    [400, "Missing client id or secret", { client_secret: "" }],
    [400, "grant_type invalid", { grant_type: undefined }],
    [400, "grant_type invalid", { grant_type: "client_credentials" }],
    [401, "Unauthorized", { client_id: "nobody" }],
    [401, "Unauthorized", { client_id: "demo-spa" }],
    [401, "Unauthorized", { client_secret: "demo-server-secre" }],
    [401, "Unauthorized", { code: undefined }],
    [401, "Unauthorized", { code: "AUTHORIZATION_CODE" }],
    [401, "Unauthorized", { code: `${held.slice(0, -1)}${held.endsWith("A") ? "B" : "A"}` }],
    [401, "Unauthorized", { redirect_uri: undefined }],
    [401, "Unauthorized", { redirect_uri: "http://127.0.0.1:5001/callback/" }],
    [401, "Unauthorized", { redirect_uri: "http://127.0.0.1:5002/callback" }],
    [401, "Unauthorized", { redirect_uri: "http://127.0.0.1/callback" }],
  ])
    refused(await exchange(server, held, changes), status, message);
  tokens(await exchange(server, held));
  refused(await exchange(server, held), 401);
});

test("cal-classic-24 cal-classic-S10 cal-classic-S11 cal-classic-S12: each member is needed at the refresh URL too", async () => {
  const { access_token, refresh_token } = await connect();
  for (const [status, message, changes, token = refresh_token] of [
    [400, "Missing client id or secret", { client_id: undefined, client_secret: undefined }],
    [400, "Missing client id or secret", { client_secret: undefined }],
    [400, "grant type invalid", { grant_type: "authorization_code" }],
    [400, "grant type invalid", { grant_type: "refreshToken" }],
    [401, "Unauthorized", { client_id: "nobody" }],
    [401, "Unauthorized", { client_secret: "wrong" }],
    [401, "Unauthorized", {}, "exampleRefreshToken"],
    [401, "Unauthorized", {}, access_token],
    [401, "Unauthorized", {}, null],
  ])
    refused(await refresh(server, token, changes), status, message);
  refreshed(await refresh(server, refresh_token));
});

test("cal-classic-S11: a refresh without grant_type hears the refresh URL's words", async () => {
  const { refresh_token } = await connect();
  refused(await refresh(server, refresh_token, { grant_type: undefined }), 400, "grant type invalid");
});

test("cal-classic-9: the refresh token is a bearer at the refresh URL only, and never there and in the body", async () => {
  const { access_token, refresh_token } = await connect();
  const bearer = { authorization: `Bearer ${refresh_token}` };
  const renewal = { grant_type: "refresh_token", ...identity };
  const exchanged = { ...identity, grant_type: "authorization_code", code: await code(), redirect_uri: APP.redirectUri };
  for (const other of [refresh_token, "exampleRefreshToken"]) {
    const both = await refresh(server, refresh_token, { refresh_token: other });
    assert.deepEqual([both.status, Object.keys(both.json)], [400, ["message"]]);
  }
  const elsewhere = [
    await postForm(server, TOKEN, renewal, bearer),
    await postForm(server, TOKEN, { ...renewal, client_secret: undefined }, bearer),
    await postForm(server, TOKEN, exchanged, bearer),
    await postForm(server, "/oauth/revoke", identity, bearer),
    await postForm(server, "/oauth/revoke", { token: refresh_token }, bearer),
    await postForm(server, "/oauth/revoke", { token: refresh_token, ...identity }, bearer),
  ];
  for (const answer of elsewhere) {
    assert.ok([400, 401].includes(answer.status), answer.text);
    assert.deepEqual(Object.keys(answer.json), ["message"]);
  }
  dead(await me(server, refresh_token));
  await alive(server, access_token);
  // The header carries no client: without the secret it is worth nothing.
  refused(await refresh(server, refresh_token, { client_secret: undefined }), 400, "Missing client id or secret");
  await alive(server, refreshed(await refresh(server, refresh_token)));
  const body = await postForm(server, REFRESH, { ...renewal, refresh_token });
  await alive(server, refreshed(body));
});

test("a public app gets none of the guide's looseness: PKCE, no header, whole answers, a new refresh token each time", async () => {
  const client = publicApp(server);
  errorRedirect(await owner.page(question({}, client)), client, server.issuer, "invalid_request");
  const first = await cal.connectPublic(owner);
  const renewal = { client_secret: undefined };
  for (const changes of [renewal, { ...renewal, refresh_token: first.refresh_token }]) {
    const byHeader = await refresh(server, first.refresh_token, changes, client);
    assert.deepEqual([byHeader.status, Object.keys(byHeader.json)], [400, ["message"]]);
  }
  const byBody = (token) => refresh(server, null, { ...renewal, refresh_token: token }, client);
  const second = cal.completeTokens(await byBody(first.refresh_token));
  assert.notEqual(second.refresh_token, first.refresh_token);
  refused(await refresh(server, null, { refresh_token: second.refresh_token, client_secret: "x" }, client), 401);
  await alive(server, second.access_token);
  cal.completeTokens(await byBody(second.refresh_token));
});

test("cal-classic-10: no challenge is needed; one that is sent is held to, and a verifier out of nowhere is refused", async () => {
  tokens(await exchange(server, await code()));
  const { verifier, challenge } = pkce();
  const held = await code({ code_challenge: challenge, code_challenge_method: "S256" });
  for (const code_verifier of [undefined, "short", pkce().verifier]) refused(await exchange(server, held, { code_verifier }), 401);
  tokens(await exchange(server, held, { code_verifier: verifier }));
  refused(await exchange(server, await code(), { code_verifier: verifier }), 401);
  for (const changes of [{ code_challenge_method: "plain" }, { code_challenge_method: undefined }]) {
    const asked = question({ code_challenge: challenge, code_challenge_method: "S256", ...changes });
    errorRedirect(await owner.page(asked), APP, server.issuer, "invalid_request");
  }
});

test("cal-classic-11: the redirect URI is the registered string, or left out; with another nobody is sent anywhere", async () => {
  for (const redirect_uri of [
    "http://127.0.0.1:5001/callback/",
    "http://127.0.0.1:5001/Callback",
    "http://127.0.0.1:5001/callback?x=1",
    "http://127.0.0.1:5001/callback#x",
    "http://localhost:5001/callback",
    "https://127.0.0.1:5001/callback",
    "https://your-app.com/callback",
    `${server.issuer}/demo/`,
  ])
    errorPage(await owner.page(question({ redirect_uri })));
  for (const changes of [{ client_id: null }, { client_id: "nobody" }]) errorPage(await owner.page(question(changes)));
  const redirect = await authorize(owner, question({ redirect_uri: null }));
  assert.ok(redirect.location.startsWith("http://127.0.0.1/callback?"));
  tokens(await exchange(server, redirect.code, { redirect_uri: "http://127.0.0.1/callback" }));
});

test("cal-classic-12 defect-7: scopes stand between commas; none is READ_PROFILE and no more, an unknown one is an error", async () => {
  const words = { READ_BOOKING: "Read your bookings", READ_PROFILE: "See your personal info" };
  const asks = async (scope, expected) => {
    const page = await owner.page(question({ scope }));
    for (const [name, sentence] of Object.entries(words))
      assert.equal(page.text.includes(sentence), expected.includes(name), `${name} in ${scope}`);
    return (await decide(owner, page)).code;
  };
  for (const scope of ["READ_BOOKING,READ_PROFILE", "READ_PROFILE,READ_BOOKING", "READ_BOOKING READ_PROFILE"])
    tokens(await exchange(server, await asks(scope, ["READ_BOOKING", "READ_PROFILE"])));
  const narrow = tokens(await exchange(server, await asks("READ_BOOKING", ["READ_BOOKING"])));
  dead(await me(server, narrow.access_token));
  for (const scope of [null, ""]) {
    const answer = await exchange(server, await asks(scope, ["READ_PROFILE"]));
    // Not what was asked for, so it is told (RFC 6749 §5.1).
    assert.deepEqual(Object.keys(answer.json).sort(), ["access_token", "refresh_token", "scope"]);
    assert.equal(answer.json.scope, "READ_PROFILE");
    await alive(server, answer.json.access_token);
  }
  for (const scope of ["READ_EVERYTHING", "READ_BOOKING,WRITE_BOOKING", "read_booking", "READ_BOOKING;READ_PROFILE"])
    errorRedirect(await owner.page(question({ scope })), APP, server.issuer, "invalid_scope");
});

test("cal-classic-13 defect-6: the state comes back as it was, with a denial too; where none was sent there is none", async () => {
  for (const state of ["a b+c%20&d=é\u{1F4C5}", "null", "x".repeat(4096)])
    for (const decision of ["allow", "deny"]) assert.equal((await authorize(owner, question({ state }), { decision })).state, state);
  for (const state of [null, ""])
    for (const decision of ["allow", "deny"])
      assert.doesNotMatch((await authorize(owner, question({ state }), { decision })).location, /state|null/);
});

test("cal-classic-14: the page shows the app's logo, a choice of account or team, what is permitted, and both buttons", async () => {
  const page = await owner.page(question());
  assert.equal(page.status, 200);
  assert.match(page.text, /Automation Hub asks for access to your account or team/);
  assert.match(page.text, /It will be able to Read your bookings See your personal info For which account or team\?/);
  assert.match(page.html, /<title>[^<]*Cal\.com<\/title>/);
  const logo = page.html.match(/<img class="logo" src="(\/logo\/\w+)"/)[1];
  assert.equal((await server.fetch(logo)).headers.get("content-type"), "image/png");
  assert.match(page.html, /<link rel="stylesheet" href="\/platform\.css">/);
  assert.match(await (await server.fetch("/platform.css")).text(), /--main: #292929;/);
  const form = consentForm(page);
  const buttons = form.controls.filter(({ name }) => name === "decision").map(({ value, label }) => `${value}: ${label}`);
  assert.deepEqual(buttons, ["deny: Deny", "allow: Allow"]);
  const unchosen = await owner.submit(form, {}, { decision: "allow" });
  assert.deepEqual([unchosen.status, unchosen.location], [400, null]);
  assert.match(unchosen.text, /Choose an account or team first/);
});

test("cal-classic-16: somebody who is not signed in signs in and comes back to the same question", async () => {
  const browser = new Browser(server);
  const sent = await browser.page(question());
  assert.equal(sent.status, 303);
  const login = await browser.page(sent.location);
  assert.match(login.text, /Cal\.com.*Automation Hub/);
  const answer = await browser.submit(login.forms[0], { email: OWNER, password: PASSWORD });
  assert.equal(answer.status, 303);
  const back = new URL(answer.location, server.issuer);
  assert.equal(back.pathname, "/auth/oauth2/authorize");
  assert.deepEqual(redirectParams(back), redirectParams(new URL(question(), server.issuer)));
  tokens(await exchange(server, (await authorize(browser, answer.location)).code));
});

test("cal-classic-17 cal-classic-S1: a denial is access_denied with the state, and no description", async () => {
  const { location, page, ...params } = await authorize(owner, question(), { decision: "deny" });
  assert.ok(location.startsWith("http://127.0.0.1:5001/callback?error=access_denied&"), location);
  assert.deepEqual(params, { error: "access_denied", state: "a_securely_generated_random_string", iss: server.issuer });
});

test("cal-classic-25 cal-classic-26 cal-classic-S13 cal-classic-S14: what is no token with READ_PROFILE is Unauthorized", async () => {
  const narrow = await connect({ scope: "READ_BOOKING" });
  for (const token of [undefined, "exampleAccessToken", "a b", narrow.access_token, narrow.refresh_token]) {
    dead(await me(server, token));
    const headers = token && { authorization: `Bearer ${token}` };
    dead(await send(server, "POST", "/api/auth/oauth/me", { headers }));
  }
  dead(await send(server, "GET", "/api/auth/oauth/me", { headers: basic }));
  const { access_token } = await connect({ scope: "READ_PROFILE" });
  for (const method of ["GET", "POST"]) {
    const answer = await send(server, method, "/api/auth/oauth/me", { headers: { authorization: `Bearer ${access_token}` } });
    assert.deepEqual([answer.status, answer.json], [201, { username: "Demo Team" }]);
  }
  assert.equal((await get(server, `/api/auth/oauth/me?access_token=${access_token}`)).status, 401);
});

test("cal-classic-28: the connection is the user's or the team's that was chosen, and the test endpoint names it", async () => {
  const offered = async (browser) => accounts(await browser.page(question())).map(({ name }) => name);
  assert.deepEqual(await offered(owner), ["Demo Team", "Olivia Owner", "Second Team"]);
  for (const account of ["Olivia Owner", "Second Team", "Demo Team"])
    assert.deepEqual((await me(server, (await connect({ account })).access_token)).json, { username: account });

  const staff = await signedIn(server, STAFF);
  assert.deepEqual(await offered(staff), ["Sam Staff"], "a member's own account, not the team");
  const own = await cal.connect(staff);
  assert.deepEqual((await me(server, own.access_token)).json, { username: "Sam Staff" });
  const [team] = accounts(await owner.page(question()));
  const forged = await staff.submit(consentForm(await staff.page(question())), { account: team.id }, { decision: "allow" });
  assert.deepEqual([forged.status, forged.location], [403, null]);

  const role = (name) =>
    server.sql("UPDATE members SET role = ?1 WHERE account_id = ?2 AND role = ?3", name, team.id, name === "admin" ? "member" : "admin");
  await role("admin");
  assert.deepEqual(await offered(staff), ["Demo Team", "Sam Staff"], "an admin may");
  assert.deepEqual((await me(server, (await cal.connect(staff, { account: "Demo Team" })).access_token)).json, { username: "Demo Team" });
  await role("member");
  assert.deepEqual(await offered(staff), ["Sam Staff"]);
});
