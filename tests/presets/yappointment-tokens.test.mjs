// yAppointment: how often its API may be called, and what ends an app's tokens and its connection to a company.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import axios from "axios";
import { consentForm, disconnectAll, manage, manageWith } from "../harness/client.mjs";
import { errorPage } from "../harness/expect.mjs";
import { APP, get, parallel, postForm, send, statuses } from "./steps.mjs";
import {
  authUrlOf,
  exchangeAuthCodeForToken,
  generatePKCEChallenge,
  refreshAccessToken,
  refused,
  revokeToken,
  thrown,
  tokens,
  yappointment,
} from "./yappointment.mjs";

let y, server, host;
before(async () => {
  y = await yappointment();
  ({ server, host } = y);
});
after(() => server?.stop());
// Each test may fail as often as an address may in a minute.
beforeEach(() => y.pass(61_000));

const me = (token) => get(server, "/api/v1/me", token);
const renew = async (token, client) => tokens(await refreshAccessToken(host, token, client));
const ended = (token, client) => refused(refreshAccessToken(host, token, client), 400, "invalid_grant");
const question = (client = APP) => {
  const { pathname, search } = authUrlOf(host, { state: "s", codeChallenge: generatePKCEChallenge().codeChallenge, client });
  return pathname + search;
};
/** The wait that a limit asks for, in whole seconds. */
function retryAfter({ headers }) {
  const wait = Number(headers.get("retry-after"));
  assert.ok(Number.isInteger(wait) && wait > 0 && wait <= 60, `Retry-After: ${headers.get("retry-after")}`);
  return wait;
}

test("yappointment-17 defect-11: exactly 1000 requests a minute per token; a refresh gives no more, a consent its own", async () => {
  const [held, other] = [await y.connect(), await y.connect()];
  const answers = await parallel(1200, () => me(held.access_token));
  assert.deepEqual(statuses(answers), { 200: 1000, 429: 200 });
  const limited = answers.find(({ status }) => status === 429);
  const wait = retryAfter(limited);
  assert.deepEqual(limited.json.error, { code: "RATE_LIMITED", message: `too many requests: try again in ${wait} seconds` });
  assert.deepEqual([limited.json.status, Object.keys(limited.json.meta)], [false, ["timestamp"]]);
  for (const [name, value] of [
    ["limit", "1000"],
    ["remaining", "0"],
    ["reset", String(wait)],
  ])
    assert.equal(limited.headers.get(`ratelimit-${name}`), value);

  const next = await renew(held.refresh_token);
  const last = await me(next.access_token);
  assert.equal(last.status, 429);
  assert.equal((await me(other.access_token)).headers.get("ratelimit-remaining"), "999");
  await y.pass(retryAfter(last) * 1000);
  assert.equal((await me(next.access_token)).headers.get("ratelimit-remaining"), "999");
});

test("yappointment-17: an address without a token may ask 60 times a minute, exactly; whoever has one goes on beside it", async () => {
  const { access_token } = await y.connect();
  const kinds = [() => get(server, "/api/v1/me"), () => send(server, "POST", "/api/v1/me"), () => me("yapp_at_nonsense")];
  const answers = await parallel(180, (n) => kinds[n % kinds.length]());
  assert.deepEqual(statuses(answers), { 401: 60, 429: 120 });
  const limited = answers.find(({ status }) => status === 429);
  assert.equal(limited.json.error.code, "RATE_LIMITED");
  assert.equal(limited.headers.get("ratelimit-limit"), "60");
  const guess = { grant_type: "refresh_token", refresh_token: "guess", client_id: APP.id, client_secret: "guess" };
  const guessed = await postForm(server, "/oauth/token", guess);
  assert.deepEqual([guessed.status, guessed.json.error], [429, "temporarily_unavailable"]);
  assert.equal((await me(access_token)).status, 200);
  await y.connect();
  await y.pass(retryAfter(limited) * 1000);
  assert.deepEqual(statuses(await parallel(80, () => get(server, "/api/v1/me"))), { 401: 60, 429: 20 });
});

