// Klaviyo, by hand: how its tokens live, what limits them, what the API answers, how they end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { disconnectAll } from "../harness/client.mjs";
import {
  accountsAtOnce,
  apiError,
  authenticationFailed,
  connection,
  exchange,
  klaviyo,
  notAuthenticated,
  refresh,
  revoke,
  tokenError,
  tokens,
} from "./klaviyo.mjs";
import { APP, parallel, PENDING, send, signedIn, statuses } from "./steps.mjs";

const DAY = 86_400_000;
const INVALID_GRANT = { error: "invalid_grant" };
let platform, server;
before(async () => {
  platform = await klaviyo();
  server = platform.server;
});
after(() => server?.stop());

const works = async (accessToken) => assert.equal((await platform.accounts(accessToken)).status, 200);
/** Nothing of an install works any more. */
async function gone(held, ...accessTokens) {
  tokenError(await refresh(server, held.refresh_token), 400, INVALID_GRANT);
  for (const token of [held.access_token, ...accessTokens]) authenticationFailed(await platform.accounts(token));
}
const standing = ({ headers }) => ["limit", "remaining", "reset"].map((name) => headers.get(`RateLimit-${name}`));

test("klaviyo-17 klaviyo-E1: a refresh gives the same refresh token and a new access token; all earlier ones work on", async () => {
  const held = await platform.install();
  const access = [held.access_token];
  for (let n = 0; n < 4; n += 1) {
    const answer = tokens(await refresh(server, held.refresh_token));
    assert.equal(answer.refresh_token, held.refresh_token);
    access.push(answer.access_token);
    await platform.pass(60_000);
  }
  assert.equal(new Set(access).size, access.length);
  for (const token of access) await works(token);
});

test("klaviyo-18: of 25 refreshes at once exactly ten succeed; nothing is revoked, and it goes on after Retry-After", async () => {
  const [held, other] = [await platform.install(), await platform.install()];
  const answers = await parallel(25, () => refresh(server, held.refresh_token));
  assert.deepEqual(statuses(answers), { 200: 10, 429: 15 });
  const fresh = answers.filter(({ status }) => status === 200).map((answer) => tokens(answer));
  assert.equal(new Set(fresh.map(({ access_token }) => access_token)).size, 10);
  for (const { refresh_token } of fresh) assert.equal(refresh_token, held.refresh_token);

  const [refused] = answers.filter(({ status }) => status === 429);
  const wait = refused.headers.get("retry-after");
  assert.match(wait, /^([1-9]|[1-5]\d|60)$/);
  tokenError(refused, 429, {
    error: "temporarily_unavailable",
    error_description: `too many requests: try again in ${wait} seconds`,
  });
  assert.deepEqual(standing(refused), [null, null, null]);

  // "Existing access tokens will not be revoked", and another refresh token has its own ten.
  tokens(await refresh(server, other.refresh_token));
  for (const token of [held.access_token, fresh[0].access_token, fresh[9].access_token]) await works(token);
  assert.equal((await refresh(server, held.refresh_token)).status, 429, "the window has not passed");
  await platform.pass(wait * 1000);
  const next = await parallel(12, () => refresh(server, held.refresh_token));
  assert.deepEqual(statuses(next), { 200: 10, 429: 2 });
});

test("klaviyo-16 klaviyo-E11 klaviyo-E1: a refresh token dies after 90 days without use; each use begins them anew", async () => {
  const [used, idle] = [await platform.install(), await platform.install()];
  const use = async () => assert.equal(tokens(await refresh(server, used.refresh_token)).refresh_token, used.refresh_token);
  for (let quarters = 0; quarters < 8; quarters += 1) {
    await platform.pass(89 * DAY);
    await use();
    if (quarters === 0) tokens(await refresh(server, idle.refresh_token));
    if (quarters !== 1) continue;
    await platform.pass(2 * DAY);
    tokenError(await refresh(server, idle.refresh_token), 400, INVALID_GRANT);
    await use();
  }
  await platform.pass(91 * DAY);
  for (let tries = 0; tries < 2; tries += 1) tokenError(await refresh(server, used.refresh_token), 400, INVALID_GRANT);
});

