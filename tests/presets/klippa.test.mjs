// Klippa: an app written by its developer page asks a salon's owner and gets its tokens.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import axios from "axios";
import { Browser, consentForm, OWNER, PASSWORD, redirectParams } from "../harness/client.mjs";
import { errorPage, errorRedirect } from "../harness/expect.mjs";
import { alive, dead, exchange, me, question, refused, refresh, revoke, SCOPE, tokens } from "./klippa.mjs";
import { accounts, APP, authorize, decide, get, pkce, postForm, postJson, send, signedIn, STAFF, start } from "./steps.mjs";

const TOKEN = "/api/v1/oauth/token";
const identity = { client_id: APP.id, client_secret: APP.secret };
let server, owner;
before(async () => {
  ({ server, owner } = await start("klippa"));
});
after(() => server?.stop());
afterEach(() => server.clock(0));

const code = async (changes, choice) => (await authorize(owner, question(changes), choice)).code;
/** The public app of the development data; its redirect URI is on localhost by name. */
const spa = () => ({ id: "demo-spa", redirectUri: `${server.issuer}/demo/` });

test("klippa-1 klippa-4 klippa-5 klippa-6 klippa-10 klippa-21: the page's requests as it prints them, sent with axios", async () => {
  const redirect = await authorize(
    owner,
    "/api/v1/oauth/authorize?client_id=demo-server" +
      "&redirect_uri=http://127.0.0.1:5001/callback" +
      "&scope=klippa.context klippa.availability klippa.book" +
      "&response_type=code" +
      "&state=random_csrf_token",
  );
  assert.ok(redirect.location.startsWith("http://127.0.0.1:5001/callback?"));
  assert.equal(redirect.state, "random_csrf_token");
  assert.equal(redirect.error, undefined);

  const http = axios.create({ baseURL: server.address });
  const { data, status } = await http.post("/api/v1/oauth/token", {
    grant_type: "authorization_code",
    code: redirect.code,
    client_id: "demo-server",
    client_secret: "demo-server-secret",
  });
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(data).sort(), ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
  assert.deepEqual([data.token_type, data.expires_in, data.scope], ["Bearer", 3600, SCOPE]);

  const headers = { Authorization: `Bearer ${data.access_token}` };
  const { data: mine } = await http.get("/api/v1/me", { headers });
  assert.equal(mine.salon.name, "Demo Salon");
  const again = await http.post("/api/v1/oauth/token", {
    grant_type: "refresh_token",
    refresh_token: data.refresh_token,
    client_id: "demo-server",
    client_secret: "demo-server-secret",
  });
  assert.deepEqual(Object.keys(again.data).sort(), Object.keys(data).sort());
  const ended = await http.post("/api/v1/oauth/revoke", { token: again.data.access_token, ...identity });
  assert.deepEqual([ended.status, ended.data], [200, {}]);
});

test("klippa-1: token and revoke are posted to, and nothing is at other addresses", async () => {
  for (const path of [TOKEN, "/api/v1/oauth/revoke"]) {
    const answer = await get(server, path);
    assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST, OPTIONS"]);
    refused(answer, 405, "invalid_request");
  }
  const posted = await send(server, "POST", "/api/v1/me", { headers: { authorization: "Bearer x" } });
  assert.deepEqual([posted.status, posted.json.error], [405, "invalid_request"]);
  for (const path of ["/oauth/token", "/oauth/revoke", "/oauth/authorize", "/api/v1/oauth/refresh"])
    assert.equal((await send(server, "POST", path)).status, 404, path);
});

