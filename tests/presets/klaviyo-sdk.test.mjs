// Klaviyo's own npm client, unchanged: only the host names in it point here.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, afterEach, before, test } from "node:test";
import {
  AccountsApi,
  isKlaviyoTokenError,
  OAuthApi,
  OAuthBasicSession,
  OAuthSession,
  Pkce,
  RetryWithExponentialBackoff,
} from "klaviyo-api";
import { disconnectAll } from "../harness/client.mjs";
import { basic, klaviyo } from "./klaviyo.mjs";
import { APP, authorize, signedIn } from "./steps.mjs";

const CUSTOMER = "customer-1234";
/** Every request of the client as "POST /oauth/token 200", with what it sent and got. */
let wire = [];
let platform, server;
before(async () => {
  platform = await klaviyo();
  server = platform.server;
  // The client's own copy of axios.
  const axios = createRequire(createRequire(import.meta.url).resolve("klaviyo-api"))("axios");
  axios.interceptors.request.use((config) => {
    if (new URL(config.url).origin !== server.issuer) throw new Error(`a test asks nobody but its server: ${config.url}`);
    return config;
  });
  const note = ({ config, status, headers, data }) => {
    wire.push({ line: `${config.method.toUpperCase()} ${new URL(config.url).pathname} ${status}`, config, headers, data });
  };
  axios.interceptors.response.use(
    (response) => (note(response), response),
    (error) => (error.response && note(error.response), Promise.reject(error)),
  );
});
afterEach(() => (wire = []));
after(() => server?.stop());

const lines = () => wire.map(({ line }) => line);

/** An app as the client's README has it, with a storage of its own. */
function app({ secret = APP.secret } = {}) {
  const stored = new Map();
  const storage = { save: (id, tokens) => void stored.set(id, tokens), retrieve: (id) => stored.get(id) };
  const oauth = new OAuthApi(APP.id, secret, storage);
  oauth.authorizeUrl = `${server.issuer}/oauth/authorize`;
  oauth.tokenUrl = `${server.issuer}/oauth/token`;
  const accounts = (session) => {
    const api = new AccountsApi(session);
    api.basePath = server.issuer;
    return api.getAccounts();
  };
  return {
    oauth,
    held: () => stored.get(CUSTOMER),
    getAccounts: (retry) => accounts(new OAuthSession(CUSTOMER, oauth, retry)),
    getAccountsWith: (accessToken) => accounts(new OAuthBasicSession(accessToken)),
  };
}

/** The customer's way through the browser; what the app's callback gets, with the verifier it has kept. */
async function callback({ oauth }, choice) {
  const { codeVerifier, codeChallenge } = Pkce.generateCodes();
  const scopes = "lists:write campaigns:write metrics:read";
  const url = new URL(oauth.generateAuthorizeUrl(CUSTOMER, scopes, codeChallenge, APP.redirectUri));
  return { codeVerifier, ...(await authorize(await signedIn(server), url.pathname + url.search, choice)) };
}

async function installed(choice) {
  const client = app();
  const { codeVerifier, code } = await callback(client, choice);
  await client.oauth.createTokens(CUSTOMER, codeVerifier, code, APP.redirectUri);
  await platform.pass(61_000); // so that no call of an earlier test counts
  wire = [];
  return client;
}

/** What the client throws, with the token endpoint's answer behind it. */
async function refused(promise, name, message, status = 400) {
  const error = await promise.then(
    () => assert.fail("no error"),
    (thrown) => thrown,
  );
  assert.ok(isKlaviyoTokenError(error), String(error));
  assert.deepEqual([error.name, error.message, error.cause.response.status], [name, message, status]);
  return error.cause.response;
}

