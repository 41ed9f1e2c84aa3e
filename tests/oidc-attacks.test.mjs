// A provider that lies, one that is down, and answers that belong to another sign-in: nobody is signed in, nothing is written.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { SignJWT, UnsecuredJWT } from "jose";
import { Browser } from "./harness/client.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { arrive, begin, configured, count, hostileProvider, logged } from "./harness/providers.mjs";
import { startServer } from "./harness/server.mjs";

let hostile, strict, liar, server;
const down = { issuer: "http://127.0.0.1:9" }; // nobody listens on the port of "discard"
before(async () => {
  [hostile, strict, liar] = await Promise.all([
    hostileProvider(),
    hostileProvider({ authorization_response_iss_parameter_supported: true, token_endpoint_auth_methods_supported: ["client_secret_post"] }),
    hostileProvider({ issuer: "https://attacker.example" }),
  ]);
  const providers = [
    configured("hostile", hostile),
    configured("strict", strict),
    configured("liar", liar),
    configured("down", down),
  ];
  server = await startServer({ vars: { OIDC_PROVIDERS: JSON.stringify(providers) } });
});
after(() => Promise.all([server, hostile, strict, liar].map((one) => one?.stop?.() ?? one?.close())));
afterEach(() => Promise.all([server.clock(0), hostile.reset(), strict.reset()]));

const rows = async () => (await server.sql("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM sessions) + (SELECT count(*) FROM identities) AS n"))[0].n;
const isSignedIn = async (browser) => (await browser.page("/account/apps")).status === 200;

/** Begins at a provider of this file and gives the request's parameters; the provider's next token has its nonce. */
async function begun(browser, provider = hostile, id = "hostile", returnTo) {
  const params = Object.fromEntries((await begin(browser, id, returnTo)).searchParams);
  provider.nonce = params.nonce;
  return params;
}

/** A whole sign-in at the hostile provider. */
async function signIn(browser = new Browser(server)) {
  const { state } = await begun(browser);
  return { browser, answer: await arrive(browser, "hostile", { code: "a-code", state }) };
}

