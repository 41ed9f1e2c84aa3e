import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { discover, exchangeCode, parseCallback, refresh, revoke } from "../dist/index.js";
import { startServer, tokenAnswer } from "./server.mjs";
import { answerTo, login, pkceError, world } from "./setup.mjs";

const saved = Object.getOwnPropertyDescriptor(globalThis, "navigator");
afterEach(() => {
  if (saved) Object.defineProperty(globalThis, "navigator", saved);
  else delete globalThis.navigator;
});

/** A store like the one that tabs share. */
function store(tokens) {
  return { tokens, load: () => store.latest ?? tokens, save: (made) => (store.latest = made) };
}

afterEach(() => delete store.latest);

test("a new refresh token replaces the old one; a missing one is carried over", async () => {
  world.server.answer("/token", tokenAnswer(2, { scope: "account:read" }));
  const rotated = await refresh(world.config, "rt-1");
  assert.deepEqual([rotated.accessToken, rotated.refreshToken, rotated.scope], ["at-2", "rt-2", "account:read"]);
  world.server.answer("/token", tokenAnswer(3, { refresh_token: undefined, expires_in: "60" }));
  const kept = await refresh(world.config, "rt-2");
  assert.deepEqual([kept.accessToken, kept.refreshToken], ["at-3", "rt-2"]);
  assert.ok(Math.abs(kept.expiresAt - Date.now() - 60_000) < 10_000);
  const [{ form }] = world.server.requests;
  assert.deepEqual(Object.fromEntries(form), {
    grant_type: "refresh_token",
    client_id: "demo-spa",
    refresh_token: "rt-1",
  });
});

test("calls with the same refresh token share one request", async () => {
  world.server.answer("/token", async (_, requests) => sleep(20, tokenAnswer(requests.length)));
  const results = await Promise.all(Array.from({ length: 5 }, () => refresh(world.config, "rt-0")));
  assert.deepEqual(new Set(results.map(({ accessToken }) => accessToken)), new Set(["at-1"]));
  assert.equal(world.server.requests.length, 1);
  await refresh(world.config, "rt-1");
  assert.equal(world.server.requests.length, 2);
});

for (const locks of [true, false]) {
  test(`callers with a store take turns and share what one fetched, ${locks ? "with" : "without"} Web Locks`, async () => {
    let queue = Promise.resolve();
    const request = (_, work) => {
      const turn = queue.then(work);
      queue = turn.catch(() => {});
      return turn;
    };
    Object.defineProperty(globalThis, "navigator", { value: locks ? { locks: { request } } : {}, configurable: true });
    world.server.answer("/token", async (_, requests) => sleep(20, tokenAnswer(requests.length)));
    const shared = store({ accessToken: "at-0", refreshToken: "rt-0", scope: "account:read" });
    const results = await Promise.all(Array.from({ length: 4 }, () => refresh(world.config, shared)));
    assert.deepEqual(
      results.map(({ accessToken }) => accessToken),
      ["at-1", "at-1", "at-1", "at-1"],
    );
    assert.equal(shared.load().scope, "account:read");
    assert.equal(world.server.requests.length, 1);
    assert.equal((await refresh(world.config, shared)).accessToken, "at-2");
  });
}

test("a failed turn does not block the next one", async () => {
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  const outcomes = ["hang up"];
  world.server.answer("/token", () => outcomes.shift() ?? tokenAnswer(1));
  const shared = store({ accessToken: "at-0", refreshToken: "rt-0" });
  await assert.rejects(refresh(world.config, shared), pkceError("network", { retry: "later" }));
  assert.equal((await refresh(world.config, shared)).accessToken, "at-1");
});

test("without a refresh token nothing is sent", async () => {
  for (const source of ["", undefined, store({ accessToken: "at-0" }), store(null)]) {
    await assert.rejects(refresh(world.config, source), pkceError("refresh_token_missing", { retry: "login" }));
  }
  assert.equal(world.server.requests.length, 0);
});

test("what an answer of the token endpoint means", async () => {
  const cases = [
    [{ status: 400, json: { error: "invalid_grant" } }, "token_error", { retry: "login", oauthError: "invalid_grant" }],
    [{ status: 400, json: { error: "invalid_scope" } }, "token_error", { retry: "no", status: 400 }],
    [{ status: 429, headers: { "retry-after": "3" }, json: {} }, "token_error", { retry: "later", retryAfter: 3 }],
    [{ status: 500, text: "<h1>oops</h1>" }, "token_error", { retry: "later", oauthError: undefined }],
    [{ text: "<h1>hello</h1>" }, "invalid_response", { retry: "no" }],
    [{ json: null }, "invalid_response", {}],
    [tokenAnswer(1, { access_token: 7 }), "invalid_response", {}],
    [tokenAnswer(1, { access_token: "" }), "invalid_response", {}],
    [tokenAnswer(1, { token_type: "DPoP" }), "invalid_response", {}],
    [tokenAnswer(1, { token_type: undefined }), "invalid_response", {}],
    [tokenAnswer(1, { expires_in: -1 }), "invalid_response", {}],
    [tokenAnswer(1, { expires_in: "soon" }), "invalid_response", {}],
  ];
  for (const [answer, code, properties] of cases) {
    world.server.answer("/token", answer);
    await assert.rejects(refresh(world.config, "rt-1"), pkceError(code, properties), JSON.stringify(answer));
  }
  world.server.answer("/token", tokenAnswer(1, { token_type: "bEARER", expires_in: undefined }));
  assert.equal((await refresh(world.config, "rt-1")).expiresAt, undefined);
});