test("klaviyo-3 klaviyo-5 klaviyo-9 klaviyo-32: authorize URL, browser, createTokens, getAccounts", async () => {
  const client = app();
  const { codeVerifier, code, state } = await callback(client);
  assert.equal(state, CUSTOMER);
  const before = Date.now();
  const created = await client.oauth.createTokens(CUSTOMER, codeVerifier, code, APP.redirectUri);
  assert.deepEqual(client.held(), created);
  for (const token of [created.accessToken, created.refreshToken]) assert.equal(typeof token, "string");
  const life = created.expiresAt.getTime() - before;
  assert.ok(life >= 3_600_000 && life < 3_605_000, `expiresAt in ${life} ms`);

  const { body, response } = await client.getAccounts();
  assert.equal(response.status, 200);
  assert.equal(body.data.length, 1);
  const [{ id, type, attributes }] = body.data;
  assert.equal(type, "account");
  assert.equal(attributes.publicApiKey, id);
  assert.equal(attributes.contactInformation.organizationName, "Demo Store");
  assert.deepEqual(lines(), ["POST /oauth/token 200", "GET /api/accounts 200"]);
  const [{ config }] = wire;
  assert.equal(config.headers.get("Authorization"), basic(APP));
  assert.match(config.headers.get("Content-Type"), /^application\/x-www-form-urlencoded/);
  assert.match(config.headers.get("User-Agent"), /^klaviyo-api-node\/23\.0\.0/);
});

test("klaviyo-12: a denial reaches the callback as OAuthCallbackQueryParams", async () => {
  const { code, state, error, error_description } = await callback(app(), { decision: "deny" });
  assert.deepEqual([code, state, error], [undefined, CUSTOMER, "access_denied"]);
  assert.equal(error_description, "The resource owner or authorization server denied the request");
});

test("klaviyo-17: refreshTokens stores the same refresh token and a new access token; the old one works on", async () => {
  const client = await installed();
  const first = client.held();
  await client.oauth.refreshTokens(CUSTOMER);
  const second = client.held();
  assert.equal(second.refreshToken, first.refreshToken);
  assert.notEqual(second.accessToken, first.accessToken);
  assert.ok(second.expiresAt >= first.expiresAt);
  for (const { accessToken } of [first, second]) {
    await client.getAccountsWith(accessToken);
    await platform.pass(1001);
  }
  // The client has no lock: two of its calls after an hour refresh with the same token.
  await Promise.all([client.oauth.refreshTokens(CUSTOMER), client.oauth.refreshTokens(CUSTOMER)]);
  await client.getAccounts();
});

test("klaviyo-22: after the hour the client's 401 becomes one refresh and one replay", async () => {
  const client = await installed();
  await platform.pass(3_700_000);
  const { body } = await client.getAccounts();
  assert.equal(body.data.length, 1);
  assert.deepEqual(lines(), ["GET /api/accounts 401", "POST /oauth/token 200", "GET /api/accounts 200"]);
});

test("klaviyo-19: the client waits out a 429 by its Retry-After: of two calls at once both succeed", async () => {
  // The first calls ever for this account, so that their second begins with them.
  const client = await installed({ account: "Second Store" });
  const answers = await Promise.all([client.getAccounts(), client.getAccounts()]);
  assert.deepEqual(answers.map(({ response }) => response.status), [200, 200]);
  assert.deepEqual(lines().sort(), ["GET /api/accounts 200", "GET /api/accounts 200", "GET /api/accounts 429"]);
  const granted = wire.find(({ line }) => line.endsWith("200"));
  const limited = wire.find(({ line }) => line.endsWith("429"));
  assert.equal(limited.headers["retry-after"], "1");
  assert.equal(limited.headers["ratelimit-limit"], undefined);
  assert.equal(granted.headers["ratelimit-limit"], "15");
  assert.equal(limited.data.errors[0].code, "throttled");
});