test("klaviyo-21 klaviyo-S10: every refresh token that is not right is 400 with invalid_grant and nothing else", async () => {
  const held = await platform.install();
  const { refresh_token: token } = held;
  const foreign = await platform.install({ client: PENDING });
  const changed = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
  for (const wrong of ["nonsense", "kl_rt_", changed, token.replace("kl_rt_", ""), held.access_token, held.code, foreign.refresh_token]) {
    tokenError(await refresh(server, wrong), 400, INVALID_GRANT);
  }
  tokenError(await refresh(server, token, { client: PENDING }), 400, INVALID_GRANT);
  tokens(await refresh(server, token));
  tokens(await refresh(server, foreign.refresh_token, { client: PENDING }));
  const missing = await refresh(server, undefined);
  assert.equal(`${missing.status} ${missing.json.error}`, "400 invalid_request");
});

test("klaviyo-22 klaviyo-S13: the API and a missing, unreadable, expired or wrong token: the guide's JSON:API error", async () => {
  const held = await platform.install();
  const ids = [notAuthenticated(await accountsAtOnce(server, undefined)), notAuthenticated(await accountsAtOnce(server, "a b"))];
  for (const wrong of ["nonsense", "kl_at_", held.refresh_token, `${held.access_token}x`]) {
    const answer = await accountsAtOnce(server, wrong);
    ids.push(authenticationFailed(answer));
    assert.match(answer.headers.get("www-authenticate"), /^Bearer .*error="invalid_token"/);
  }
  await platform.pass(3_601_000);
  ids.push(notAuthenticated(await accountsAtOnce(server, held.access_token)));
  tokenError(await revoke(server, held.refresh_token), 200, {});
  ids.push(notAuthenticated(await accountsAtOnce(server, held.access_token)));
  assert.equal(new Set(ids).size, ids.length, "each answer has an id of its own");
  // The guide's curl leaves the slash at the end, its SDK does not.
  notAuthenticated(await accountsAtOnce(server, undefined, "/api/accounts"));
  apiError(await accountsAtOnce(server, undefined, "/api/nothing/"), 404, "not_found", "Not found.", "there is nothing at this address");
  const post = await send(server, "POST", "/api/accounts/", { body: "" });
  apiError(post, 405, "method_not_allowed", "Method not allowed.", "this method is not served here");
});

test("klaviyo-23 klaviyo-S14: a token without the scope is 403 in JSON:API form", async () => {
  const held = await platform.install({ scope: "lists:write" });
  const narrow = tokens(await refresh(server, held.refresh_token, { scope: "lists:write" }), "lists:write");
  const answer = await platform.accounts(narrow.access_token);
  const title = "You do not have permission to perform this action.";
  apiError(answer, 403, "permission_denied", title, "the access token lacks the scope accounts:read");
  assert.match(answer.headers.get("www-authenticate"), /error="insufficient_scope".*scope="accounts:read"/);
  await works(held.access_token);
});

test("klaviyo-23 klaviyo-31 klaviyo-E10: new scopes are asked of new consents; an old install keeps its own until then", async () => {
  const old = await platform.install({ scope: "lists:read" });
  // The app has this scope, the install has not.
  tokenError(await refresh(server, old.refresh_token, { scope: "flows:read" }), 400, {
    error: "invalid_scope",
    error_description: "scope must be within what was granted",
  });
  const wider = await platform.install({ scope: "lists:read flows:read" });
  assert.match(wider.page.text, /See your flows/);
  assert.equal(wider.scope, "accounts:read flows:read lists:read");
  tokens(await refresh(server, old.refresh_token), "accounts:read lists:read");
  tokens(await refresh(server, wider.refresh_token), "accounts:read flows:read lists:read");
  for (const { access_token } of [old, wider]) await works(access_token);
  assert.match(await connection(server, "Connected"), /See your flows/);
});

test("klaviyo-19 klaviyo-S15: one call a second: of 20 at once exactly one succeeds, the others hear Retry-After alone", async () => {
  // The first calls ever for this account, so that their second begins with them.
  const held = await platform.install({ account: "Second Store" });
  const answers = await parallel(20, () => accountsAtOnce(server, held.access_token));
  assert.deepEqual(statuses(answers), { 200: 1, 429: 19 });
  for (const answer of answers.filter(({ status }) => status === 429)) {
    assert.equal(answer.headers.get("retry-after"), "1");
    assert.deepEqual(standing(answer), [null, null, null]);
    apiError(answer, 429, "throttled", "Request was throttled.", "Request was throttled. Expected available in 1 seconds.");
  }
  await platform.pass(1000);
  assert.equal((await accountsAtOnce(server, held.access_token)).status, 200);
});