test("klippa-2 klippa-6: JSON and forms are read, with whatever parameter their media type has, and nothing else is", async () => {
  const both = [postForm, (...args) => postJson(...args, { "content-type": "application/json; charset=utf-8" })];
  for (const post of both) {
    const held = tokens(await post(server, TOKEN, { grant_type: "authorization_code", code: await code(), ...identity }));
    const next = tokens(await post(server, TOKEN, { grant_type: "refresh_token", refresh_token: held.refresh_token, ...identity }));
    const ended = await post(server, "/api/v1/oauth/revoke", { token: next.refresh_token, ...identity });
    assert.deepEqual([ended.status, ended.json], [200, {}]);
    dead(await me(server, next.access_token));
  }
  const unread = await code();
  const body = JSON.stringify({ grant_type: "authorization_code", code: unread, ...identity });
  for (const type of ["text/plain", "application/xml", "application/jsonp"])
    refused(await send(server, "POST", TOKEN, { headers: { "content-type": type }, body }), 415, "invalid_request");
  for (const broken of ["{", "[]", `"${unread}"`, '{"grant_type":["authorization_code"]}'])
    refused(await send(server, "POST", TOKEN, { headers: { "content-type": "application/json" }, body: broken }), 400, "invalid_request");
  tokens(await exchange(server, unread));
});

test("klippa-3 defect-10: the secret is read from the body or a Basic header, never from the address", async () => {
  const held = await code();
  for (const [changes, status, error] of [
    [{ client_secret: undefined }, 401, "invalid_client"],
    [{ client_secret: "your_secret" }, 401, "invalid_client"],
    [{ client_id: "your_client_id" }, 401, "invalid_client"],
    [{ client_id: undefined }, 401, "invalid_client"],
    [{ client_id: undefined, client_secret: undefined }, 401, "invalid_client"],
    [{ client_id: "demo-spa", client_secret: undefined }, 400, "invalid_grant"],
  ])
    refused(await exchange(server, held, changes), status, error);
  const named = { grant_type: "authorization_code", code: held };
  refused(await postJson(server, `${TOKEN}?${new URLSearchParams(identity)}`, named), 401, "invalid_client");
  refused(await postJson(server, `${TOKEN}?code=${held}`, { ...named, code: undefined, ...identity }), 400, "invalid_request");
  const basic = { authorization: `Basic ${Buffer.from(`${APP.id}:${APP.secret}`).toString("base64")}` };
  refused(await postJson(server, TOKEN, { ...named, ...identity }, basic), 400, "invalid_request");
  const { access_token, refresh_token } = tokens(await postJson(server, TOKEN, named, basic));
  assert.equal((await get(server, `/api/v1/me?access_token=${access_token}`)).status, 401);
  refused(await refresh(server, refresh_token, { client_secret: "your_secret" }), 401, "invalid_client");
  refused(await revoke(server, access_token, { client_secret: undefined }), 401, "invalid_client");
  await alive(server, access_token);
});

test("klippa-4: what is wrong with the question goes to the app, unless it is the app itself", async () => {
  for (const [changes, error] of [
    [{ response_type: null }, "invalid_request"],
    [{ response_type: "token" }, "unsupported_response_type"],
    [{ scope: null }, "invalid_scope"],
  ])
    assert.equal(errorRedirect(await owner.page(question(changes)), APP, server.issuer, error).state, "random_csrf_token");
  for (const changes of [{ client_id: null }, { client_id: "your_client_id" }]) errorPage(await owner.page(question(changes)));
});

test("klippa-5 defect-2 defect-9: a code needs no redirect_uri; one that is sent is the question's, not another of the app's", async () => {
  const held = await code();
  for (const redirect_uri of ["http://127.0.0.1:5002/callback", "http://127.0.0.1/callback", "https://yourapp.com/callback"])
    refused(await exchange(server, held, { redirect_uri }), 400, "invalid_grant");
  tokens(await exchange(server, held, { redirect_uri: APP.redirectUri }));
  refused(await exchange(server, "received_code"), 400, "invalid_grant");
  refused(await exchange(server, undefined), 400, "invalid_request");
  refused(await exchange(server, held, { grant_type: undefined }), 400, "invalid_request");
  for (const grant_type of ["password", "client_credentials", 'a"b\\c'])
    refused(await exchange(server, held, { grant_type }), 400, "unsupported_grant_type");
});

