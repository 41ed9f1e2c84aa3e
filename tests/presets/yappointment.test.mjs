// yAppointment: an app written by the guide "OAuth connect" asks a company's admin, gets its tokens and calls the API.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import axios from "axios";
import { Browser, consentForm, OWNER, PASSWORD, redirectParams } from "../harness/client.mjs";
import { errorPage, errorRedirect } from "../harness/expect.mjs";
import { accounts, APP, authorize, decide, postForm, postJson, send, signedIn, STAFF } from "./steps.mjs";
import {
  apiError,
  apiOf,
  authUrlOf,
  exchangeAuthCodeForToken,
  generatePKCEChallenge,
  refreshAccessToken,
  refused,
  revokeToken,
  thrown,
  tokens,
  yappointment,
} from "./yappointment.mjs";

let y, server, host;
before(async () => {
  y = await yappointment();
  ({ server, host } = y);
});
after(() => server?.stop());
// Each test may fail as often as an address may in a minute.
beforeEach(() => y.pass(61_000));

const identity = { client_id: "demo-server", client_secret: "demo-server-secret" };
/** Path and query of the guide's authorization request. */
const question = (changes, client = APP) => {
  const { pathname, search } = authUrlOf(host, { state: "s", codeChallenge: generatePKCEChallenge().codeChallenge, client, changes });
  return pathname + search;
};
const exchanging = ({ code, codeVerifier }, changes) => ({
  grant_type: "authorization_code",
  code,
  ...identity,
  redirect_uri: "http://127.0.0.1:5001/callback",
  code_verifier: codeVerifier,
  ...changes,
});
const posted = (body) => axios.post(`${host}/oauth/token`, body);

test("yappointment-1 yappointment-4 yappointment-5 yappointment-9 yappointment-16 yappointment-20: the whole guide as it is", async () => {
  const { codeVerifier, codeChallenge } = generatePKCEChallenge();
  const sessionState = "0123456789abcdef0123456789abcdef";
  const authUrl = authUrlOf(host, { state: sessionState, codeChallenge });
  assert.equal(authUrl.searchParams.get("scope"), "bookings:read services:read");
  const { location } = await authorize(await y.admin(), authUrl.pathname + authUrl.search);
  const { code, state: returnedState } = redirectParams(location);
  assert.ok(location.startsWith("http://127.0.0.1:5001/callback?code="));
  assert.equal(returnedState, sessionState);

  const first = tokens(await exchangeAuthCodeForToken(host, code, codeVerifier));
  const api = axios.create({ baseURL: host, headers: { Authorization: `Bearer ${first.access_token}` } });
  const companyResponse = await api.post("/api/v1/me");
  assert.equal(companyResponse.data.data.name, "Demo Salon");

  await y.pass(3_601_000);
  const error = await api.post("/api/v1/me").catch((error) => error);
  assert.equal(error.response?.status, 401);
  const newTokens = tokens(await refreshAccessToken(host, first.refresh_token));
  api.defaults.headers.Authorization = `Bearer ${newTokens.access_token}`;
  assert.deepEqual((await api.request({ method: "post", url: "/api/v1/me" })).data.data, companyResponse.data.data);

  await revokeToken(host, newTokens.access_token);
  assert.equal((await thrown(api.post("/api/v1/me"))).status, 401);
});

test("yappointment-1: token and revoke are posted to; what is nowhere is 404 in the API's form", async () => {
  for (const path of ["/oauth/token", "/oauth/revoke"]) await refused(axios.get(host + path), 405, "invalid_request");
  for (const path of ["/api/v1/oauth/token", "/oauth/refresh"]) assert.equal((await thrown(axios.post(host + path))).status, 404);
  await apiError(axios.get(`${host}/api/v1/nothing`), 404, "NOT_FOUND", "there is nothing at this address");
  await apiError(axios.put(`${host}/api/v1/me`), 405, "METHOD_NOT_ALLOWED", "this method is not served here");
});

