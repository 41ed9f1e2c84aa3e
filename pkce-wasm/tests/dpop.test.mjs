// Proof of possession (RFC 9449): the proofs themselves, verified with jose, and the whole way with npm oidc-provider,
// which demands a bound token and a nonce in every proof.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from "jose";
import { createDpop, createSession, discover, handleCallback, refresh, revoke, startLogin } from "../dist/index.js";
import { ProviderBrowser } from "../../tests/harness/providers.mjs";
import { startOidcProvider } from "./foreign/oidc-provider.mjs";
import { MemoryStorage, tokenAnswer } from "./server.mjs";
import { answerTo, login, pkceError, REDIRECT_URI, world } from "./setup.mjs";

const verify = (proof) => jwtVerify(proof, EmbeddedJWK, { typ: "dpop+jwt", algorithms: ["ES256"], maxTokenAge: 5 });
const API = { method: "get", url: "https://api.example:8443/a%20b/?page=2#end", accessToken: "the-token" };

const withNonce = (nonce) => new Response(null, { headers: nonce ? { "DPoP-Nonce": nonce } : {} });

test("a proof holds what RFC 9449 §4.2 asks for and nothing private", async () => {
  const dpop = createDpop();
  const proof = await dpop.proof(API);
  const { payload, protectedHeader } = await verify(proof);
  assert.deepEqual(Object.keys(protectedHeader).sort(), ["alg", "jwk", "typ"]);
  assert.deepEqual(Object.keys(protectedHeader.jwk).sort(), ["crv", "kty", "x", "y"]);
  assert.equal(await dpop.thumbprint(), await calculateJwkThumbprint(protectedHeader.jwk));
  const { jti, iat, ...rest } = payload;
  assert.deepEqual(rest, {
    htm: "GET",
    htu: "https://api.example:8443/a%20b/",
    ath: createHash("sha256").update("the-token").digest("base64url"),
  });
  assert.ok(jti.length >= 22 && Number.isInteger(iat));

  const bare = (await verify(await dpop.proof({ method: "POST", url: "https://as.example/token" }))).payload;
  assert.equal("ath" in bare, false);
  assert.notEqual(bare.jti, jti);
});

test("one key for all proofs, another one after forget", async () => {
  const dpop = createDpop();
  const [one, two] = await Promise.all([dpop.proof(API), dpop.proof(API)]);
  const jwk = async (proof) => (await verify(proof)).protectedHeader.jwk;
  assert.deepEqual(await jwk(one), await jwk(two), "also when two ask before there is one");
  const before = await dpop.thumbprint();
  dpop.noteNonce(API.url, withNonce("n"));
  await dpop.forget();
  assert.notEqual(await dpop.thumbprint(), before);
  assert.equal((await verify(await dpop.proof(API))).payload.nonce, undefined);
});

test("the last nonce of an origin goes into the proofs for that origin only", async () => {
  const dpop = createDpop();
  const nonceFor = async (url) => (await verify(await dpop.proof({ method: "GET", url }))).payload.nonce;
  assert.equal(dpop.noteNonce(API.url, withNonce()), false);
  assert.equal(await nonceFor(API.url), undefined);
  assert.equal(dpop.noteNonce(API.url, withNonce("one")), true);
  assert.equal(dpop.noteNonce(API.url, withNonce("two")), true);
  assert.equal(dpop.noteNonce(API.url, withNonce()), false);
  assert.equal(await nonceFor("https://api.example:8443/other"), "two");
  assert.equal(await nonceFor("https://api.example/other"), undefined);
});

test("without crypto.subtle, as on plain http, the error says what is missing", async () => {
  const saved = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
  try {
    await assert.rejects(createDpop().thumbprint(), pkceError("unsupported", { retry: "no" }));
    await assert.rejects(createDpop().proof(API), /for DPoP, https/);
    await assert.rejects(refresh({ ...world.config, dpop: createDpop() }, "rt-0"), pkceError("unsupported"));
    assert.equal(world.server.requests.length, 0);
  } finally {
    Object.defineProperty(globalThis, "crypto", saved);
  }
});