test("a code lives five minutes", async () => {
  const [early, late] = [await code(), await code()];
  await server.clock(290_000);
  tokens(await exchange(server, early));
  await server.clock(301_000);
  refused(await exchange(server, late), 400, "invalid_grant");
});

test("klippa-7: no challenge is needed; one that is sent is held to, and a verifier out of nowhere is refused", async () => {
  tokens(await exchange(server, await code()));
  const { verifier, challenge } = pkce();
  const held = await code({ code_challenge: challenge, code_challenge_method: "S256" });
  for (const code_verifier of [undefined, "short", pkce().verifier])
    refused(await exchange(server, held, { code_verifier }), 400, "invalid_grant");
  tokens(await exchange(server, held, { code_verifier: verifier }));
  refused(await exchange(server, await code(), { code_verifier: verifier }), 400, "invalid_grant");
  for (const changes of [{ code_challenge_method: "plain" }, { code_challenge_method: null }, { code_challenge: "short" }]) {
    const asked = question({ code_challenge: challenge, code_challenge_method: "S256", ...changes });
    errorRedirect(await owner.page(asked), APP, server.issuer, "invalid_request");
  }
  errorRedirect(await owner.page(question({}, spa())), spa(), server.issuer, "invalid_request");
});

test("klippa-8: a redirect URI is one of those registered, localhost by name included; with another nobody is sent anywhere", async () => {
  const client = spa();
  assert.match(client.redirectUri, /^http:\/\/localhost:/);
  const asked = question({ code_challenge: pkce().challenge, code_challenge_method: "S256" }, client);
  assert.ok((await authorize(owner, asked)).location.startsWith(`${client.redirectUri}?`));
  for (const redirect_uri of [
    "https://yourapp.com/callback",
    "http://127.0.0.1:5001/callback/",
    "http://127.0.0.1:5001/callback?x=1",
    "http://127.0.0.1:5001/other",
    "http://127.0.0.1.yourapp.com/callback",
    "https://127.0.0.1:5001/callback",
    "http://localhost:5001/callback",
    client.redirectUri,
  ])
    errorPage(await owner.page(question({ redirect_uri })));
});

test("klippa-9 defect-7: three scopes, each alone, shown in words; none, unknown ones, commas: refused", async () => {
  const words = {
    "klippa.context": "Read your business info, services and staff",
    "klippa.availability": "Check real-time calendar availability",
    "klippa.book": "Create and manage bookings",
  };
  for (const scope of Object.keys(words)) {
    const page = await owner.page(question({ scope }));
    for (const [name, sentence] of Object.entries(words)) assert.equal(page.text.includes(sentence), name === scope, `${name}: ${scope}`);
    tokens(await exchange(server, (await decide(owner, page)).code), scope);
  }
  for (const scope of ["", " ", "klippa.everything", "klippa.context,klippa.book", "KLIPPA.CONTEXT", "klippa"])
    errorRedirect(await owner.page(question({ scope })), APP, server.issuer, "invalid_scope");
  const { access_token } = tokens(await exchange(server, await code({ scope: "klippa.book" })), "klippa.book");
  const answer = await me(server, access_token);
  assert.equal(answer.status, 403);
  assert.equal(answer.json.error, "insufficient_scope");
  assert.match(answer.headers.get("www-authenticate"), /error="insufficient_scope".*scope="klippa.context"/);
});

test("klippa-10 defect-6: the state comes back as it was, also with a denial, and none is made up", async () => {
  for (const state of ["a b+c%20&d=é\u{1F488}", "null", "x".repeat(4096)])
    for (const decision of ["allow", "deny"]) assert.equal((await authorize(owner, question({ state }), { decision })).state, state);
  for (const decision of ["allow", "deny"])
    assert.doesNotMatch((await authorize(owner, question({ state: null }), { decision })).location, /state|null/);
});