test("yappointment-2 yappointment-3: JSON as axios sends it and a form as curl does, for token, refresh and revoke", async () => {
  for (const post of [postForm, postJson]) {
    const held = tokens((await post(server, "/oauth/token", exchanging(await y.ask()))).json);
    const refreshing = { grant_type: "refresh_token", refresh_token: held.refresh_token, ...identity };
    const next = tokens((await post(server, "/oauth/token", refreshing)).json);
    const ended = await post(server, "/oauth/revoke", { token: next.access_token, ...identity });
    assert.deepEqual([ended.status, ended.json], [200, {}]);
    await y.dead(next.access_token);
  }
  const headers = { "Content-Type": "text/plain" };
  await refused(axios.post(`${host}/oauth/token`, "grant_type=refresh_token", { headers }), 415, "invalid_request");
});

test("yappointment-3 yappointment-5 defect-10: every call needs the secret, in its body or a Basic header, not in a query", async () => {
  const redirect = await y.ask();
  for (const changes of [{ client_secret: "wrong" }, { client_secret: undefined }, { client_id: undefined }, { client_id: "nobody" }])
    await refused(posted(exchanging(redirect, changes)), 401, "invalid_client");
  const bare = exchanging(redirect, { client_secret: undefined });
  await refused(axios.post(`${host}/oauth/token?client_secret=demo-server-secret`, bare), 401, "invalid_client");
  const auth = { username: "demo-server", password: "demo-server-secret" };
  const { data: held } = await axios.post(`${host}/oauth/token`, bare, { auth });
  await refused(axios.post(`${host}/oauth/token`, exchanging(redirect), { auth }), 400, "invalid_request");
  const wrong = { id: APP.id, secret: "wrong" };
  await refused(refreshAccessToken(host, held.refresh_token, wrong), 401, "invalid_client");
  await refused(revokeToken(host, held.access_token, wrong), 401, "invalid_client");
  await apiError(axios.get(`${host}/api/v1/me?access_token=${held.access_token}`), 401, "UNAUTHORIZED", "Missing access token");
  await y.works(held.access_token);
});

test("yappointment-4: what is wrong with the question goes to the app, unless it is the app itself", async () => {
  const admin = await y.admin();
  for (const [changes, error] of [
    [{ response_type: null }, "invalid_request"],
    [{ response_type: "token" }, "unsupported_response_type"],
    [{ code_challenge_method: "plain" }, "invalid_request"],
    [{ code_challenge: "short" }, "invalid_request"],
  ])
    assert.equal(errorRedirect(await admin.page(question(changes)), APP, server.issuer, error).state, "s");
  for (const changes of [{ client_id: null }, { client_id: "your_client_id_here" }]) errorPage(await admin.page(question(changes)));
});

test("yappointment-6: the secret alone does not redeem a code whose request had a challenge, and the other way round", async () => {
  const redirect = await y.ask();
  for (const code_verifier of [undefined, "x".repeat(42), "x".repeat(129), `${"x".repeat(43)}+`, generatePKCEChallenge().codeVerifier])
    await refused(posted(exchanging(redirect, { code_verifier })), 400, "invalid_grant");
  tokens((await posted(exchanging(redirect))).data);
  for (const length of [43, 128]) {
    const codeVerifier = "~".repeat(length);
    const code_challenge = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(codeVerifier))).toString("base64url");
    tokens((await posted(exchanging({ ...(await y.ask({ changes: { code_challenge } })), codeVerifier }))).data);
  }
  // The authentication page's example has neither challenge nor state.
  const plain = await y.ask({ changes: { code_challenge: null, code_challenge_method: null, state: null } });
  assert.equal(plain.state, undefined);
  await refused(posted(exchanging(plain)), 400, "invalid_grant");
  tokens((await posted(exchanging({ ...plain, codeVerifier: undefined }))).data);
  const spa = { id: "demo-spa", redirectUri: `${host}/demo/` };
  const asked = question({ code_challenge: null, code_challenge_method: null }, spa);
  errorRedirect(await (await y.admin()).page(asked), spa, server.issuer, "invalid_request");
});

test("yappointment-7 defect-2: the redirect URI is a registered one, and at the token URL the one of the question", async () => {
  const admin = await y.admin();
  const bad = ["https://myapp.com/callback", "http://127.0.0.1:5001/callback/", "http://127.0.0.1:5001/other", `${host}/demo/`];
  for (const redirect_uri of bad)
    errorPage(await admin.page(question({ redirect_uri })));
  const redirect = await y.ask();
  for (const redirect_uri of ["https://myapp.com/callback", "http://127.0.0.1:5002/callback"])
    await refused(posted(exchanging(redirect, { redirect_uri })), 400, "invalid_grant");
  tokens((await posted(exchanging(redirect))).data);
});

