// What the readers of Klippa's developer page run: its requests, parameter by parameter.
import assert from "node:assert/strict";
import { json, notStored } from "../harness/expect.mjs";
import { address, APP, authorize, get, postJson } from "./steps.mjs";

export const SCOPE = "klippa.context klippa.availability klippa.book";

/** The page's authorization request. A parameter set to null is left out. */
export const question = (changes, client = APP) =>
  address("/api/v1/oauth/authorize", {
    client_id: client.id,
    redirect_uri: client.redirectUri,
    scope: SCOPE,
    response_type: "code",
    state: "random_csrf_token",
    ...changes,
  });

const identity = (client) => ({ client_id: client.id, client_secret: client.secret });

/** The page's JSON: four members, neither redirect_uri nor code_verifier. */
export const exchange = (server, code, changes, client = APP) =>
  postJson(server, "/api/v1/oauth/token", { grant_type: "authorization_code", code, ...identity(client), ...changes });

export const refresh = (server, token, changes, client = APP) =>
  postJson(server, "/api/v1/oauth/token", { grant_type: "refresh_token", refresh_token: token, ...identity(client), ...changes });

export const revoke = (server, token, changes, client = APP) =>
  postJson(server, "/api/v1/oauth/revoke", { token, ...identity(client), ...changes });

export const me = (server, token, headers) => get(server, "/api/v1/me", token, headers);

/** Every member of an answer with tokens, and no other. */
export function tokens(answer, scope = SCOPE) {
  assert.equal(answer.status, 200, answer.text);
  json(answer);
  notStored(answer);
  const { access_token, token_type, expires_in, refresh_token, scope: told, ...others } = answer.json;
  assert.deepEqual(others, {});
  assert.match(access_token, /^klippa_at_[\w-]+$/);
  assert.match(refresh_token, /^klippa_rt_[\w-]+$/);
  assert.deepEqual([token_type, expires_in], ["Bearer", 3600]);
  assert.deepEqual(told.split(" ").sort(), scope.split(" ").sort());
  return answer.json;
}

/** A refusal of the token or revocation endpoint: RFC 6749 §5.2 and nothing more. */
export function refused(answer, status, error) {
  assert.equal(`${answer.status} ${answer.json?.error}`, `${status} ${error}`, answer.status === 200 ? "not refused" : answer.text);
  json(answer);
  notStored(answer);
  assert.deepEqual(Object.keys(answer.json), ["error", "error_description"]);
  assert.match(answer.json.error_description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
  if (status === 401) assert.match(answer.headers.get("www-authenticate"), /^Basic /);
}

/** A token that is dead at the API. */
export function dead(answer) {
  assert.equal(answer.status, 401, answer.text);
  assert.deepEqual(answer.json, { error: "invalid_token", error_description: "the access token is expired, revoked or unknown" });
  assert.match(answer.headers.get("www-authenticate"), /^Bearer .*error="invalid_token"/);
}

export const alive = async (server, token) => assert.equal((await me(server, token)).status, 200);

/** A salon connects the app: the redirect's parameters and the answer with tokens. `choice` is the person's. */
export async function connect(owner, { scope = SCOPE, ...choice } = {}, client = APP) {
  const redirect = await authorize(owner, question({ scope }, client), choice);
  const answer = await exchange(owner.server, redirect.code, {}, client);
  assert.equal(answer.status, 200, answer.text);
  return { ...answer.json, code: redirect.code };
}

/**
 * The text of an app's entry on the salon's page of connected apps, once it says `status`: ends and uses are written there
 * after the app has its answer, so the page is asked until it says so.
 */
export async function listed(owner, status, app = "Ledger Link", account = "Demo Salon") {
  const entry = new RegExp(`${app} by Edgegrant Demo(?: (?!Account)\\S+)*? ${status} Account ${account} Permissions .*? Allowed`);
  for (let tries = 0; ; tries += 1) {
    const { text } = await owner.page("/account/apps");
    const found = text.match(entry)?.[0];
    if (found) return found;
    assert.ok(tries < 50, `${app} is not listed as ${status}: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