test("klippa-11: the page says who asks what of which salon, and posts to the authorize address, once", async () => {
  const page = await owner.page(question());
  assert.equal(page.status, 200);
  assert.match(page.text, /Ledger Link asks for access to your salon/);
  assert.match(page.text, /For which salon\?/);
  assert.match(page.html, /<title>[^<]*Klippa<\/title>/);
  assert.match(page.html, /<link rel="stylesheet" href="\/platform\.css">/);
  assert.match(await (await server.fetch("/platform.css")).text(), /--main: #7c2d6b;/);
  const form = consentForm(page);
  assert.deepEqual([form.method, form.action], ["post", "/api/v1/oauth/authorize"]);
  assert.deepEqual(form.values("decision").sort(), ["allow", "deny"]);
  assert.deepEqual(
    accounts(page).map(({ name }) => name),
    ["Demo Salon", "Second Salon"],
  );
  tokens(await exchange(server, (await decide(owner, page)).code));
  const fill = { account: form.values("account")[0] };
  for (const decision of ["allow", "deny"]) {
    const again = await owner.submit(form, fill, { decision });
    assert.deepEqual([again.status, again.location], [403, null]);
  }
  const fresh = consentForm(await owner.page(question()));
  const foreign = await owner.submit(fresh, fill, { decision: "allow" }, { origin: "https://yourapp.com", "sec-fetch-site": "cross-site" });
  assert.deepEqual([foreign.status, foreign.location], [403, null]);
  const asked = await owner.page("/api/v1/oauth/authorize", { method: "POST", body: new URLSearchParams(question().split("?")[1]) });
  assert.match(asked.text, /Ledger Link asks for access to your salon/, "a question that is posted is a question");
});

test("klippa-13: a denial goes back to the app as access_denied, without a code", async () => {
  const { location, page, ...params } = await authorize(owner, question(), { decision: "deny" });
  assert.ok(location.startsWith("http://127.0.0.1:5001/callback?error=access_denied&"), location);
  const error_description = "The resource owner denied the request";
  assert.deepEqual(params, { error: "access_denied", error_description, state: "random_csrf_token", iss: server.issuer });
});

test("klippa-12: an owner who is not signed in signs in and comes back to the same question", async () => {
  const browser = new Browser(server);
  const sent = await browser.page(question());
  assert.equal(sent.status, 303);
  const login = await browser.page(sent.location);
  assert.match(login.text, /Klippa/);
  assert.match(login.text, /Ledger Link/, "the page says for what");
  const answer = await browser.submit(login.forms[0], { email: OWNER, password: PASSWORD });
  assert.equal(answer.status, 303);
  const back = new URL(answer.location, server.issuer);
  assert.equal(back.pathname, "/api/v1/oauth/authorize");
  assert.deepEqual(redirectParams(back), redirectParams(new URL(question(), server.issuer)));
  tokens(await exchange(server, (await authorize(browser, answer.location)).code));
});

test("klippa-28 klippa-33: the owner picks the salon, a test salon too, and that is whose the tokens are", async () => {
  const ids = new Set();
  for (const account of ["Second Salon", "Demo Salon"]) {
    const redirect = await authorize(owner, question(), { account });
    const { access_token } = tokens(await exchange(server, redirect.code));
    const { json } = await me(server, access_token);
    const { expires_at, ...others } = json;
    assert.ok(Math.abs(expires_at - Date.now() / 1000 - 3600) < 5);
    const id = accounts(redirect.page).find(({ name }) => name === account).id;
    assert.deepEqual(others, { salon: { id, name: account }, scope: SCOPE, scopes: SCOPE.split(" ") });
    ids.add(id);
  }
  assert.equal(ids.size, 2);
});

test("klippa-33: who is not the salon's owner may not connect an app to it", async () => {
  const page = await (await signedIn(server, STAFF)).page(question());
  assert.equal(page.status, 403);
  assert.match(page.text, /Only an owner of a salon may connect an app to it/);
  assert.ok(page.forms.every((form) => form.values("consent").length === 0));
});