test("klaviyo-19 klaviyo-S15: fifteen calls a minute for app and account, whatever token they come with; RateLimit-* tells", async () => {
  const [one, two] = [await platform.install(), await platform.install()];
  // Minutes are laid end to end: wait for the next to begin.
  const [, , rest] = standing(await platform.accounts(one.access_token));
  await platform.pass(rest * 1000);
  const seen = [];
  for (let n = 1; n <= 15; n += 1) {
    const { access_token } = n % 2 ? one : two;
    const answer = await accountsAtOnce(server, access_token);
    assert.equal(answer.status, 200, `call ${n}`);
    assert.equal(answer.headers.get("retry-after"), null);
    const [limit, remaining, reset] = standing(answer);
    assert.equal(limit, "15");
    assert.match(reset, /^\d+$/);
    seen.push(Number(remaining));
    await platform.pass(1001);
  }
  assert.deepEqual(seen, Array.from({ length: 15 }, (_, n) => 14 - n));
  const late = await accountsAtOnce(server, one.access_token);
  assert.equal(late.status, 429);
  assert.deepEqual(standing(late), [null, null, null]);
  const wait = Number(late.headers.get("retry-after"));
  assert.ok(wait > 1 && wait <= 45, `Retry-After ${wait}`);

  // Another account of the app and another app of the account have quotas of their own.
  const elsewhere = await platform.install({ account: "Second Store" });
  const another = await platform.install({ client: PENDING });
  for (const { access_token } of [elsewhere, another]) assert.equal((await accountsAtOnce(server, access_token)).status, 200);
  const again = await accountsAtOnce(server, two.access_token);
  await platform.pass(again.headers.get("retry-after") * 1000);
  assert.equal((await accountsAtOnce(server, two.access_token)).status, 200);
});

test("klaviyo-24 klaviyo-25 klaviyo-E3: revoking a refresh token removes the app; the account can install it again", async () => {
  const [other, held] = [await platform.install(), await platform.install()];
  const { access_token: newer } = tokens(await refresh(server, held.refresh_token));
  const elsewhere = await platform.install({ account: "Second Store" });
  await connection(server, "Connected");
  tokenError(await revoke(server, held.refresh_token), 200, {});
  await gone(held, newer);
  await gone(other);
  await connection(server, "Ended");
  await works(elsewhere.access_token);
  await connection(server, "Connected", "Shop Sync", "Second Store");
  tokenError(await revoke(server, held.refresh_token), 200, {});

  const again = await platform.install();
  await works(again.access_token);
  tokens(await refresh(server, again.refresh_token));
  await connection(server, "Connected");
  // What was revoked stays so; an app that tidies away its old token does not cut its new install.
  tokenError(await revoke(server, held.refresh_token), 200, {});
  await gone(held, newer);
  await works(again.access_token);
});

test("klaviyo-24 klaviyo-E2: revoking an access token removes the app too; the hint is optional and not trusted", async () => {
  for (const token_type_hint of ["access_token", "refresh_token", undefined, "id_token"]) {
    const [other, held] = [await platform.install(), await platform.install()];
    tokenError(await revoke(server, held.access_token, { token_type_hint }), 200, {});
    await gone(held);
    await gone(other);
    await connection(server, "Ended");
  }
  const held = await platform.install();
  tokenError(await revoke(server, held.refresh_token, { token_type_hint: "access_token" }), 200, {});
  await gone(held);
  // A token from before the last hour still removes the app.
  const old = await platform.install();
  await platform.pass(3_700_000);
  tokenError(await revoke(server, old.access_token), 200, {});
  tokenError(await refresh(server, old.refresh_token), 400, INVALID_GRANT);
});

test("klaviyo-24: nobody's token and another app's are 200 with an empty object, and nothing happens to them", async () => {
  const held = await platform.install();
  for (const token of [held.refresh_token, held.access_token]) {
    tokenError(await revoke(server, token, { client: PENDING }), 200, {});
  }
  tokenError(await revoke(server, "nonsense"), 200, {});
  await works(held.access_token);
  tokens(await refresh(server, held.refresh_token));
  const missing = await revoke(server, undefined);
  tokenError(missing, 400, { error: "invalid_request", error_description: "token is missing" });
});

test("klaviyo-26 klaviyo-E4: a customer who uninstalls ends the tokens; the next refresh is invalid_grant", async () => {
  const [held, other] = [await platform.install(), await platform.install()];
  const waiting = await platform.allow();
  await connection(server, "Connected");
  await disconnectAll(await signedIn(server));
  await gone(held);
  await gone(other);
  const answer = await exchange(server, waiting);
  assert.equal(`${answer.status} ${answer.json.error}`, "400 invalid_grant", "a code from before");
  await connection(server, "Ended");
  await works((await platform.install()).access_token);
});

