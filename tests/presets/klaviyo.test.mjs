// Klaviyo, by hand: what its guide "Make API calls using OAuth" says of installing an app and of the first tokens.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, OWNER, PASSWORD, redirectParams, STAFF } from "../harness/client.mjs";
import { errorPage, errorRedirect } from "../harness/expect.mjs";
import {
  accountsAtOnce,
  authenticationFailed,
  basic,
  challengeOf,
  connection,
  exchange,
  generateCodes,
  installationUrl,
  klaviyo,
  notAuthenticated,
  refresh,
  revoke,
  tokenError,
  tokens,
} from "./klaviyo.mjs";
import { accounts as choices, APP, authorize, PENDING, send, signedIn } from "./steps.mjs";

const SCOPE = "lists:write campaigns:write metrics:read";
let platform, server;
before(async () => {
  platform = await klaviyo();
  server = platform.server;
});
after(() => server?.stop());

const spa = () => ({ id: "demo-spa", redirectUri: `${server.issuer}/demo/` });

test("klaviyo-1 klaviyo-5 klaviyo-9 klaviyo-20 klaviyo-32: the guide's app: install, exchange, then ask for the account", async () => {
  const customerId = "customer-1234";
  const { codeVerifier, codeChallenge } = generateCodes();
  const owner = await signedIn(server);
  const redirect = await authorize(owner, installationUrl(APP, SCOPE, codeChallenge, customerId));
  const location = new URL(redirect.location);
  assert.equal(`${location.origin}${location.pathname}`, "http://127.0.0.1:5001/callback");
  assert.equal(redirect.state, customerId);
  assert.equal(redirect.error, undefined);

  const held = tokens(await exchange(server, { code: redirect.code, codeVerifier }));
  const answer = await accountsAtOnce(server, held.access_token);
  assert.equal(answer.status, 200, answer.text);
  const [account, ...others] = answer.json.data;
  assert.deepEqual(others, []);
  assert.equal(account.type, "account");
  assert.match(account.id, /^\w+$/);
  assert.equal(account.attributes.public_api_key, account.id);
  assert.equal(account.attributes.contact_information.organization_name, "Demo Store");
  tokens(await refresh(server, held.refresh_token));
  tokenError(await revoke(server, held.refresh_token), 200, {});
});

test("klaviyo-1: the endpoints answer at these paths only, and to these methods", async () => {
  for (const path of ["/oauth/token", "/oauth/revoke"]) {
    const answer = await send(server, "GET", path);
    assert.equal(answer.status, 405);
    assert.match(answer.headers.get("allow"), /POST/);
    assert.equal((await send(server, "POST", `${path}/`, { body: "" })).status, 404);
  }
  assert.equal((await send(server, "GET", "/api/v1/me")).status, 404, "Klaviyo has no such endpoint");
});

