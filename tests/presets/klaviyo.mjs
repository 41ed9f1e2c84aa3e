// What the readers of Klaviyo's guide "Make API calls using OAuth" run: its snippets, letter by letter.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { signedIn } from "../harness/client.mjs";
import { notStored } from "../harness/expect.mjs";
import { APP, authorize, OWNER, send, start } from "./steps.mjs";

/** "Base 64 encoded string that contains the client ID and client secret key": nothing is encoded before. */
export const basic = ({ id, secret }) => `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;

/** generateCodes() of the guide. */
export function generateCodes() {
  const base64URLEncode = (str) => str.toString("base64").replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  const codeVerifier = base64URLEncode(crypto.randomBytes(32));
  const codeChallenge = challengeOf(codeVerifier);
  return { codeVerifier, codeChallenge };
}
export const challengeOf = (verifier) =>
  crypto.createHash("sha256").update(verifier).digest("base64").replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

/** The f-string of the guide's authorize(): nothing is encoded there, the scopes stand with their spaces. */
export const installationUrl = (client, scope, codeChallenge, customerId) =>
  `/oauth/authorize?response_type=code&client_id=${client.id}` +
  `&redirect_uri=${client.redirectUri}&scope=${scope}&code_challenge_method=S256` +
  `&code_challenge=${codeChallenge}&state=${customerId}`;

/** What `Authorization`, `Content-Type` and body are in the guide's requests.post(). */
const form = (server, path, client, data, headers) =>
  send(server, "POST", path, {
    headers: given({ authorization: basic(client), "content-type": "application/x-www-form-urlencoded", ...headers }),
    body: String(new URLSearchParams(given(data))),
  });
const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

export const exchange = (server, { code, codeVerifier }, { client = APP, headers, ...changes } = {}) =>
  form(
    server,
    "/oauth/token",
    client,
    { grant_type: "authorization_code", code, code_verifier: codeVerifier, redirect_uri: client.redirectUri, ...changes },
    headers,
  );

export const refresh = (server, refreshToken, { client = APP, headers, ...changes } = {}) =>
  form(server, "/oauth/token", client, { grant_type: "refresh_token", refresh_token: refreshToken, ...changes }, headers);

export const revoke = (server, token, { client = APP, headers, ...changes } = {}) =>
  form(server, "/oauth/revoke", client, { token_type_hint: "refresh_token", token, ...changes }, headers);

/** The guide's template request, with the resource that the official app asks. */
export const accountsAtOnce = (server, accessToken, path = "/api/accounts/") =>
  send(server, "GET", path, {
    headers: { ...(accessToken && { authorization: `Bearer ${accessToken}` }), accept: "application/json", revision: "2026-07-15" },
  });

/**
 * A server under the preset, with a clock that only goes on: the limits of a connection count from the latest call, so a
 * clock set back would stop them.
 */
export async function klaviyo() {
  const { server } = await start("klaviyo");
  let offset = 0;
  const pass = (ms) => server.clock((offset += ms));
  return {
    server,
    pass,
    /** One call a second and fifteen a minute: a call more than four seconds after the one before is within both. */
    async accounts(accessToken, path) {
      await pass(4100);
      return accountsAtOnce(server, accessToken, path);
    },
    /** A customer installs the app: the redirect's parameters with the verifier. */
    async allow({ client = APP, scope = "lists:write campaigns:write metrics:read", customerId = "1234", ...choice } = {}) {
      const owner = await signedIn(server, OWNER);
      const { codeVerifier, codeChallenge } = generateCodes();
      const redirect = await authorize(owner, installationUrl(client, scope, codeChallenge, customerId), choice);
      return { ...redirect, codeVerifier };
    },
    /** And the app has its tokens. */
    async install(options = {}) {
      const redirect = await this.allow(options);
      const answer = await exchange(server, redirect, { client: options.client });
      assert.equal(answer.status, 200, answer.text);
      return { ...answer.json, ...redirect };
    },
  };
}

/** The guide's table of the answer, and no member more. */
export function tokens(answer, scope = "accounts:read campaigns:write lists:write metrics:read") {
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers.get("content-type"), /^application\/json/);
  notStored(answer);
  const { access_token, token_type, expires_in, refresh_token, scope: told, ...more } = answer.json;
  assert.deepEqual(more, {});
  assert.equal(token_type, "bearer");
  assert.equal(expires_in, 3600);
  assert.ok(access_token.length > 40 && access_token.length <= 4096);
  assert.ok(refresh_token.length > 40 && refresh_token.length <= 512);
  assert.deepEqual(told.split(" ").sort(), scope.split(" "));
  return answer.json;
}

/** An error of the token or revocation endpoint: status and the whole body. */
export function tokenError(answer, status, body) {
  assert.deepEqual({ status: answer.status, body: answer.json }, { status, body }, answer.text);
  assert.match(answer.headers.get("content-type"), /^application\/json/);
  notStored(answer);
}

/** An error of the API as the guide prints one; every answer has an id of its own. */
export function apiError(answer, status, code, title, detail) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get("content-type"), /^application\/json/);
  const id = answer.json.errors?.[0]?.id;
  assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assert.deepEqual(answer.json, { errors: [{ id, status, code, title, detail, source: { pointer: "/data/" } }] });
  return id;
}

const NOT_GIVEN = "Authentication credentials were not provided.";
const INCORRECT = "Incorrect authentication credentials.";
export const notAuthenticated = (answer) => apiError(answer, 401, "not_authenticated", NOT_GIVEN, "Missing or invalid access token.");
export const authenticationFailed = (answer) => apiError(answer, 401, "authentication_failed", INCORRECT, INCORRECT);

/**
 * How an app stands on the account's page of connected apps, with its row's text. The page is told of uses and ends after
 * the answer, so it is asked until it says what is expected.
 */
export async function connection(server, expected, app = "Shop Sync", account = "Demo Store") {
  const owner = await signedIn(server, OWNER);
  const tags = "(?: In development| Not reviewed| Suspended)*";
  const states = "(Connected|Ended|Allowed, not used yet)";
  const row = new RegExp(`${app} by Edgegrant Demo${tags} ${states} Account ${account} Permissions .*? Allowed`);
  for (let tries = 0; ; tries += 1) {
    const { text } = await owner.page("/account/apps");
    const [found, status] = text.match(row) ?? [];
    if (status === expected) return found;
    if (tries === 50) assert.equal(status, expected, text);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