/** The sign-in does not work: a page that says so, with a way to try again, no session and no row. */
async function refused(run, status = 502) {
  const before = await rows();
  const { browser, answer } = await run();
  errorPage(answer, status);
  assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
  assert.match(answer.html, /href="\/login/);
  assert.equal(await isSignedIn(browser), false);
  assert.equal(await rows(), before, "nothing half-written");
  return answer;
}

test("the hostile provider's honest token signs in, with RS256 and with ES256: what follows is refused for its own reason", async () => {
  const first = await signIn();
  assert.equal(`${first.answer.status} ${first.answer.location}`, "303 /account/apps");
  const [{ headers, form }] = hostile.requests;
  assert.equal(headers.authorization, `Basic ${Buffer.from(`edgegrant:${hostile.secret}`).toString("base64")}`);
  assert.equal(form.get("redirect_uri"), `${server.issuer}/login/hostile/callback`);
  assert.match(form.get("code_verifier"), /^[\w-]{43}$/);
  assert.ok(!form.has("client_secret"));
  hostile.makeToken = (claims) => hostile.sign(claims, { alg: "ES256", kid: "ec-1" }, hostile.keys.ec.privateKey);
  assert.equal((await signIn()).answer.status, 303);
  hostile.makeToken = (claims) => hostile.sign(claims, { alg: "RS256" });
  assert.equal((await signIn()).answer.status, 303, "a token that does not name its key");
  hostile.claims = { aud: ["other", "edgegrant"], azp: "edgegrant" };
  assert.equal((await signIn()).answer.status, 303, "several audiences");
});

for (const [what, claims] of [
  ["another nonce", { nonce: "another" }],
  ["no nonce", { nonce: undefined }],
  ["another audience", { aud: "another-client" }],
  ["several audiences without azp", { aud: ["edgegrant", "another-client"] }],
  ["an azp that is another client", { aud: ["edgegrant", "another-client"], azp: "another-client" }],
  ["another issuer", { iss: "https://attacker.example" }],
  ["no sub", { sub: undefined }],
  ["an expiry in the past", { exp: Math.floor(Date.now() / 1000) - 61 }],
  ["an issue in the future", { iat: Math.floor(Date.now() / 1000) + 300 }],
  ["accounts that cannot be read", { accounts: [{ id: "x" }] }],
  ["the hash of another access token", { at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }],
])
  test(`an ID token with ${what} signs nobody in`, async () => {
    hostile.claims = claims;
    await refused(signIn);
  });

test("an ID token whose signature is wrong, missing or made with what is public signs nobody in", async () => {
  const secret = new TextEncoder().encode(hostile.secret);
  const publicKey = new TextEncoder().encode(JSON.stringify(hostile.published[0]));
  const other = { rs: hostile.keys.foreign.privateKey, ec: hostile.keys.ec.privateKey };
  const changed = (token, at) => `${token.slice(0, at)}${token.at(at) === "A" ? "B" : "A"}${token.slice(at + 1)}`;
  const tokens = {
    "another key under the known id": (claims) => hostile.sign(claims, { alg: "RS256", kid: "rsa-1" }, other.rs),
    "another key without id": (claims) => hostile.sign(claims, { alg: "RS256" }, other.rs),
    "the EC key under the RSA key's id": (claims) => hostile.sign(claims, { alg: "ES256", kid: "rsa-1" }, other.ec),
    "alg none": (claims) => new UnsecuredJWT(claims).encode(),
    "alg none with a signature": async (claims) => {
      const [, payload, signature] = (await hostile.sign(claims)).split(".");
      return `${Buffer.from('{"alg":"none"}').toString("base64url")}.${payload}.${signature}`;
    },
    "HS256 with the client secret": (claims) => new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(secret),
    "HS256 with the public key": (claims) => new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "rsa-1" }).sign(publicKey),
    "no signature": async (claims) => (await hostile.sign(claims)).replace(/[^.]*$/, ""),
    "a changed signature": async (claims) => changed(await hostile.sign(claims), -20),
    "changed claims": async (claims) => {
      const [header, , signature] = (await hostile.sign(claims)).split(".");
      return `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: "victim" })).toString("base64url")}.${signature}`;
    },
    "no token at all": () => undefined,
    "no JWT": () => "x",
  };
  for (const [what, makeToken] of Object.entries(tokens)) {
    hostile.makeToken = makeToken;
    await refused(signIn).catch((error) => assert.fail(`${what}: ${error.message}`));
  }
});

test("login CSRF: a sign-in begins with the form of this browser only, never with a link", async () => {
  const [victim, attacker] = [new Browser(server), new Browser(server)];
  const form = (await attacker.page("/login")).forms.find(({ action }) => action === "/login/hostile");
  await victim.page("/login");
  errorPage(await victim.submit(form), 403);
  const own = (await victim.page("/login")).forms.find(({ action }) => action === "/login/hostile");
  errorPage(await victim.submit(own, {}, {}, { origin: "https://attacker.example", "sec-fetch-site": "cross-site" }), 403);
  const link = await victim.page("/login/hostile?return_to=/");
  errorPage(link, 405);
  assert.equal(link.headers.get("allow"), "POST");
  errorPage(await victim.page("/login/nobody", { method: "POST", body: new URLSearchParams({ csrf: "x" }) }), 404);
  errorPage(await victim.page("/login/nobody/callback?code=x&state=y"), 404);
});

test("an answer counts in the browser that asked only: without its cookie, or in the attacker's stead, it is nothing", async () => {
  const [victim, attacker] = [new Browser(server), new Browser(server)];
  const { state } = await begun(attacker);
  const answer = await arrive(victim, "hostile", { code: "the-attackers-code", state });
  errorPage(answer, 400);
  assert.match(answer.text, /no longer valid/);
  await begun(victim);
  errorPage(await arrive(victim, "hostile", { code: "the-attackers-code", state }), 400);
  assert.equal(await isSignedIn(victim), false);
  assert.equal(hostile.requests.length, 0, "the code went nowhere");
});