test("klaviyo-2: JSON is refused at token and revoke, refreshes included, and nothing is used up by it", async () => {
  const redirect = await platform.allow();
  const json = (path, fields) =>
    send(server, "POST", path, {
      headers: { authorization: basic(APP), "content-type": "application/json" },
      body: JSON.stringify(fields),
    });
  const refused = { error: "invalid_request", error_description: "send the parameters in the body as application/x-www-form-urlencoded" };
  const { code, codeVerifier } = redirect;
  const request = { grant_type: "authorization_code", code, code_verifier: codeVerifier, redirect_uri: APP.redirectUri };
  tokenError(await json("/oauth/token", request), 415, refused);
  const held = tokens(await exchange(server, redirect));
  tokenError(await json("/oauth/token", { grant_type: "refresh_token", refresh_token: held.refresh_token }), 415, refused);
  tokenError(await json("/oauth/revoke", { token: held.refresh_token }), 415, refused);
  // fetch() and axios add a parameter to the media type.
  const headers = { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" };
  tokens(await refresh(server, held.refresh_token, { headers }));
});

test("klaviyo-3: Basic is the one way in, at token, refresh and revoke; a secret in the body is refused", async () => {
  const redirect = await platform.allow();
  const headers = { authorization: undefined };
  const held = await platform.install();
  const requests = [
    (options) => exchange(server, redirect, options),
    (options) => refresh(server, held.refresh_token, options),
    (options) => revoke(server, held.refresh_token, options),
  ];
  for (const request of requests) {
    for (const body of [{ client_id: APP.id, client_secret: APP.secret }, { client_id: APP.id }, {}]) {
      const answer = await request({ headers, ...body });
      assert.equal(`${answer.status} ${answer.json.error}`, "401 invalid_client");
      assert.match(answer.headers.get("www-authenticate"), /^Basic realm=/);
    }
    const twice = await request({ client_id: APP.id, client_secret: APP.secret });
    assert.equal(`${twice.status} ${twice.json.error}`, "400 invalid_request", "two ways at once");
  }
  // Nothing happened meanwhile, and the id beside the header does no harm.
  tokens(await exchange(server, redirect, { client_id: APP.id }));
  tokens(await refresh(server, held.refresh_token));
});

test("klaviyo-S2 klaviyo-S3: an unknown client and a wrong secret are 401 invalid_client with a Basic challenge", async () => {
  const redirect = await platform.allow();
  for (const client of [
    { id: "nobody", secret: APP.secret },
    { id: APP.id, secret: "wrong" },
    { id: APP.id, secret: PENDING.secret },
    { id: APP.id, secret: `${APP.secret}x` },
  ]) {
    const tried = [await exchange(server, redirect, { client: { ...APP, ...client } }), await revoke(server, "kl_rt_x", { client })];
    for (const answer of tried) {
      tokenError(answer, 401, { error: "invalid_client", error_description: "the client is unknown or its secret is not right" });
      assert.match(answer.headers.get("www-authenticate"), /^Basic /);
    }
  }
  tokens(await exchange(server, redirect));
});

test("klaviyo-4 klaviyo-6 klaviyo-13: what the URL must hold; errors are RFC 6749's and keep the state", async () => {
  const owner = await signedIn(server);
  const { codeChallenge } = generateCodes();
  const open = (changes, client = APP) => {
    const url = new URL(installationUrl(client, SCOPE, codeChallenge, "s t/&="), server.issuer);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    return owner.page(url.pathname + url.search);
  };
  const cases = [
    ["invalid_request", { response_type: null }],
    ["unsupported_response_type", { response_type: "token" }],
    ["invalid_scope", { scope: null }],
    ["invalid_scope", { scope: "lists:write nope:read" }],
    ["invalid_request", { code_challenge: null }],
    ["invalid_request", { code_challenge_method: null }],
    ["invalid_request", { code_challenge: null, code_challenge_method: null }],
    ["invalid_request", { code_challenge_method: "plain" }],
    ["invalid_request", { code_challenge: codeChallenge.slice(1) }],
  ];
  for (const client of [APP, spa()]) {
    for (const [error, changes] of cases) {
      const { state } = errorRedirect(await open({ state: "s t/&=", ...changes }, client), client, server.issuer, error);
      assert.equal(state, "s t/&=", JSON.stringify(changes));
    }
  }
  // Without a proven client and address nobody is sent anywhere.
  const elsewhere = { redirect_uri: "https://your-website.com/oauth/klaviyo/callback" };
  for (const changes of [{ client_id: null }, { client_id: "nobody" }, elsewhere]) errorPage(await open(changes));
});

test("klaviyo-7: only an address of the allowlist is sent to; plain http is right on this computer", async () => {
  const owner = await signedIn(server);
  const { codeChallenge } = generateCodes();
  for (const redirectUri of [
    "http://127.0.0.1:5001/callback/",
    "http://127.0.0.1:5001/Callback",
    "http://127.0.0.1:5001/callback?x=1",
    "https://127.0.0.1:5001/callback",
    "http://127.0.0.1.example:5001/callback",
    "http://127.0.0.1:5001/oauth/klaviyo/callback",
    "https://oauth.pstmn.io/v1/callback",
  ]) {
    errorPage(await owner.page(installationUrl({ ...APP, redirectUri: encodeURIComponent(redirectUri) }, SCOPE, codeChallenge, "s")));
  }
  // The guide's own samples listen on ports 3000, 5001 and 8000.
  for (const redirectUri of ["http://127.0.0.1:3000/callback", "http://127.0.0.1:8000/callback"]) {
    const { location } = await platform.allow({ client: { ...APP, redirectUri } });
    assert.ok(location.startsWith(`${redirectUri}?code=`), location);
  }
});

test("klaviyo-7 klaviyo-S6: at the token URL redirect_uri is required and is that of the authorization request", async () => {
  const redirect = await platform.allow();
  const refused = { error: "invalid_grant", error_description: "Invalid 'redirect_uri' in request." };
  for (const redirect_uri of [undefined, "", "http://127.0.0.1:5002/callback", "http://127.0.0.1/callback", `${APP.redirectUri}/`]) {
    tokenError(await exchange(server, redirect, { redirect_uri }), 400, refused);
  }
  tokens(await exchange(server, redirect));
});

test("klaviyo-8 klaviyo-20: accounts:read is added to what the app asks for: on the page, in the answer, in what works", async () => {
  const owner = await signedIn(server);
  for (const [scope, told, words] of [
    ["lists:write", "accounts:read lists:write", ["Change your lists and who is on them"]],
    ["accounts:read", "accounts:read", []],
    ["profiles:read flows:read", "accounts:read flows:read profiles:read", ["See your flows", "See the people you know"]],
  ]) {
    const { codeVerifier, codeChallenge } = generateCodes();
    const redirect = await authorize(owner, installationUrl(APP, scope, codeChallenge, "s"));
    for (const line of ["See your account's name and settings", ...words]) assert.ok(redirect.page.text.includes(line), line);
    assert.equal(redirect.page.html.match(/<ul class="scopes">.*?<\/ul>/s)[0].match(/<li>/g).length, told.split(" ").length);
    const held = tokens(await exchange(server, { code: redirect.code, codeVerifier }), told);
    assert.equal((await platform.accounts(held.access_token)).status, 200);
  }
});

test("klaviyo-9: the state comes back whatever it holds, on success and on denial; none is invented", async () => {
  const owner = await signedIn(server);
  const { codeChallenge } = generateCodes();
  for (const state of ["1234", 'a b+c%20&d=e/?#"\'<>\\', '{"customer":"Käse ☕","next":"/x?y=1"}', "null", "x".repeat(4096)]) {
    for (const decision of ["allow", "deny"]) {
      const redirect = await authorize(owner, installationUrl(APP, SCOPE, codeChallenge, encodeURIComponent(state)), { decision });
      assert.equal(redirect.state, state);
    }
  }
  // The guide's example installation URL has no state.
  const example =
    "/oauth/authorize?response_type=code&client_id=demo-server&redirect_uri=http://127.0.0.1:5001/callback" +
    "&scope=lists:write campaigns:write metrics:read&code_challenge_method=S256&code_challenge=WZRHGrsBESr8wYFZ9sx0tPURuZgG2lmzyvWpwXPKz8U";
  for (const decision of ["allow", "deny"]) {
    const { location } = await authorize(owner, example, { decision });
    assert.equal(new URL(location).searchParams.has("state"), false, location);
  }
});

test("klaviyo-12 klaviyo-S1: a denial has the guide's words, plus signs included, and no code", async () => {
  const { location, page } = await platform.allow({ decision: "deny", customerId: "1234" });
  assert.match(page.html, /value="deny"[^>]*>Deny</);
  const issuer = encodeURIComponent(server.issuer);
  assert.equal(
    location,
    "http://127.0.0.1:5001/callback?error=access_denied" +
      "&error_description=The+resource+owner+or+authorization+server+denied+the+request" +
      `&state=1234&iss=${issuer}`,
  );
});

test("klaviyo-10 klaviyo-27: the page names platform, app, permissions and accounts; the token stands for the chosen account", async () => {
  const owner = await signedIn(server);
  const page = await owner.page(installationUrl(APP, SCOPE, generateCodes().codeChallenge, "s"));
  for (const words of [
    "Shop Sync asks for access to your Klaviyo account",
    "Create, change and send campaigns",
    "Change your lists and who is on them",
    "See your metrics",
    "For which Klaviyo account?",
    "It ends by itself after 90 days without use.",
  ]) {
    assert.ok(page.text.includes(words), words);
  }
  assert.doesNotMatch(page.text, /has not been reviewed/);
  assert.match(page.html, /<button[^>]*value="allow"[^>]*>Allow</);
  assert.match(page.html, /<link rel="stylesheet" href="\/platform\.css"/);
  const css = await send(server, "GET", "/platform.css");
  assert.match(css.headers.get("content-type"), /^text\/css/);
  assert.match(css.text, /#1f4a3d/i);
  assert.deepEqual(choices(page).map(({ name }) => name), ["Demo Store", "Second Store"]);

  const answers = [];
  for (const account of ["Demo Store", "Second Store"]) {
    const held = await platform.install({ account });
    const { json, text } = await platform.accounts(held.access_token);
    assert.equal(json.data[0].attributes.contact_information.organization_name, account);
    assert.doesNotMatch(text, /owner@demo|Olivia/, "nothing of the person");
    answers.push(json.data[0].id);
  }
  assert.notEqual(answers[0], answers[1]);
});

test("klaviyo-11: somebody not signed in signs in first and then decides", async () => {
  const stranger = new Browser(server);
  const url = new URL(installationUrl(APP, SCOPE, generateCodes().codeChallenge, "s"), server.issuer);
  const first = await stranger.page(url.pathname + url.search);
  assert.equal(first.status, 303);
  assert.match(first.location, /^\/login\?return_to=/);
  const login = await stranger.page(first.location);
  const back = await stranger.submit(login.forms[0], { email: OWNER, password: PASSWORD });
  assert.equal(back.status, 303);
  const { code, state } = await authorize(stranger, back.location);
  assert.ok(code);
  assert.equal(state, "s");
});

test("klaviyo-10: somebody without the role for it gets no consent form, and the app hears nothing by itself", async () => {
  const analyst = await signedIn(server, STAFF);
  const page = await analyst.page(installationUrl(APP, SCOPE, generateCodes().codeChallenge, "s"));
  errorPage(page, 403);
  assert.deepEqual(page.forms.filter((form) => form.controls.some(({ name }) => name === "consent")), []);
});

test("klaviyo-14 klaviyo-S5: a code works for five minutes and once", async () => {
  const refused = { error: "invalid_grant", error_description: "Invalid 'code' in request." };
  const [late, inTime] = [await platform.allow(), await platform.allow()];
  await platform.pass(298_000);
  tokens(await exchange(server, inTime));
  await platform.pass(4000);
  tokenError(await exchange(server, late), 400, refused);
  tokenError(await exchange(server, inTime), 400, refused);
  const another = await platform.allow();
  for (const code of ["nonsense", `${another.code.slice(0, -1)}${another.code.endsWith("A") ? "B" : "A"}`]) {
    tokenError(await exchange(server, { ...another, code }), 400, refused);
  }
  tokenError(await exchange(server, another, { client: PENDING }), 400, refused);
  tokens(await exchange(server, another));
});

test("klaviyo-6 klaviyo-S7 klaviyo-S8 klaviyo-S9: a missing, a malformed and a wrong verifier, each with its words", async () => {
  const redirect = await platform.allow();
  const say = (error, error_description) => ({ error, error_description });
  const missing = say("invalid_request", "Missing 'code_verifier'");
  for (const code_verifier of [undefined, ""]) tokenError(await exchange(server, redirect, { code_verifier }), 400, missing);
  for (const code_verifier of ["a".repeat(42), "a".repeat(129), `${"a".repeat(43)}+`, `${"a".repeat(42)} `, "ä".repeat(43)]) {
    tokenError(await exchange(server, redirect, { code_verifier }), 400, say("invalid_request", "Invalid 'code_verifier'"));
  }
  const wrong = [generateCodes().codeVerifier, challengeOf(redirect.codeVerifier)];
  for (const code_verifier of wrong) {
    tokenError(await exchange(server, redirect, { code_verifier }), 400, say("invalid_grant", "Code challenge failed."));
  }
  tokens(await exchange(server, redirect));
});

test("klaviyo-6: verifiers of 43 to 128 letters, digits, periods, hyphens, underscores and tildes work", async () => {
  const owner = await signedIn(server);
  for (const codeVerifier of [`${"aZ9".repeat(13)}-._~`, "~._-".repeat(32)]) {
    assert.ok([43, 128].includes(codeVerifier.length));
    const url = installationUrl(APP, SCOPE, challengeOf(codeVerifier), "s");
    const { code } = await authorize(owner, url);
    tokens(await exchange(server, { code, codeVerifier }));
  }
});

test("klaviyo-E6: a code that is used twice ends the tokens of its first use, and nothing else of the connection", async () => {
  const [other, held] = [await platform.install(), await platform.install()];
  tokenError(await exchange(server, held), 400, { error: "invalid_grant", error_description: "Invalid 'code' in request." });
  authenticationFailed(await platform.accounts(held.access_token));
  tokenError(await refresh(server, held.refresh_token), 400, { error: "invalid_grant" });
  assert.equal((await platform.accounts(other.access_token)).status, 200);
  tokens(await refresh(server, other.refresh_token));
});

test("klaviyo-6 klaviyo-E5: a public app needs PKCE too; its refresh tokens rotate, and a replay ends the connection", async () => {
  const client = spa();
  const owner = await signedIn(server);
  const url = `/oauth/authorize?response_type=code&client_id=demo-spa&redirect_uri=${client.redirectUri}&scope=lists:read&state=s`;
  errorRedirect(await owner.page(url), client, server.issuer, "invalid_request");

  const asPublic = { client, headers: { authorization: undefined }, client_id: "demo-spa" };
  const { codeVerifier, codeChallenge } = generateCodes();
  const { code } = await authorize(owner, installationUrl(client, "lists:read", codeChallenge, "s"));
  tokenError(await exchange(server, { code }, asPublic), 400, { error: "invalid_request", error_description: "Missing 'code_verifier'" });
  const first = tokens(await exchange(server, { code, codeVerifier }, asPublic), "accounts:read lists:read");
  await connection(server, "Connected", "Segment Viewer");
  const second = tokens(await refresh(server, first.refresh_token, asPublic), "accounts:read lists:read");
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal((await platform.accounts(first.access_token)).status, 200, "the access token lives on");
  // accounts() has let the window for retries pass.
  tokenError(await refresh(server, first.refresh_token, asPublic), 400, { error: "invalid_grant" });
  tokenError(await refresh(server, second.refresh_token, asPublic), 400, { error: "invalid_grant" });
  for (const token of [first.access_token, second.access_token]) authenticationFailed(await platform.accounts(token));
  await connection(server, "Ended", "Segment Viewer");
});

test("klaviyo-15: an access token lives one hour, as expires_in says", async () => {
  const { access_token } = await platform.install();
  await platform.pass(3_590_000);
  assert.equal((await platform.accounts(access_token)).status, 200);
  await platform.pass(10_000);
  notAuthenticated(await platform.accounts(access_token));
});

test("klaviyo-S11: another grant type is unsupported_grant_type, with its name in the words", async () => {
  for (const grant_type of ["password", "client_credentials", "invalid_grant_type"]) {
    tokenError(await refresh(server, "kl_rt_x", { grant_type }), 400, {
      error: "unsupported_grant_type",
      error_description: `grant_type=${grant_type} is not supported`,
    });
  }
  const quoted = await refresh(server, "kl_rt_x", { grant_type: 'a"b\\c' });
  assert.equal(quoted.json.error_description, "grant_type=a?b?c is not supported");
});
