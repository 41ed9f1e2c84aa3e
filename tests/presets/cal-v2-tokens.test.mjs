// Cal.com today: how long its tokens live, what ends them, how often they may be used.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { disconnectAll } from "../harness/client.mjs";
import { listed } from "./cal.mjs";
import * as cal from "./cal-v2.mjs";
import { authorize, get, parallel, signedIn, start, statuses } from "./steps.mjs";

const { alive, apiError, dead, exchange, me, publicApp, publicQuestion, question, refresh, refused, revoke, tokens } = cal;
const DAY = 86_400_000;
let server, owner;
before(async () => {
  ({ server, owner } = await start("cal-v2"));
});
after(() => server?.stop());
afterEach(() => server.clock(0));

const connect = (choice) => cal.connect(owner, choice);
const renew = async (token, client) => tokens(await refresh(server, token, {}, client));
const revoked = async (token, client) => refused(await refresh(server, token, {}, client), 400, "invalid_grant", "refresh_token_revoked");
const badCode = (answer) => refused(answer, 400, "invalid_grant", "code_invalid_or_expired");

test("cal-v2-19 cal-v2-S5: a code lives ten minutes", async () => {
  const [early, late] = [await authorize(owner, question()), await authorize(owner, question())];
  await server.clock(590_000);
  tokens(await exchange(server, early.code));
  await server.clock(601_000);
  badCode(await exchange(server, late.code));
});

test("cal-v2-19 cal-v2-S5 defect-1: of exchanges of one code at once one succeeds at most", async () => {
  const { code } = await authorize(owner, question());
  const answers = await parallel(12, () => exchange(server, code));
  const won = answers.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  tokens(won[0]);
  for (const answer of answers.filter((one) => !won.includes(one))) badCode(answer);
});

test("a replayed code is code_invalid_or_expired and, stricter than the source, ends what came from it, and nothing else", async () => {
  const [held, other] = [await connect(), await connect()];
  const elsewhere = { redirect_uri: "http://127.0.0.1:5002/callback" };
  refused(await exchange(server, held.code, elsewhere), 400, "invalid_grant", "redirect_uri_mismatch");
  await alive(server, held.access_token);
  badCode(await exchange(server, held.code));
  dead(await me(server, held.access_token));
  await revoked(held.refresh_token);
  await alive(server, other.access_token);
  await renew(other.refresh_token);
});

test("cal-v2-20: access tokens live 30 minutes", async () => {
  const { access_token } = await connect();
  await server.clock(1_795_000);
  await alive(server, access_token);
  await server.clock(1_801_000);
  dead(await me(server, access_token));
});

test("cal-v2-21 cal-v2-22 cal-v2-E1 cal-v2-S10: each refresh gives a new pair and ends the old refresh token only", async () => {
  const held = [await connect()];
  for (let round = 1; round <= 3; round += 1) {
    await server.clock(round * 60_000);
    const next = await renew(held.at(-1).refresh_token);
    assert.notEqual(next.refresh_token, held.at(-1).refresh_token);
    assert.notEqual(next.access_token, held.at(-1).access_token);
    held.push(next);
  }
  for (const { access_token } of held) await alive(server, access_token);
  await revoked(held[0].refresh_token);
});

test("a refresh whose answer was lost may be sent again, for half a minute, by a public app for two seconds: the same pair", async () => {
  const held = await connect();
  const once = await renew(held.refresh_token);
  await server.clock(25_000);
  const again = await renew(held.refresh_token);
  assert.deepEqual([again.access_token, again.refresh_token], [once.access_token, once.refresh_token]);
  await server.clock(0);
  const client = publicApp(server);
  const other = await cal.connectPublic(owner);
  await renew(other.refresh_token, client);
  await server.clock(5000);
  await revoked(other.refresh_token, client);
});

test("cal-v2-21 cal-v2-E11: a refresh token lives 30 days, and each new one as long again, as often as it is used", async () => {
  const unused = await connect();
  let held = await connect();
  await server.clock(29 * DAY);
  held = await renew(held.refresh_token);
  await server.clock(30 * DAY + 2000);
  await revoked(unused.refresh_token);
  for (const days of [58, 87, 116, 145, 174, 203]) {
    await server.clock(days * DAY);
    held = await renew(held.refresh_token);
  }
  await server.clock(233 * DAY + 2000);
  await revoked(held.refresh_token);
  await server.clock(235 * DAY);
  await listed(await signedIn(server), "Expired");
});

test("cal-v2-S10 defect-3: a rotated refresh token is refresh_token_revoked and, stricter than the source, ends its family", async () => {
  await disconnectAll(owner);
  const first = await connect();
  const second = await renew(first.refresh_token);
  await listed(owner, "Connected");
  await server.clock(31_000);
  await revoked(first.refresh_token);
  await revoked(second.refresh_token);
  dead(await me(server, second.access_token));
  await listed(owner, "Ended");
});

test("defect-4: a refresh, or a theft, on one device leaves the other device's refresh token alone", async () => {
  const [here, there] = [await connect(), await connect()];
  await renew(here.refresh_token);
  const next = await renew(there.refresh_token);
  await server.clock(31_000);
  await revoked(here.refresh_token);
  await alive(server, next.access_token);
  await renew(next.refresh_token);
});