test("a wrong, missing or doubled state is refused before anything is asked", async () => {
  const browser = new Browser(server);
  const { state } = await begun(browser);
  for (const query of [`state=${state[0] === "A" ? "B" : "A"}${state.slice(1)}`, "state=", "", `state=${state}&state=${state}`, `state=${state}x`]) {
    errorPage(await browser.page(`/login/hostile/callback?code=x&${query}`), 400);
  }
  // A cookie put under the name of another state does not make that state right.
  const [[name, value]] = [...browser.cookies].filter(([cookie]) => cookie.includes("flow"));
  const other = await begun(browser);
  const [, otherName] = [...browser.cookies.keys()].filter((cookie) => cookie.includes("flow"));
  browser.cookies.set(otherName, value);
  errorPage(await arrive(browser, "hostile", { code: "x", state: other.state }), 400);
  browser.cookies.set(name, `${value.slice(0, -1)}${value.endsWith("A") ? "B" : "A"}`);
  errorPage(await arrive(browser, "hostile", { code: "x", state }), 400);
  assert.equal(hostile.requests.length, 0);
});

test("a callback works once: replayed, or after its time, it is nothing", async () => {
  const browser = new Browser(server);
  const { state } = await begun(browser);
  assert.equal((await arrive(browser, "hostile", { code: "once", state })).status, 303);
  errorPage(await arrive(browser, "hostile", { code: "once", state }), 400);
  assert.equal(hostile.requests.length, 1);
  const late = await begun(browser);
  await server.clock(15 * 60_000 + 1000);
  errorPage(await arrive(browser, "hostile", { code: "late", state: late.state }), 400);
  assert.equal(hostile.requests.length, 1);
});

test("HEAD does not use an answer up", async () => {
  const browser = new Browser(server);
  const { state } = await begun(browser);
  assert.equal((await browser.fetch(`/login/hostile/callback?code=x&state=${state}`, { method: "HEAD" })).status, 405);
  assert.equal((await arrive(browser, "hostile", { code: "x", state })).status, 303);
});

test("mix-up: the code of one provider at another's callback goes to neither", async () => {
  const browser = new Browser(server);
  const { state } = await begun(browser);
  errorPage(await arrive(browser, "strict", { code: "of-hostile", state, iss: strict.issuer }), 400);
  assert.equal(strict.requests.length + hostile.requests.length, 0);
});

test("RFC 9207: the issuer in an answer must be right when it is there, and be there when the provider says so", async () => {
  const attempt = (id, provider, params) =>
    refused(async () => {
      const browser = new Browser(server);
      const { state } = await begun(browser, provider, id);
      return { browser, answer: await arrive(browser, id, { state, ...params }) };
    });
  await attempt("hostile", hostile, { code: "x", iss: strict.issuer });
  await attempt("hostile", hostile, { code: "x", iss: `${hostile.issuer}/` });
  await attempt("strict", strict, { code: "x" });
  await attempt("strict", strict, { error: "access_denied" });
  assert.equal(strict.requests.length + hostile.requests.length, 0);
  const browser = new Browser(server);
  const { state } = await begun(browser, strict, "strict");
  assert.equal((await arrive(browser, "strict", { code: "x", state, iss: strict.issuer })).status, 303);
  assert.equal(strict.requests[0].form.get("client_secret"), strict.secret, "client_secret_post where that is what it takes");
  assert.equal(strict.requests[0].headers.authorization, undefined);
});

test("an error answer is a page in plain words with the way back to where the person was going; its texts are not repeated", async () => {
  for (const [error, status, words] of [
    ["access_denied", 403, /You are not signed in.*Hostile Accounts was cancelled or refused/],
    ["temporarily_unavailable", 503, /Sign-in at Hostile Accounts did not work.*within a minute/],
    ["invalid_scope", 502, /Sign-in at Hostile Accounts did not work/],
    ["made-up-by-the-provider", 502, /Sign-in at Hostile Accounts did not work/],
  ]) {
    const browser = new Browser(server);
    const { state } = await begun(browser, hostile, "hostile", "/account/apps?skip=20");
    const answer = await arrive(browser, "hostile", { error, error_description: "words-of-the-provider", state });
    errorPage(answer, status);
    assert.match(answer.text, words);
    assert.ok(!answer.html.includes("words-of-the-provider") && !answer.html.includes("made-up"));
    assert.match(answer.html, /\/login\?return_to=%2Faccount%2Fapps%3Fskip%3D20/);
  }
  assert.ok((await logged(server, "provider error invalid_scope")) && !server.log.includes("made-up-by-the-provider"));
});

