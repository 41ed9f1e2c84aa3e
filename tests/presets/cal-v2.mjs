// What the readers of Cal.com's API reference for OAuth run: its requests, parameter by parameter.
import assert from "node:assert/strict";
import { json, notStored } from "../harness/expect.mjs";
import { address, APP, authorize, get, pkce, postForm } from "./steps.mjs";

export const SCOPE = "BOOKING_READ PROFILE_READ";

/** The public app of the development data; its redirect URI is on localhost by name. */
export const publicApp = (server) => ({ id: "demo-spa", redirectUri: `${server.issuer}/demo/` });

/** The reference's authorization URL. A parameter set to null is left out. */
export const question = (changes, client = APP) =>
  address("/auth/oauth2/authorize", {
    client_id: client.id,
    redirect_uri: client.redirectUri,
    state: "YOUR_STATE",
    scope: SCOPE,
    ...changes,
  });

/** With a challenge, as public apps must; `verifier` belongs to it. */
export function publicQuestion(server, changes) {
  const { verifier, challenge } = pkce();
  const path = question({ code_challenge: challenge, code_challenge_method: "S256", ...changes }, publicApp(server));
  return { path, verifier };
}

/** Public apps have no secret: the member is left out then. */
const identity = (client) => ({ client_id: client.id, client_secret: client.secret });

export const exchange = (server, code, changes, client = APP) =>
  postForm(server, "/v2/auth/oauth2/token", {
    ...identity(client),
    grant_type: "authorization_code",
    code,
    redirect_uri: client.redirectUri,
    ...changes,
  });

export const refresh = (server, token, changes, client = APP) =>
  postForm(server, "/v2/auth/oauth2/token", { ...identity(client), grant_type: "refresh_token", refresh_token: token, ...changes });

/** The reference has no revocation; this is this server's. */
export const revoke = (server, token, changes, client = APP) =>
  postForm(server, "/oauth/revoke", { token, ...identity(client), ...changes });

export const me = (server, token, headers) => get(server, "/v2/me", token, headers);

/** The reference's answer: every member, and no other; "must not be cached". */
export function tokens(answer, scope = SCOPE) {
  assert.equal(answer.status, 200, answer.text);
  json(answer);
  notStored(answer);
  const { access_token, token_type, refresh_token, expires_in, scope: told, ...others } = answer.json;
  assert.deepEqual(others, {});
  assert.match(access_token, /^cal_at_[\w-]+$/);
  assert.match(refresh_token, /^cal_rt_[\w-]+$/);
  assert.equal(token_type, "bearer");
  // A retry gets the first answer again and hears what is left of it.
  assert.ok(expires_in <= 1800 && expires_in > 1770, `expires_in ${expires_in}`);
  assert.deepEqual(told.split(" ").sort(), scope.split(" ").sort());
  return answer.json;
}

/** A refusal of an endpoint for apps: RFC 6749's error with the reason, and nothing else. */
export function refused(answer, status, error, reason) {
  assert.deepEqual([answer.status, answer.json], [status, { error, error_description: reason }], answer.text);
  json(answer);
  notStored(answer);
}

/** A refusal of the API: the whole envelope. */
export function apiError(answer, status, code, message, path = "/v2/me") {
  assert.equal(answer.status, status, answer.text);
  json(answer);
  const { timestamp, ...others } = answer.json;
  assert.deepEqual(others, { status: "error", path, error: { code, message } });
  assert.equal(new Date(timestamp).toISOString(), timestamp);
  return answer.headers;
}

export const dead = (answer) => apiError(answer, 401, "UnauthorizedException", "Invalid Access Token.");
export const alive = async (server, token) => assert.equal((await me(server, token)).status, 200);

/** Somebody connects the app: the answer with tokens, and the code. `choice` is the person's. */
export async function connect(browser, { scope = SCOPE, ...choice } = {}, client = APP) {
  const { code } = await authorize(browser, question({ scope }, client), choice);
  return { ...tokens(await exchange(browser.server, code, {}, client), scope), code };
}

export async function connectPublic(browser, choice) {
  const { path, verifier } = publicQuestion(browser.server);
  const { code } = await authorize(browser, path, choice);
  return tokens(await exchange(browser.server, code, { code_verifier: verifier }, publicApp(browser.server)));
}