const bound = (number) => tokenAnswer(number, { token_type: "DPoP" });
const wantsNonce = (nonce, status = 400) => ({
  status,
  headers: nonce ? { "dpop-nonce": nonce } : {},
  json: { error: "use_dpop_nonce" },
});

test("the token endpoint gets a proof, and one more when it names a nonce; later ones hold it at once", async () => {
  const config = { ...world.config, dpop: createDpop() };
  const answers = [wantsNonce("n-1", 401), { ...bound(1), headers: { "dpop-nonce": "n-2" } }, bound(2)];
  world.server.answer("/token", () => answers.shift());
  const tokens = await refresh(config, "rt-0");
  assert.deepEqual([tokens.tokenType, tokens.accessToken], ["DPoP", "at-1"]);
  await refresh(config, "rt-1");
  const sent = world.server.requests;
  const claims = await Promise.all(sent.map(async ({ headers }) => (await verify(headers.dpop)).payload));
  assert.deepEqual(
    claims.map(({ nonce }) => nonce),
    [undefined, "n-1", "n-2"],
  );
  assert.equal(new Set(claims.map(({ jti }) => jti)).size, 3);
  for (const { htm, htu } of claims) assert.deepEqual([htm, htu], ["POST", config.tokenEndpoint]);
  assert.deepEqual(Object.fromEntries(sent[0].form), Object.fromEntries(sent[1].form));
  for (const { headers } of sent) assert.equal(headers.accept, "application/json");
});

test("it is asked twice at most, and only once when it names no nonce", async () => {
  const config = { ...world.config, dpop: createDpop() };
  let nonces = 0;
  world.server.answer("/token", () => ((nonces += 1) < 5 ? wantsNonce(`n-${nonces}`) : bound(1)));
  const refused = pkceError("token_error", { oauthError: "use_dpop_nonce", status: 400 });
  await assert.rejects(refresh(config, "rt-0"), refused);
  assert.equal(world.server.requests.length, 2);
  world.server.answer("/token", wantsNonce());
  await assert.rejects(refresh(config, "rt-0"), refused);
  assert.equal(world.server.requests.length, 3);
  const named = { status: 400, headers: { "dpop-nonce": "n" }, json: { error: "invalid_dpop_proof" } };
  world.server.answer("/token", named);
  await assert.rejects(refresh(config, "rt-0"), pkceError("token_error", { oauthError: "invalid_dpop_proof" }));
  assert.equal(world.server.requests.length, 4);
});

test("two calls that learn of the same nonce at the same time both go on", async () => {
  const config = { ...world.config, dpop: createDpop() };
  let first = 0;
  let release;
  const both = new Promise((resolve) => (release = resolve));
  world.server.answer("/token", async ({ headers }) => {
    if ((await verify(headers.dpop)).payload.nonce) return bound(1);
    if ((first += 1) === 2) release();
    await both;
    return wantsNonce("n-1");
  });
  const results = await Promise.all([refresh(config, "rt-1"), refresh(config, "rt-2")]);
  assert.equal(results.length, 2);
});

test("no silent downgrade: a Bearer token is no answer to a proof, nor a bound one to none", async () => {
  const dpop = createDpop();
  world.server.answer("/token", tokenAnswer(1));
  const invalid = pkceError("invalid_response", { retry: "no" });
  const downgraded = (error) => invalid(error) && /token_type/.test(error.message);
  await assert.rejects(refresh({ ...world.config, dpop }, "rt-0"), downgraded);
  const answer = answerTo(login());
  await assert.rejects(handleCallback({ ...world.config, dpop }, answer), downgraded);
  world.server.answer("/token", bound(1));
  await assert.rejects(refresh(world.config, "rt-0"), downgraded);
  world.server.answer("/token", tokenAnswer(1, { token_type: "dpop" }));
  assert.equal((await refresh({ ...world.config, dpop }, "rt-0")).tokenType, "DPoP");
});

test("without a key nothing of it is sent", async () => {
  world.server.answer("/token", tokenAnswer(1));
  await refresh(world.config, "rt-0");
  assert.equal("dpop" in world.server.requests[0].headers, false);
});

// RFC 9449 asks for none, and a server whose CORS does not name the header there would refuse the request.
test("a revocation carries no proof", async () => {
  world.server.answer("/revoke", { json: {} });
  await revoke({ ...world.config, dpop: createDpop() }, "rt-1");
  assert.equal("dpop" in world.server.requests[0].headers, false);
});