test("a token endpoint that refuses or fails is a page that says so", async () => {
  hostile.tokenAnswer = [400, { error: "invalid_grant", error_description: "words-of-the-provider" }];
  const answer = await refused(signIn, 502);
  assert.ok(!answer.html.includes("words-of-the-provider"));
  hostile.tokenAnswer = [500, {}];
  assert.ok((await refused(signIn, 503)).headers.get("retry-after"));
  hostile.tokenAnswer = [200, {}];
  await refused(signIn);
  hostile.tokenAnswer = [200, { id_token: "x".repeat(300_000) }];
  await refused(signIn);
});

test("a provider that is down, lies about its issuer or leads elsewhere is a page with a way to try again", async () => {
  for (const [id, status] of [
    ["down", 503],
    ["liar", 502],
  ]) {
    const { answer } = await begin(new Browser(server), id, "/account/apps?skip=20").catch((error) => error);
    assert.equal(answer.status, status, id);
    safePage(answer);
    assert.match(answer.text, new RegExp(`Sign-in at ${id === "down" ? "Down" : "Liar"} Accounts did not work`));
    assert.match(answer.html, /href="\/login\?return_to=%2Faccount%2Fapps%3Fskip%3D20"[^>]*>Try again/);
  }
  assert.ok(await logged(server, "provider metadata names another issuer"));
});

test("documents that redirect, are too large, or never end are not taken", async () => {
  await server.clock(3_700_000); // what was known is over
  const before = Date.now();
  for (const [handle, status] of [
    [(response) => response.writeHead(302, { location: "/elsewhere" }).end(), 502], // to the right document
    [(response) => response.end(JSON.stringify({ issuer: hostile.issuer, x: "x".repeat(300_000) })), 502],
    [(response) => response.writeHead(200).flushHeaders(), 503],
  ]) {
    hostile.handle = (path, response) => {
      if (path === "/elsewhere") return response.end(JSON.stringify(hostile.document));
      return path.endsWith("openid-configuration") && (handle(response), true);
    };
    const { answer } = await begin(new Browser(server), "hostile").catch((error) => error);
    assert.equal(answer.status, status);
  }
  hostile.handle = undefined;
  assert.ok(Date.now() - before < 8000, "five seconds, then an answer");
});

test("keys are asked for once; an unknown key asks again at most once a minute, and a new key works then", async () => {
  const asked = () => count(hostile, "/jwks");
  await server.clock(7_400_000);
  hostile.claims = { iat: hostile.now() + 7400, exp: hostile.now() + 7700 };
  await signIn();
  const first = asked();
  await signIn();
  assert.equal(asked(), first, "kept");
  const metadata = count(hostile, "/.well-known/openid-configuration");
  hostile.makeToken = (claims) => hostile.sign(claims, { alg: "RS256", kid: "rsa-2" }, hostile.keys.foreign.privateKey);
  for (let n = 0; n < 4; n++) await refused(signIn);
  assert.equal(asked(), first, "the keys were fetched less than a minute ago");
  await server.clock(7_470_000);
  for (let n = 0; n < 4; n++) await refused(signIn);
  assert.equal(asked(), first + 1);
  hostile.published.push(await hostile.jwk(hostile.keys.foreign, "rsa-2", "RS256"));
  await refused(signIn);
  await server.clock(7_540_000);
  assert.equal((await signIn()).answer.status, 303);
  assert.equal(asked(), first + 2);
  assert.equal(count(hostile, "/.well-known/openid-configuration"), metadata);
});

test("where it leads afterwards is a path of this server; an app's request that no cookie can hold is refused with words", async () => {
  for (const target of ["https://attacker.example/", "//attacker.example/", "/\\attacker.example"]) {
    const browser = new Browser(server);
    const { state } = await begun(browser, hostile, "hostile", target);
    assert.equal((await arrive(browser, "hostile", { code: "x", state })).location, "/account/apps");
  }
  const { answer } = await begin(new Browser(server), "hostile", `/oauth/authorize?state=${"x".repeat(4000)}`).catch((error) => error);
  errorPage(answer, 400);
  assert.match(answer.text, /too long to be kept/);
});