test("klaviyo-19: without retries the 429 is the app's to handle, and Retry-After is right", async () => {
  const client = await installed();
  const once = new RetryWithExponentialBackoff({ numRetries: 1 });
  await client.getAccounts(once);
  let limited;
  for (let calls = 0; calls < 30 && !limited; calls += 1) {
    await platform.pass(1001);
    await client.getAccounts(once).catch((error) => (limited = error.response));
  }
  assert.equal(limited?.status, 429);
  const wait = Number(limited.headers["retry-after"]);
  assert.ok(wait > 1 && wait <= 60, `Retry-After ${wait}`);
  await platform.pass(wait * 1000);
  await client.getAccounts(once);
});

test("klaviyo-18: the eleventh refresh in a minute throws with the 429 behind it; the stored tokens stay and work", async () => {
  const client = await installed();
  for (let n = 0; n < 10; n += 1) await client.oauth.refreshTokens(CUSTOMER);
  const held = client.held();
  const answer = await refused(client.oauth.refreshTokens(CUSTOMER), "REFRESH_TOKEN_ERROR", "temporarily_unavailable", 429);
  const wait = Number(answer.headers["retry-after"]);
  assert.ok(wait >= 1 && wait <= 60, `Retry-After ${wait}`);
  assert.equal(client.held(), held);
  await client.getAccounts();
  await platform.pass(wait * 1000);
  await client.oauth.refreshTokens(CUSTOMER);
  assert.equal(client.held().refreshToken, held.refreshToken);
});

test("klaviyo-24 klaviyo-26 klaviyo-S10: after revoking, as the official apps do, the client throws invalid_grant", async () => {
  const client = await installed();
  const { refreshToken } = client.held();
  // The client has no such call; both official apps make it with fetch and parse the answer.
  const res = await fetch(`${server.issuer}/oauth/revoke`, {
    method: "POST",
    headers: { Authorization: basic(APP) },
    body: new URLSearchParams({ token: refreshToken, token_type_hint: "refresh_token" }),
  });
  assert.equal(res.status, 200);
  assert.deepEqual(await res.json(), {});

  const answer = await refused(client.oauth.refreshTokens(CUSTOMER), "REFRESH_TOKEN_ERROR", "invalid_grant");
  assert.deepEqual(answer.data, { error: "invalid_grant" });
  await refused(client.getAccounts(), "REFRESH_TOKEN_ERROR", "invalid_grant");
  assert.deepEqual(lines(), ["POST /oauth/token 400", "GET /api/accounts 401", "POST /oauth/token 400"]);
  assert.equal(client.held().refreshToken, refreshToken);
});

test("klaviyo-26: after the customer has uninstalled, getAccounts throws invalid_grant; installing again works", async () => {
  const client = await installed();
  await disconnectAll(await signedIn(server));
  await refused(client.getAccounts(), "REFRESH_TOKEN_ERROR", "invalid_grant");
  const { codeVerifier, code } = await callback(client);
  await client.oauth.createTokens(CUSTOMER, codeVerifier, code, APP.redirectUri);
  await platform.pass(1001);
  assert.equal((await client.getAccounts()).body.data.length, 1);
});

test("klaviyo-S3 klaviyo-S5 klaviyo-S9: createTokens throws what the token endpoint says, and stores nothing", async () => {
  const client = app();
  const { codeVerifier, code } = await callback(client);
  const create = (from, verifier) => from.oauth.createTokens(CUSTOMER, verifier, code, APP.redirectUri);
  await refused(create(app({ secret: "wrong" }), codeVerifier), "CREATE_TOKEN_ERROR", "invalid_client", 401);
  const wrong = await refused(create(client, Pkce.generateCodes().codeVerifier), "CREATE_TOKEN_ERROR", "invalid_grant");
  assert.equal(wrong.data.error_description, "Code challenge failed.");
  assert.equal(client.held(), undefined);
  await create(client, codeVerifier);
  const used = await refused(create(app(), codeVerifier), "CREATE_TOKEN_ERROR", "invalid_grant");
  assert.equal(used.data.error_description, "Invalid 'code' in request.");
});