test("cal-v2-33 cal-v2-S15: 500 calls a minute for an access token, exactly; the headers tell the rest", async () => {
  const [held, other] = [await connect(), await connect()];
  const answers = await parallel(700, () => me(server, held.access_token));
  assert.deepEqual(statuses(answers), { 200: 500, 429: 200 });
  const told = ({ headers }, name) => Number(headers.get(`X-RateLimit-${name}-Default`));
  const served = answers.filter(({ status }) => status === 200);
  const left = served.map((answer) => told(answer, "Remaining")).sort((a, b) => a - b);
  assert.deepEqual(left, Array.from({ length: 500 }, (_, rest) => rest));
  for (const answer of served) assert.ok(told(answer, "Limit") === 500 && told(answer, "Reset") > 0 && told(answer, "Reset") <= 60);

  const limited = answers.find(({ status }) => status === 429);
  apiError(limited, 429, "ThrottlerException", "Too many requests. Please try again later.");
  const wait = Number(limited.headers.get("retry-after"));
  assert.ok(Number.isInteger(wait) && wait > 30 && wait <= 60, `Retry-After: ${wait}`);
  assert.deepEqual([told(limited, "Limit"), told(limited, "Remaining"), told(limited, "Reset")], [500, 0, wait]);
  await alive(server, other.access_token);
  const next = await renew(held.refresh_token);
  const last = await me(server, next.access_token);
  assert.equal(last.status, 429, "a refresh gives no more");
  await server.clock(Number(last.headers.get("retry-after")) * 1000);
  assert.deepEqual(statuses(await parallel(600, () => me(server, next.access_token))), { 200: 500, 429: 100 });
});

test("cal-v2-33: 120 calls a minute for an address without a token that is one; its tokens go on", async () => {
  const { access_token } = await connect();
  const address = { "cf-connecting-ip": "203.0.113.7" };
  const tries = (count) => parallel(count, (n) => get(server, "/v2/me", n % 2 ? "exampleAccessToken" : undefined, address));
  const answers = await tries(200);
  assert.deepEqual(statuses(answers), { 401: 120, 429: 80 });
  const limited = answers.find(({ status }) => status === 429);
  apiError(limited, 429, "ThrottlerException", "Too many requests. Please try again later.");
  assert.equal((await me(server, access_token, address)).status, 200);
  dead(await me(server, "exampleAccessToken"));
  await server.clock(Number(limited.headers.get("retry-after")) * 1000);
  assert.deepEqual(statuses(await tries(130)), { 401: 120, 429: 10 });
});

test("a refresh token may be used ten times a minute by itself and its successors; more is told to wait and ends nothing", async () => {
  let held = await connect();
  for (let times = 0; times < 10; times += 1) held = await renew(held.refresh_token);
  const limited = await refresh(server, held.refresh_token);
  assert.deepEqual([limited.status, limited.json.error], [429, "temporarily_unavailable"]);
  const wait = Number(limited.headers.get("retry-after"));
  assert.ok(wait > 45 && wait <= 60, `Retry-After: ${wait}`);
  await alive(server, held.access_token);
  await server.clock(wait * 1000);
  await renew(held.refresh_token);
});

test("cal-v2-E2: revoking an access token ends that token only", async () => {
  const held = await connect();
  const next = await renew(held.refresh_token);
  for (let times = 0; times < 2; times += 1) {
    const answer = await revoke(server, held.access_token);
    assert.deepEqual([answer.status, answer.json], [200, {}]);
  }
  dead(await me(server, held.access_token));
  await alive(server, next.access_token);
  await renew(next.refresh_token);
  assert.equal((await revoke(server, "exampleAccessToken", { token_type_hint: "x" })).status, 200);
  assert.equal((await revoke(server, undefined)).status, 400);
});

test("cal-v2-E3: revoking a refresh token ends its access tokens too and, being the last, the connection", async () => {
  await disconnectAll(owner);
  const [other, held] = [await connect(), await connect()];
  const next = await renew(held.refresh_token);
  assert.deepEqual((await revoke(server, next.refresh_token)).json, {});
  await revoked(next.refresh_token);
  for (const { access_token } of [held, next]) dead(await me(server, access_token));
  await alive(server, other.access_token);
  await listed(owner, "Connected");
  assert.equal((await revoke(server, other.refresh_token)).status, 200);
  await listed(owner, "Ended");
});

test("cal-v2-34 cal-v2-E4: disconnecting on the page for it ends all tokens, codes on their way included, and the connection", async () => {
  await disconnectAll(owner);
  const held = [await connect(), await connect()];
  const { code } = await authorize(owner, question());
  await listed(owner, "Connected");
  assert.equal(await disconnectAll(owner), 1);
  for (const { access_token, refresh_token } of held) {
    dead(await me(server, access_token));
    await revoked(refresh_token);
  }
  badCode(await exchange(server, code));
  await listed(owner, "Ended");
  await alive(server, (await connect()).access_token);
  await listed(owner, "Connected");
});

test("cal-v2-S10: another app's token is client_id_mismatch; it is neither exchanged nor revoked", async () => {
  const theirs = await cal.connectPublic(owner);
  refused(await refresh(server, theirs.refresh_token), 400, "invalid_grant", "client_id_mismatch");
  for (const token of [theirs.access_token, theirs.refresh_token]) {
    const answer = await revoke(server, token);
    assert.deepEqual([answer.status, answer.json.error], [400, "invalid_grant"]);
  }
  const client = publicApp(server);
  const { path, verifier } = publicQuestion(server);
  const { code } = await authorize(owner, path);
  badCode(await exchange(server, code, { code_verifier: verifier, redirect_uri: client.redirectUri }));
  tokens(await exchange(server, code, { code_verifier: verifier }, client));
  await alive(server, theirs.access_token);
  await renew(theirs.refresh_token, client);
});