test("a fault of the storage is a page to try again from, nobody is half signed in; a sign-in is two batches", async () => {
  const counting = await startServer({ counting: true, vars: { OIDC_PROVIDERS: JSON.stringify([configured("hostile", hostile)]) } });
  try {
    const browser = new Browser(counting);
    const { state } = await begun(browser);
    await counting.faults({ d1: "throw", d1Batch: "throw" });
    const answer = await arrive(browser, "hostile", { code: "x", state });
    errorPage(answer, 503);
    assert.match(answer.text, /Sign-in at Hostile Accounts did not work/);
    assert.ok(!answer.html.includes("code=x"));
    await counting.faults({});
    assert.deepEqual(await counting.sql("SELECT id FROM sessions UNION ALL SELECT user_id FROM identities"), []);
    const again = await begun(browser);
    const { value, cost } = await counting.counted(() => arrive(browser, "hostile", { code: "x", state: again.state }));
    assert.equal(value.status, 303);
    assert.deepEqual([cost.d1Batches, cost.d1Statements, cost.objectRequests], [2, 0, 0]);
    const { cost: nothing } = await counting.counted(() => arrive(new Browser(counting), "hostile", { code: "x", state: again.state }));
    assert.deepEqual([nothing.d1Batches, nothing.d1Statements, nothing.objectRequests], [0, 0, 0], "an answer nobody waits for");
    assert.equal((await counting.sql("SELECT count(*) AS n FROM sessions"))[0].n, 1);
  } finally {
    await counting.stop();
  }
});

test("a session ends when its provider is no longer trusted, and passwords can be switched off", async () => {
  const vars = { OIDC_PROVIDERS: JSON.stringify([configured("hostile", hostile)]), POLICY: '{"login":{"password":false}}' };
  const only = await startServer({ vars });
  try {
    const browser = new Browser(only);
    const login = await browser.page("/login");
    assert.deepEqual(
      login.forms.map(({ action }) => action),
      ["/login/hostile"],
    );
    assert.doesNotMatch(login.text, /Password|demo-password/i);
    const body = login.forms[0].data();
    body.set("email", "owner@demo.example");
    body.set("password", "demo-password");
    errorPage(await browser.page("/login", { method: "POST", body, headers: { origin: only.issuer } }), 403);
    const { state } = await begun(browser);
    assert.equal((await arrive(browser, "hostile", { code: "x", state })).status, 303);
    assert.equal((await browser.page("/account/apps")).status, 200);
    only.options.vars = { ...vars, OIDC_PROVIDERS: JSON.stringify([configured("other", strict)]) };
    await only.restart();
    assert.equal((await browser.page("/account/apps")).status, 303);
  } finally {
    await only.stop();
  }
});

test("a list of providers that is wrong stops the deployment at its start; the log names the key and no value", async () => {
  for (const [vars, words] of [
    [{ OIDC_PROVIDERS: "{" }, "OIDC_PROVIDERS is not JSON"],
    [{ OIDC_PROVIDERS: JSON.stringify([configured("a", { issuer: "http://login.example" })]) }, "OIDC_PROVIDERS[0].issuer: allowed is an https address"],
    [{ OIDC_PROVIDERS: JSON.stringify([{ ...configured("a", hostile), client_sceret: "SECRET" }]) }, "OIDC_PROVIDERS[0] has an unknown key"],
    [{ POLICY: '{"login":{"password":false}}' }, "OIDC_PROVIDERS names no provider"],
    [{ SETUP_TOKEN: "short" }, "SETUP_TOKEN is not base64url of 32 bytes"],
  ]) {
    const broken = await startServer({ seed: false, vars });
    try {
      const answer = await broken.fetch("/login");
      assert.equal(answer.status, 503);
      assert.match(await answer.text(), /set-up unfinished/i);
      assert.ok(await logged(broken, words), broken.log);
      assert.ok(!broken.log.includes("SECRET") && !broken.log.includes(hostile.secret));
    } finally {
      await broken.stop();
    }
  }
});