test("yappointment-20 yappointment-E2: revoking an access token ends every token of the connection; a later consent stays", async () => {
  await disconnectAll(await y.admin());
  const elsewhere = await y.connect({ account: "Second Salon" });
  const [one, newest] = [await y.connect(), await y.connect()];
  await y.listed("Connected");
  await revokeToken(host, newest.access_token);
  for (const { access_token, refresh_token } of [one, newest]) {
    await y.dead(access_token);
    await ended(refresh_token);
  }
  await y.listed("Ended");
  await y.works(elsewhere.access_token);
  const again = await y.connect();
  for (const { access_token } of [one, newest]) await revokeToken(host, access_token);
  await y.works(again.access_token);
  await y.listed("Connected");
});

test("yappointment-20: revoking twice, an expired token and nonsense are all well; another app's token is not", async () => {
  const held = await y.connect();
  const spa = { id: "demo-spa", redirectUri: `${host}/demo/` };
  const { code, codeVerifier } = await y.ask({ client: spa });
  const fields = { grant_type: "authorization_code", code, code_verifier: codeVerifier, client_id: spa.id, redirect_uri: spa.redirectUri };
  const theirs = (await postForm(server, "/oauth/token", fields)).json;
  await refused(revokeToken(host, theirs.access_token), 400, "invalid_grant");
  await refused(axios.post(`${host}/oauth/revoke`, { client_id: APP.id, client_secret: APP.secret }), 400, "invalid_request");
  await y.works(theirs.access_token);
  await y.pass(3_601_000);
  for (const token of [held.access_token, held.access_token, "nonsense"]) await revokeToken(host, token);
  await ended(held.refresh_token);
});

test("yappointment-E3: revoking a refresh token ends everything as well", async () => {
  await disconnectAll(await y.admin());
  const [one, newest] = [await y.connect(), await y.connect()];
  await revokeToken(host, newest.refresh_token);
  for (const { access_token, refresh_token } of [one, newest]) {
    await y.dead(access_token);
    await ended(refresh_token);
  }
  await y.listed("Ended");
});

test("yappointment-21 yappointment-E4: the company disconnects on its own page, and everything ends", async () => {
  const held = [await y.connect(), await y.connect()];
  const pending = await y.ask();
  assert.match(await y.listed("Connected"), /View customer bookings View services and pricing/);
  assert.ok((await disconnectAll(await y.admin())) > 0);
  for (const { access_token, refresh_token } of held) {
    await y.dead(access_token);
    await ended(refresh_token);
  }
  await refused(exchangeAuthCodeForToken(host, pending.code, pending.codeVerifier), 400, "invalid_grant");
  await y.listed("Ended");
  await y.works((await y.connect()).access_token);
});

test("yappointment-14 yappointment-E5 defect-3: a rotated refresh token is answered again for 30 s, then ends its family", async () => {
  await disconnectAll(await y.admin());
  const first = await y.connect();
  const second = await renew(first.refresh_token);
  assert.equal((await refreshAccessToken(host, first.refresh_token)).refresh_token, second.refresh_token);
  await y.listed("Connected");
  await y.pass(31_000);
  await ended(first.refresh_token);
  await ended(second.refresh_token);
  for (const { access_token } of [first, second]) await y.dead(access_token);
  await y.listed("Ended");
});

test("defect-4: a refresh, and a theft, at one place leave the company's other authorization alone", async () => {
  const [here, there] = [await y.connect(), await y.connect()];
  await renew(here.refresh_token);
  await y.pass(31_000);
  await ended(here.refresh_token);
  await y.works(there.access_token);
  await renew(there.refresh_token);
});

test("yappointment-E6 defect-1: of exchanges of one code at once one succeeds, and using it again ends what came from it", async () => {
  const { code, codeVerifier } = await y.ask();
  const exchanging = () => exchangeAuthCodeForToken(host, code, codeVerifier);
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, exchanging));
  const won = outcomes.filter(({ status }) => status === "fulfilled");
  assert.equal(won.length, 1);
  for (const { reason } of outcomes.filter((one) => !won.includes(one))) await refused(Promise.reject(reason), 400, "invalid_grant");
  const [held, other] = [await y.connect(), await y.connect()];
  await refused(exchangeAuthCodeForToken(host, held.code, generatePKCEChallenge().codeVerifier), 400, "invalid_grant");
  await y.works(held.access_token);
  await refused(exchangeAuthCodeForToken(host, held.code, held.codeVerifier), 400, "invalid_grant");
  for (const { access_token, refresh_token } of [won[0].value, held]) {
    await y.dead(access_token);
    await ended(refresh_token);
  }
  await y.works(other.access_token);
});

