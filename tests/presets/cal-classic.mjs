// What the readers of Cal.com's guide "How to use OAuth to authorize apps" ran in 2024: its requests, parameter by parameter.
import assert from "node:assert/strict";
import { json, notStored } from "../harness/expect.mjs";
import { address, APP, authorize, get, pkce, postForm } from "./steps.mjs";

export const SCOPE = "READ_BOOKING,READ_PROFILE";
export const UNAUTHORIZED = { message: "Unauthorized" };

/** The guide's URL parameters. A parameter set to null is left out. */
export const question = (changes, client = APP) =>
  address("/auth/oauth2/authorize", {
    client_id: client.id,
    state: "a_securely_generated_random_string",
    redirect_uri: client.redirectUri,
    scope: SCOPE,
    ...changes,
  });

const identity = (client) => ({ client_id: client.id, client_secret: client.secret });

/** "Access Token Request", with its five members of the body. */
export const exchange = (server, code, changes, client = APP) =>
  postForm(server, "/api/auth/oauth/token", {
    code,
    ...identity(client),
    grant_type: "authorization_code",
    redirect_uri: client.redirectUri,
    ...changes,
  });

/** "Refresh Token Request": three members, and the refresh token as a bearer. */
export const refresh = (server, token, changes, client = APP) =>
  postForm(
    server,
    "/api/auth/oauth/refreshToken",
    { grant_type: "refresh_token", ...identity(client), ...changes },
    { ...(token && { authorization: `Bearer ${token}` }) },
  );

/** The guide has no revocation; this is this server's. */
export const revoke = (server, token, changes, client = APP) =>
  postForm(server, "/oauth/revoke", { token, ...identity(client), ...changes });

/** "Testing OAuth Credentials". */
export const me = (server, token) => get(server, "/api/auth/oauth/me", token);

const answered = (answer, status) => {
  assert.equal(answer.status, status, answer.text);
  json(answer);
  notStored(answer);
};

/** The guide's first answer: two members. */
export function tokens(answer) {
  answered(answer, 200);
  const { access_token, refresh_token, ...others } = answer.json;
  assert.deepEqual(others, {});
  assert.match(access_token, /^cal_at_[\w-]+$/);
  assert.match(refresh_token, /^cal_rt_[\w-]+$/);
  return answer.json;
}

/** The guide's second answer: one member. */
export function refreshed(answer) {
  answered(answer, 200);
  const { access_token, ...others } = answer.json;
  assert.deepEqual(others, {});
  assert.match(access_token, /^cal_at_[\w-]+$/);
  return access_token;
}

/** A refusal of an endpoint for apps: a message and nothing else. */
export function refused(answer, status, message = "Unauthorized") {
  answered(answer, status);
  assert.deepEqual(answer.json, { message });
}

export function dead(answer) {
  assert.deepEqual([answer.status, answer.json], [401, UNAUTHORIZED]);
  assert.match(answer.headers.get("www-authenticate"), /^Bearer /);
}

export const alive = async (server, token) => assert.equal((await me(server, token)).status, 201);

/** Somebody connects the app: the answer with tokens, and the code. `choice` is the person's. */
export async function connect(browser, { scope = SCOPE, ...choice } = {}, client = APP) {
  const { code } = await authorize(browser, question({ scope }, client), choice);
  return { ...tokens(await exchange(browser.server, code, {}, client)), code };
}

/** The public app of the development data. The guide knows none; it gets what RFC 6749 and 9700 give it. */
export const publicApp = (server) => ({ id: "demo-spa", redirectUri: `${server.issuer}/demo/` });

export async function connectPublic(browser, choice) {
  const client = publicApp(browser.server);
  const { verifier, challenge } = pkce();
  const asked = question({ code_challenge: challenge, code_challenge_method: "S256" }, client);
  const { code } = await authorize(browser, asked, choice);
  return completeTokens(await exchange(browser.server, code, { code_verifier: verifier }, client));
}

/** The whole answer of RFC 6749 §5.1, for public clients. */
export function completeTokens(answer, scope = SCOPE) {
  answered(answer, 200);
  const { access_token, refresh_token, ...others } = answer.json;
  assert.ok(access_token && refresh_token);
  assert.deepEqual(others, { token_type: "Bearer", expires_in: 1800, scope: scope.replaceAll(",", " ") });
  return answer.json;
}