test("yappointment-8 defect-7: scopes arrive with plus signs, each alone, and are shown in words; without one is no access", async () => {
  assert.match(question(), /&scope=bookings%3Aread\+services%3Aread&/);
  const words = {
    "bookings:read": "View customer bookings",
    "services:read": "View services and pricing",
    "calendars:read": "View availability and time slots",
    "customers:read": "View customer list",
  };
  const admin = await y.admin();
  for (const scope of Object.keys(words)) {
    const { text } = await admin.page(question({ scope }));
    for (const [name, sentence] of Object.entries(words)) assert.equal(text.includes(sentence), name === scope, `${name} in ${scope}`);
  }
  const all = (await admin.page(question({ scope: Object.keys(words).join(" ") }))).text;
  assert.ok(Object.values(words).every((sentence) => all.includes(sentence)));
  for (const scope of [null, "", "bookings:write", "bookings:read,services:read", "*"])
    errorRedirect(await admin.page(question({ scope })), APP, server.issuer, "invalid_scope");
});

test("yappointment-9 defect-6: the state comes back as it was, also with a denial, and none is made up", async () => {
  for (const decision of ["allow", "deny"]) {
    for (const state of ["0123456789abcdef", "a b+c%20&d=é", "null"])
      assert.equal((await y.ask({ changes: { state }, decision })).state, state);
    assert.doesNotMatch((await y.ask({ changes: { state: null }, decision })).location, /state|null/);
  }
});