test("yappointment-E10: consenting again to more widens the connection; old tokens keep what they had", async () => {
  await disconnectAll(await y.admin());
  const narrow = await y.connect({ changes: { scope: "bookings:read" } });
  assert.doesNotMatch(await y.listed("Connected"), /View customer list/);
  await y.connect({ changes: { scope: "bookings:read customers:read" } });
  assert.match(await y.listed("Connected"), /View customer list/);
  const wider = { grant_type: "refresh_token", client_id: APP.id, client_secret: APP.secret, scope: "bookings:read customers:read" };
  const refusal = await thrown(axios.post(`${host}/oauth/token`, { ...wider, refresh_token: narrow.refresh_token }));
  assert.deepEqual([refusal.status, refusal.data.error], [400, "invalid_scope"]);
  await y.works((await renew(narrow.refresh_token)).access_token);
});

test("yappointment-E8: a suspended app gets nothing at once; restored, it goes on with the same tokens, code and connection", async () => {
  const held = await y.connect();
  const waiting = await y.ask();
  assert.equal((await manage(server, APP.id, "suspend")).json.status, "suspended");
  await y.dead(held.access_token, "Invalid access token");
  await refused(refreshAccessToken(host, held.refresh_token), 400, "unauthorized_client");
  await refused(exchangeAuthCodeForToken(host, waiting.code, waiting.codeVerifier), 400, "unauthorized_client");
  errorPage(await (await y.admin()).page(question()), 403);
  await y.listed("Suspended Connected");
  assert.equal((await manage(server, APP.id, "restore")).json.status, "approved");
  await y.works(held.access_token);
  await renew(held.refresh_token);
  tokens(await exchangeAuthCodeForToken(host, waiting.code, waiting.codeVerifier));
});

test("yappointment-26: an app that nobody has reviewed works like any other, without a warning", async () => {
  const spa = { id: "demo-spa", redirectUri: `${host}/demo/` };
  const answers = await Promise.all([APP, spa].map(({ id }) => manage(server, id, "review")));
  for (const { json } of answers) assert.equal(json.status, "pending");
  const page = await (await y.admin()).page(question(spa));
  consentForm(page);
  assert.doesNotMatch(page.text, /reviewed|approved/);
  const { access_token, refresh_token } = await y.connect();
  await y.works(access_token);
  await renew(refresh_token);
});

test("yappointment-E7: with a new secret and the old one gone, all tokens live on", async () => {
  const held = await y.connect();
  const { json } = await manageWith(server, "POST", `${APP.id}/secrets`);
  const renewed = { ...APP, secret: json.client_secret };
  const gone = await manageWith(server, "DELETE", `${APP.id}/secrets/${APP.secret.slice(-4)}`);
  assert.deepEqual([gone.status, gone.json.secret_hints], [200, [renewed.secret.slice(-4)]]);
  await refused(refreshAccessToken(host, held.refresh_token), 401, "invalid_client");
  await y.works(held.access_token);
  await y.works((await renew(held.refresh_token, renewed)).access_token);
});

test("yappointment-E9: a deleted app's tokens and connections have ended, and its id is nobody's", async () => {
  const spa = { id: "demo-spa", redirectUri: `${host}/demo/` };
  const { code, codeVerifier } = await y.ask({ client: spa });
  const fields = { client_id: spa.id, redirect_uri: spa.redirectUri };
  const exchanging = { grant_type: "authorization_code", code, code_verifier: codeVerifier, ...fields };
  const held = (await postForm(server, "/oauth/token", exchanging)).json;
  await y.works(held.access_token);
  await y.listed("Connected", "Wall Calendar");
  const answer = await manageWith(server, "DELETE", spa.id);
  assert.deepEqual([answer.status, answer.json.status], [200, "deleted"]);
  await y.dead(held.access_token, "Invalid access token");
  const refresh = { grant_type: "refresh_token", refresh_token: held.refresh_token, client_id: spa.id };
  await refused(axios.post(`${host}/oauth/token`, refresh), 401, "invalid_client");
  await y.listed("Ended", "Wall Calendar");
});