test("a redirect of the token endpoint is not followed", async () => {
  const other = await startServer();
  other.answer("/steal", tokenAnswer(1));
  world.server.answer("/token", { status: 307, headers: { location: `${other.origin}/steal` }, json: {} });
  await assert.rejects(refresh(world.config, "rt-1"), pkceError("network"));
  assert.equal(other.requests.length, 0);
  other.close();
});

test("tokens go to safe places only", async () => {
  const plain = {
    ...world.config,
    tokenEndpoint: "http://as.example/token",
    revocationEndpoint: "http://as.example/r",
  };
  await assert.rejects(refresh(plain, "rt-1"), pkceError("insecure_endpoint"));
  await assert.rejects(revoke(plain, "rt-1"), pkceError("insecure_endpoint"));
  await assert.rejects(revoke({ ...plain, revocationEndpoint: undefined }, "rt-1"), pkceError("config_invalid"));
  const grant = parseCallback(world.config, answerTo(login()));
  await assert.rejects(
    exchangeCode({ ...world.config, issuer: "https://other.example" }, grant),
    pkceError("config_invalid"),
  );
});

test("a signal ends a request", async () => {
  world.server.answer("/token", () => sleep(5_000, tokenAnswer(1), { ref: false }));
  const config = { ...world.config, signal: AbortSignal.timeout(30) };
  await assert.rejects(refresh(config, "rt-1"), pkceError("aborted", { retry: "no" }));
});

test("revocation", async () => {
  world.server.answer("/revoke", { json: {} });
  assert.equal(await revoke(world.config, "rt-1", "refresh_token"), undefined);
  await revoke(world.config, "at-1");
  const forms = world.server.requests.map(({ form }) => Object.fromEntries(form));
  assert.deepEqual(forms, [
    { token: "rt-1", client_id: "demo-spa", token_type_hint: "refresh_token" },
    { token: "at-1", client_id: "demo-spa" },
  ]);
  world.server.answer("/revoke", { text: "" });
  await revoke(world.config, "at-1");
  world.server.answer("/revoke", { status: 503, json: { error: "temporarily_unavailable" } });
  await assert.rejects(revoke(world.config, "rt-1"), pkceError("token_error", { retry: "later", status: 503 }));
});

test("discovery by RFC 8414, else OpenID Connect, with an exact issuer", async () => {
  const { origin } = world.server;
  const metadata = {
    issuer: origin,
    authorization_endpoint: `${origin}/a`,
    token_endpoint: `${origin}/t`,
    revocation_endpoint: `${origin}/r`,
    authorization_response_iss_parameter_supported: true,
  };
  const settings = {
    issuer: origin,
    authorizationEndpoint: `${origin}/a`,
    tokenEndpoint: `${origin}/t`,
    revocationEndpoint: `${origin}/r`,
    issRequired: true,
  };
  world.server.answer("/.well-known/oauth-authorization-server", { json: metadata });
  assert.deepEqual(await discover(origin), settings);

  const tenant = `${origin}/tenant`;
  world.server.answer("/.well-known/oauth-authorization-server/tenant", { json: { ...metadata, issuer: tenant } });
  assert.equal((await discover(tenant)).issuer, tenant);

  world.server.answer("/oidc/.well-known/openid-configuration", { json: { ...metadata, issuer: `${origin}/oidc` } });
  assert.equal((await discover(`${origin}/oidc`)).issuer, `${origin}/oidc`);
  // A page sees an answer without CORS headers as a failed request: the other place may still have it.
  world.server.answer("/.well-known/oauth-authorization-server/oidc", "hang up");
  assert.equal((await discover(`${origin}/oidc`)).issuer, `${origin}/oidc`);
  world.server.answer("/.well-known/oauth-authorization-server/hidden", "hang up");
  await assert.rejects(discover(`${origin}/hidden`), pkceError("network", { retry: "later" }));

  world.server.answer("/.well-known/oauth-authorization-server", { json: { ...metadata, issuer: `${origin}/` } });
  await assert.rejects(discover(origin), pkceError("issuer_mismatch"));
  world.server.answer("/.well-known/oauth-authorization-server", { text: "hello" });
  await assert.rejects(discover(origin), pkceError("invalid_response"));
  world.server.answer("/.well-known/oauth-authorization-server", { status: 503, json: {} });
  await assert.rejects(discover(origin), pkceError("token_error", { retry: "later" }));
  await assert.rejects(discover(`${origin}/nothing`), pkceError("invalid_response"));
  await assert.rejects(discover("http://as.example"), pkceError("insecure_endpoint"));
});