/** A login at the provider through its pages; gives the answer's URL. */
async function loginAt(provider, config, options = {}) {
  let sent;
  startLogin(config, { prompt: provider.prompt, ...options, navigate: (url) => (sent = url) });
  return new ProviderBrowser(new URL(provider.issuer).origin).go(sent, "alice");
}

async function ask(provider, { accessToken }, dpop, scheme = "DPoP") {
  const headers = { authorization: `${scheme} ${accessToken}` };
  if (dpop) headers.dpop = await dpop.proof({ method: "GET", url: provider.api, accessToken });
  const answer = await fetch(provider.api, { headers });
  dpop?.noteNonce(provider.api, answer);
  return answer;
}

test("the whole way with oidc-provider, which wants bound tokens and nonces", async () => {
  const provider = await startOidcProvider({ redirectUri: REDIRECT_URI, dpop: true });
  try {
    const dpop = createDpop();
    const settings = await discover(provider.issuer);
    const { clientId, scope } = provider;
    const config = { ...settings, clientId, scope, redirectUri: REDIRECT_URI, storage: new MemoryStorage(), dpop };

    const params = { dpop_jkt: await dpop.thumbprint() };
    const { tokens } = await handleCallback(config, await loginAt(provider, config, { params }));
    assert.equal(tokens.tokenType, "DPoP");
    const exchanges = provider.requests.filter(({ path }) => path === "/oidc/token");
    assert.equal(exchanges.length, 2, "the nonce took a second request");

    assert.equal((await ask(provider, tokens, dpop)).status, 200);
    const renewed = await refresh(config, tokens.refreshToken);
    assert.notEqual(renewed.accessToken, tokens.accessToken);
    assert.equal(renewed.tokenType, "DPoP");
    assert.equal((await (await ask(provider, renewed, dpop)).json()).sub, "alice");

    // What a thief can do with it: nothing.
    const thief = createDpop();
    assert.equal((await ask(provider, renewed)).status, 400, "no proof");
    assert.equal((await ask(provider, renewed, undefined, "Bearer")).ok, false);
    assert.equal((await ask(provider, renewed, thief)).status, 401);
    assert.equal((await ask(provider, renewed, thief)).status, 401, "with the nonce as well");
    const stolen = refresh({ ...config, dpop: thief }, renewed.refreshToken);
    await assert.rejects(stolen, pkceError("token_error", { oauthError: "invalid_grant" }));
    await assert.rejects(refresh({ ...config, dpop: undefined }, renewed.refreshToken), pkceError("token_error"));

    // A code that is bound to the key (RFC 9449 §10) is of no use with another one.
    const answer = await loginAt(provider, config, { params });
    await assert.rejects(handleCallback({ ...config, dpop: thief }, answer), pkceError("token_error"));

    await revoke(config, renewed.refreshToken, "refresh_token");
    const ended = pkceError("token_error", { oauthError: "invalid_grant" });
    await assert.rejects(refresh(config, renewed.refreshToken), ended);
  } finally {
    provider.close();
  }
});

test("a session calls an API that wants proofs and nonces, renews, and ends", async () => {
  const provider = await startOidcProvider({ redirectUri: REDIRECT_URI, dpop: true });
  try {
    const { clientId, scope } = provider;
    const settings = await discover(provider.issuer);
    const config = { ...settings, clientId, scope, redirectUri: REDIRECT_URI, storage: new MemoryStorage(), dpop: createDpop() };
    const session = createSession(config);
    await session.handleCallback(await loginAt(provider, config));
    const before = provider.requests.length;
    assert.equal((await (await session.fetch(provider.api)).json()).sub, "alice");
    assert.ok(provider.requests.length - before <= 2, "one request, or two where the nonce was not known");
    const first = await session.getAccessToken();
    assert.notEqual(await session.getAccessToken({ renew: true }), first);
    assert.equal((await session.fetch(provider.api)).status, 200);
    assert.deepEqual(await session.logout(), { revoked: true });
    await assert.rejects(session.fetch(provider.api), pkceError("login_required"));
    session.close();
  } finally {
    provider.close();
  }
});
