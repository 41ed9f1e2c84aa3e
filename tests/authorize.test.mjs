// The authorization endpoint: which requests reach consent, which are sent back, which end at a page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorize, authorizePath, Browser, consentForm, pkce, serverApp, signedIn, spa } from "./harness/client.mjs";
import { DESCRIPTION, errorPage, errorRedirect, safePage } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
before(async () => {
  server = await startServer();
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());

const { challenge } = pkce();
const start = (parameters = {}, client = app) => owner.page(authorizePath(client, { code_challenge: challenge, ...parameters }));
const refused = async (code, parameters, client = app) =>
  errorRedirect(await start({ state: "s", ...parameters }, client), client, server.issuer, code);

test("AZ-01: GET and POST with the same parameters reach the consent page", async () => {
  const path = authorizePath(app, { code_challenge: challenge });
  consentForm(await owner.page(path));
  const [endpoint, query] = path.split("?");
  consentForm(await owner.page(endpoint, { method: "POST", body: new URLSearchParams(query), headers: { origin: server.issuer } }));
});

test("AZ-02: unknown parameters are ignored", async () => {
  consentForm(await start({ extra: "foobar", "foo[]": "1", nonce: "n" }));
});

test("AZ-03: a parameter sent twice is refused; client_id and redirect_uri without a redirect", async () => {
  for (const name of ["scope", "state", "response_type", "code_challenge", "code_challenge_method"]) {
    const query = new URLSearchParams(authorizePath(app, { code_challenge: challenge, state: "s" }).split("?")[1]);
    query.append(name, query.get(name));
    errorRedirect(await owner.page(`/oauth/authorize?${query}`), app, server.issuer, "invalid_request");
  }
  errorPage(await start({ client_id: [app.id, app.id] }));
  errorPage(await start({ redirect_uri: [app.redirectUri, app.redirectUri] }));
  errorPage(await start({ redirect_uri: [app.redirectUri, "https://attacker.example/"] }));
});

test("AZ-04: a parameter with an empty value counts as left out", async () => {
  const redirect = await authorize(owner, app, { state: "" });
  assert.equal(redirect.state, undefined);
  await refused("invalid_request", { code_challenge: "" });
  await refused("invalid_request", { response_type: "" });
});

test("AZ-05: a missing or unknown client ends at a page, signed in or not", async () => {
  for (const id of [null, "", "unknown", "demo-spa ", "DEMO-SPA", "' OR 1=1 --", "x".repeat(5000)]) {
    errorPage(await start({ client_id: id }));
    const stranger = await new Browser(server).page(authorizePath(app, { client_id: id, code_challenge: challenge }));
    assert.ok(stranger.status === 400 || /^\/login\?/.test(new URL(stranger.location, server.issuer).pathname + "?"), `${id}`);
  }
});

test("AZ-06, AZ-07, AZ-10: no redirect URI but the registered one, character by character", async () => {
  const base = app.redirectUri; // http://localhost:PORT/demo/
  const host = new URL(base).host;
  const variants = [
    `http://${host}/demo`,
    `http://${host}/Demo/`,
    `http://${host}/DEMO/`,
    `${base}/`,
    `${base}index.html`,
    `${base}?`,
    `${base}?x=1`,
    `${base}?code=attacker`,
    `${base}&code=attacker`,
    `${base}#`,
    `${base}#f`,
    `${base}%23f`,
    `${base}..`,
    `${base}../`,
    `${base}../admin`,
    `${base}%2e%2e/`,
    `${base}..%2f`,
    `${base}%252F`,
    `${base};/../../`,
    `${base}%3B`,
    `${base}%0A%0D`,
    `${base}%00`,
    `${base} `,
    ` ${base}`,
    `${base}\t`,
    `${base}\n`,
    `http://${host}//demo/`,
    `http://${host}/demo//`,
    `http://${host}\\demo\\`,
    `http://${host}/d%65mo/`,
    `http://${host}/%64emo/`,
    `http:${host}/demo/`,
    `//${host}/demo/`,
    `/demo/`,
    "demo/",
    `https://${host}/demo/`,
    `HTTP://${host}/demo/`,
    `http://LOCALHOST:${server.port}/demo/`,
    `http://localhost.:${server.port}/demo/`,
    `http://localhost/demo/`,
    `http://localhost:1/demo/`,
    `http://127.0.0.1:${server.port}/demo/`,
    `http://[::1]:${server.port}/demo/`,
    `http://user@${host}/demo/`,
    `http://user:pw@${host}/demo/`,
    `http://${host}@attacker.example/demo/`,
    `http://attacker.example/demo/`,
    `http://${host}.attacker.example/demo/`,
    `http://sub.${host}/demo/`,
    `http://xn--localhost:${server.port}/demo/`,
    "javascript:alert(1)//",
    "data:text/html,x",
    "urn:ietf:wg:oauth:2.0:oob",
    "null",
  ];
  assert.ok(variants.length >= 40);
  for (const uri of variants) {
    const answer = await start({ redirect_uri: uri });
    assert.equal(answer.location, null, `${JSON.stringify(uri)} must not be redirected to`);
    errorPage(answer);
  }
});

test("AZ-12: a loopback redirect takes any port and nothing else that differs", async () => {
  const client = serverApp();
  for (const port of ["", ":1", ":49153", ":65535"]) consentForm(await start({ redirect_uri: `http://127.0.0.1${port}/callback` }, client));
  const others = [
    "http://127.0.0.1:49152/other",
    "http://127.0.0.1:49152/callback/",
    "http://127.0.0.1:49152/callback?x",
    "http://127.0.0.2:49152/callback",
    "http://localhost:49152/callback",
    "http://[::1]:49152/callback",
    "https://127.0.0.1:49152/callback",
    "http://127.0.0.1:99999/callback",
    "http://127.0.0.1:/callback",
    "http://127.0.0.1:0x50/callback",
    "http://127.0.0.1:80 /callback",
    "http://127.1:49152/callback",
    "http://2130706433:49152/callback",
    "http://127.0.0.1:49152@attacker.example/callback",
    "http://x@127.0.0.1:49152/callback",
  ];
  for (const uri of others) errorPage(await start({ redirect_uri: uri }, client));
});

test("AZ-14: only the code flow is served, and nothing comes back in a fragment", async () => {
  await refused("invalid_request", { response_type: null });
  for (const type of ["token", "id_token", "code token", "code id_token", "CODE", "none"]) {
    await refused("unsupported_response_type", { response_type: type });
  }
});

test("AZ-15 to AZ-18: PKCE is required, with S256 and a challenge of 43 characters", async () => {
  for (const client of [app, serverApp()]) await refused("invalid_request", { code_challenge: null, code_challenge_method: null }, client);
  for (const method of ["S512", "s256", "plain", null]) await refused("invalid_request", { code_challenge_method: method });
  const wrong = [
    "a",
    "a".repeat(42),
    "a".repeat(44),
    "a".repeat(128),
    "a".repeat(129),
    `${"a".repeat(42)}+`,
    `${"a".repeat(42)}/`,
    `${"a".repeat(42)}=`,
    `${"a".repeat(42)} `,
  ];
  for (const value of wrong) await refused("invalid_request", { code_challenge: value });
});

test("AZ-19: the challenge is in no response", async () => {
  const redirect = await authorize(owner, app, { code_challenge: challenge });
  assert.ok(!redirect.location.includes(challenge));
  assert.ok(!Buffer.from(redirect.code, "base64url").includes(Buffer.from(challenge, "base64url")));
});

test("AZ-20, AZ-21, AZ-23: state comes back byte for byte, in success and in errors, once; without one there is none", async () => {
  const states = ["a b&c+d=e%20f", "ü\u202E€😀", `"'<script>alert(1)</script>\\`, "x".repeat(2000), "%00%0a", "a;b,c"];
  for (const state of states) {
    assert.equal((await authorize(owner, app, { state })).state, state);
    assert.equal((await authorize(owner, app, { state, decision: "deny" })).state, state);
    assert.equal((await refused("invalid_scope", { state, scope: "nope" })).state, state);
  }
  for (const decision of ["allow", "deny"]) assert.equal("state" in (await authorize(owner, app, { decision })), false);
});

test("AZ-22, IS-01, IS-02: a response is in the query, with iss", async () => {
  for (const decision of ["allow", "deny"]) {
    const { location, iss } = await authorize(owner, app, { decision, state: "s" });
    assert.equal(new URL(location).hash, "");
    assert.equal(iss, server.issuer);
  }
});

test("AZ-24: nobody is redirected to an app before signing in, whatever is wrong with the request", async () => {
  const stranger = new Browser(server);
  for (const parameters of [{}, { scope: "nope" }, { response_type: "token" }, { code_challenge: null }, { prompt: "none" }]) {
    const path = authorizePath(app, { code_challenge: challenge, ...parameters });
    const answer = await stranger.page(path);
    assert.equal(answer.status, 303);
    const login = new URL(answer.location, server.issuer);
    assert.equal(login.origin + login.pathname, `${server.issuer}/login`);
    assert.equal(login.searchParams.get("return_to"), path);
  }
  errorPage(await stranger.page(authorizePath(app, { redirect_uri: "https://attacker.example/" })), 400);
});

test("AZ-28 to AZ-30: scopes must be known and well formed; their order and repetition do not matter; one must be named", async () => {
  for (const scope of ["nope", "account:read nope", "ACCOUNT:READ", 'account:read "x', "account:read\\", "account:read\tbookings:read"]) {
    await refused("invalid_scope", { scope });
  }
  await refused("invalid_scope", { scope: null });
  consentForm(await start({ scope: "customers:read bookings:read account:read" }));
});

test("AZ-31: every description keeps to the characters that RFC 6749 allows", async () => {
  for (const parameters of [
    { scope: '"\\\u0007ü' },
    { response_type: '"\\ü\n' },
    { code_challenge_method: '"ü' },
    { code_challenge: 'ü"' },
  ]) {
    const { searchParams } = new URL((await start({ state: "s", ...parameters })).location);
    assert.match(searchParams.get("error_description") ?? "", DESCRIPTION);
  }
});

test("AZ-32: hostile parameters are neither reflected raw nor make headers", async () => {
  const hostile = ["<script>alert(1)</script>", 'x" onload="alert(1)', "\r\nSet-Cookie: a=b", "{{7*7}}", "\u0000"];
  for (const value of hostile) {
    for (const name of ["client_id", "redirect_uri", "login_hint", "ui_locales"]) {
      const answer = await start({ [name]: value });
      safePage(answer);
      assert.ok(!answer.headers.getSetCookie().some((line) => line.startsWith("a=b")));
    }
  }
});

test("AZ-33: no other origin reads this endpoint", async () => {
  const headers = { origin: "https://attacker.example" };
  const get = await owner.page(authorizePath(app, { code_challenge: challenge }), { headers });
  const preflight = await server.fetch("/oauth/authorize", {
    method: "OPTIONS",
    headers: { ...headers, "access-control-request-method": "POST" },
  });
  for (const { headers: sent } of [get, preflight]) {
    for (const name of sent.keys()) assert.doesNotMatch(name, /^access-control-/);
  }
});

test("AZ-37 to AZ-39, UI-12: consent, login and error pages cannot be framed, leak no referrer and load nothing foreign", async () => {
  for (const path of [
    authorizePath(app, { code_challenge: challenge }),
    "/login",
    "/oauth/authorize",
    authorizePath(app, { client_id: "nope" }),
    "/account/apps",
    "/nowhere",
  ]) {
    safePage(await owner.page(path));
  }
});

test("AZ-36: codes are long and never alike", async () => {
  const codes = new Set();
  for (let n = 0; n < 20; n += 1) codes.add((await authorize(owner, app)).code);
  assert.equal(codes.size, 20);
  for (const code of codes) assert.match(code, /^[\w-]{60,}$/);
  // No two share more than what names the same grant: the last 30 characters hold random bytes and the tag.
  assert.equal(new Set([...codes].map((code) => code.slice(-30))).size, 20);
});

test("AZ-40: a public client is asked for consent each time, and prompt=none is not a way around it", async () => {
  await authorize(owner, app);
  consentForm(await start());
  const silent = await start({ prompt: "none", state: "s" });
  assert.equal(silent.location === null ? undefined : (new URL(silent.location).searchParams.get("code") ?? undefined), undefined);
});