test("yappointment-10: the user signs in, comes back to the question and sees who asks what of which company", async () => {
  const browser = new Browser(server);
  const asked = question();
  const sent = await browser.page(asked);
  assert.equal(sent.status, 303);
  const login = await browser.page(sent.location);
  assert.match(login.text, /yAppointment/);
  const answer = await browser.submit(login.forms[0], { email: OWNER, password: PASSWORD });
  const back = new URL(answer.location, host);
  assert.deepEqual([back.pathname, redirectParams(back)], ["/oauth/authorize", redirectParams(new URL(asked, host))]);
  const page = await browser.page(answer.location);
  assert.equal(page.status, 200);
  assert.match(page.html, /<title>[^<]*yAppointment<\/title>/);
  assert.match(page.text, /Invoice Robot asks for access to your company.*View customer bookings View services and pricing/);
  assert.match(page.text, /For which company\?/);
  assert.match(page.html, /<link rel="stylesheet" href="\/platform\.css">/);
  assert.match(await (await server.fetch("/platform.css")).text(), /--main: #0f5f8a;/);
  assert.deepEqual(consentForm(page).values("decision").sort(), ["allow", "deny"]);
  assert.ok((await decide(browser, page)).code);
});

test("yappointment-11: who does not authorize is sent back with access_denied and without a code", async () => {
  const { location, page, codeVerifier, ...params } = await y.ask({ changes: { state: "s" }, decision: "deny" });
  assert.ok(location.startsWith("http://127.0.0.1:5001/callback?error=access_denied&"));
  const error_description = "The resource owner denied the request";
  assert.deepEqual(params, { error: "access_denied", error_description, state: "s", iss: server.issuer });
});

test("yappointment-12: a code lives ten minutes", async () => {
  const [early, late] = [await y.ask(), await y.ask()];
  await y.pass(590_000);
  tokens((await posted(exchanging(early))).data);
  await y.pass(11_000);
  await refused(posted(exchanging(late)), 400, "invalid_grant");
});

test("yappointment-13: access tokens begin with yapp_at_ and live one hour, as expires_in says", async () => {
  const { access_token } = await y.connect();
  await y.pass(3_590_000);
  await y.works(access_token);
  await y.pass(11_000);
  await y.dead(access_token, "The access token has expired");
});

test("yappointment-14 yappointment-E1 yappointment-E11: refresh tokens begin with yapp_rt_, rotate and live 90 days each", async () => {
  const DAY = 86_400_000;
  const [held, unused] = [await y.connect(), await y.connect()];
  const second = tokens(await refreshAccessToken(host, held.refresh_token));
  assert.notEqual(second.refresh_token, held.refresh_token);
  assert.notEqual(second.access_token, held.access_token);
  for (const token of [held.access_token, second.access_token]) await y.works(token);
  await y.pass(90 * DAY - 60_000);
  const third = tokens(await refreshAccessToken(host, second.refresh_token));
  await y.pass(62_000);
  await refused(refreshAccessToken(host, unused.refresh_token), 400, "invalid_grant");
  await y.pass(89 * DAY);
  tokens(await refreshAccessToken(host, third.refresh_token));
});

test("yappointment-18 yappointment-S1: a bad token is 401 in the API's form, each kind in its words", async () => {
  for (const [authorization, message] of [
    [undefined, "Missing access token"],
    ["Basic ZGVtbzpkZW1v", "Missing access token"],
    ["Bearer yapp_at_nonsense", "Invalid access token"],
    [`Bearer ${(await y.connect()).refresh_token}`, "Invalid access token"],
  ])
    for (const method of ["GET", "POST"]) {
      const request = axios.request({ method, url: `${host}/api/v1/me`, headers: authorization ? { Authorization: authorization } : {} });
      const headers = await apiError(request, 401, "UNAUTHORIZED", message);
      assert.match(headers["www-authenticate"], /^Bearer /);
    }
  const twice = send(server, "GET", "/api/v1/me", { headers: { authorization: "Bearer a b" } });
  assert.deepEqual([(await twice).status, (await twice).json.error.code], [400, "BAD_REQUEST"]);
  const { data } = await thrown(axios.get(`${host}/api/v1/me`));
  assert.ok(Math.abs(data.meta.timestamp - y.now()) < 5000, "now, in milliseconds");
});

test("yappointment-18 yappointment-S1: a token without the scope that a resource needs is 403", async () => {
  // The company's own resource needs none; here it does.
  const strict = await yappointment({ vars: { POLICY: JSON.stringify({ me: { scope: "customers:read" } }) } });
  try {
    const { access_token } = await strict.connect();
    const headers = await apiError(strict.me(access_token), 403, "FORBIDDEN", "the access token lacks the scope customers:read");
    assert.match(headers["www-authenticate"], /error="insufficient_scope".*scope="customers:read"/);
    await strict.works((await strict.connect({ changes: { scope: "customers:read" } })).access_token);
  } finally {
    await strict.server.stop();
  }
});

test("yappointment-22: POST without a body and GET answer with the company, in the API's envelope", async () => {
  const { access_token } = await y.connect({ account: "Second Salon" });
  const api = apiOf(host, access_token);
  const companies = [];
  const answers = [await api.post("/api/v1/me"), await api.get("/api/v1/me"), await api.post("/api/v1/me", {})];
  const [{ request, config }] = answers;
  assert.deepEqual([request.getHeader("content-type"), config.data], ["application/x-www-form-urlencoded", undefined]);
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    const { timestamp, ...meta } = answer.data.meta;
    assert.ok(Math.abs(timestamp - y.now()) < 5000);
    assert.deepEqual({ ...answer.data, data: null, meta }, { status: true, data: null, meta: { version: "v1" } });
    companies.push(answer.data.data);
  }
  const { _id, name, ...others } = companies[0];
  assert.match(_id, /^\w+$/);
  assert.equal(name, "Second Salon");
  assert.deepEqual(others, { email: null, phone: null, address: null, timezone: null, currency: null, createdAt: null });
  assert.deepEqual(companies, [companies[0], companies[0], companies[0]]);
});

test("yappointment-25: an admin connects the company that was chosen; an employee connects none", async () => {
  const page = await (await y.admin()).page(question());
  assert.deepEqual(
    accounts(page).map(({ name }) => name),
    ["Demo Salon", "Second Salon"],
  );
  for (const { name, id } of accounts(page)) {
    const { access_token } = await y.connect({ account: name });
    const { _id, name: told } = (await y.me(access_token)).data.data;
    assert.deepEqual([_id, told], [id, name]);
  }
  const refusal = await (await signedIn(server, STAFF)).page(question());
  assert.equal(refusal.status, 403);
  assert.match(refusal.text, /Only an admin of a company may connect an app to it/);
  assert.ok(refusal.forms.every((form) => form.values("consent").length === 0));
});
