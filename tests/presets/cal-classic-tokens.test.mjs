// Cal.com as its guide of 2024 has it: how long its tokens live, what ends them, how often they may be used.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { disconnectAll } from "../harness/client.mjs";
import { listed } from "./cal.mjs";
import * as cal from "./cal-classic.mjs";
import { authorize, parallel, pkce, signedIn, start, statuses } from "./steps.mjs";

const { alive, dead, exchange, me, publicApp, question, refresh, refreshed, refused, revoke, tokens } = cal;
const DAY = 86_400_000;
let server, owner;
before(async () => {
  ({ server, owner } = await start("cal-classic"));
});
after(() => server?.stop());
afterEach(() => server.clock(0));

const connect = (choice) => cal.connect(owner, choice);
const renew = async (token) => refreshed(await refresh(server, token));
const ended = async (token) => refused(await refresh(server, token), 401);
/** A public app's refresh: its token is in the body. */
const renewPublic = (token) => refresh(server, null, { client_secret: undefined, refresh_token: token }, publicApp(server));

test("cal-classic-19 cal-classic-S5: a code lives ten minutes", async () => {
  const [early, late] = [await authorize(owner, question()), await authorize(owner, question())];
  await server.clock(590_000);
  tokens(await exchange(server, early.code));
  await server.clock(601_000);
  refused(await exchange(server, late.code), 401);
});

test("cal-classic-19 cal-classic-S5 cal-classic-E6 defect-1: of exchanges of one code at once one succeeds at most", async () => {
  const { code } = await authorize(owner, question());
  const answers = await parallel(12, () => exchange(server, code));
  const won = answers.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  for (const answer of answers.filter((one) => !won.includes(one))) refused(answer, 401);
  const { access_token, refresh_token } = tokens(won[0]);
  // Stricter than the source: whoever has used the code twice has nothing left.
  dead(await me(server, access_token));
  await ended(refresh_token);
});

test("cal-classic-E6: a replayed code is Unauthorized and ends what came from it, and nothing else", async () => {
  const [held, other] = [await connect(), await connect()];
  refused(await exchange(server, held.code, { redirect_uri: "http://127.0.0.1:5002/callback" }), 401);
  await alive(server, held.access_token);
  refused(await exchange(server, held.code), 401);
  dead(await me(server, held.access_token));
  await ended(held.refresh_token);
  await alive(server, other.access_token);
  await renew(other.refresh_token);
});

test("cal-classic-20: access tokens live 30 minutes, the first and each later one", async () => {
  const held = await connect();
  await server.clock(1_795_000);
  await alive(server, held.access_token);
  const next = await renew(held.refresh_token);
  await server.clock(1_801_000);
  dead(await me(server, held.access_token));
  await server.clock(2 * 1_795_000);
  await alive(server, next);
  await server.clock(1_795_000 + 1_802_000);
  dead(await me(server, next));
});

test("cal-classic-21 cal-classic-22 cal-classic-E1: a refresh ends nothing; the same refresh token works again and again", async () => {
  const held = await connect();
  const access = [held.access_token];
  for (let round = 0; round < 5; round += 1) access.push(await renew(held.refresh_token));
  access.push(...(await parallel(4, () => renew(held.refresh_token))));
  assert.equal(new Set(access).size, 10, "each refresh gives another access token");
  for (const token of access) await alive(server, token);
});

test("cal-classic-21 cal-classic-E11: a refresh token lives 30 days from the exchange, used or not", async () => {
  const [unused, used] = [await authorize(owner, question()), await authorize(owner, question())];
  await server.clock(300_000);
  const [left, held] = [tokens(await exchange(server, unused.code)), tokens(await exchange(server, used.code))];
  for (const days of [5, 15, 25]) {
    await server.clock(days * DAY);
    await renew(held.refresh_token);
  }
  await server.clock(30 * DAY + 295_000);
  const last = await renew(held.refresh_token);
  await renew(left.refresh_token);
  await alive(server, last);
  await server.clock(30 * DAY + 302_000);
  await ended(held.refresh_token);
  await ended(left.refresh_token);
  dead(await me(server, last));
  await server.clock(32 * DAY);
  await listed(await signedIn(server), "Expired");
});

test("a refresh token may be used ten times a minute, exactly; more is told to wait and ends nothing", async () => {
  const held = await connect();
  const answers = await parallel(25, () => refresh(server, held.refresh_token));
  assert.deepEqual(statuses(answers), { 200: 10, 429: 15 });
  const limited = answers.find(({ status }) => status === 429);
  const wait = Number(limited.headers.get("retry-after"));
  assert.ok(Number.isInteger(wait) && wait > 45 && wait <= 60, `Retry-After: ${wait}`);
  assert.deepEqual(Object.keys(limited.json), ["message"]);
  await server.clock(wait * 1000);
  await renew(held.refresh_token);
});

test("100 calls a minute for one connection, exactly; a refresh gives no more, another authorization has its own", async () => {
  const [held, other] = [await connect(), await connect()];
  const answers = await parallel(300, () => me(server, held.access_token));
  assert.deepEqual(statuses(answers), { 201: 100, 429: 200 });
  const limited = answers.find(({ status }) => status === 429);
  const wait = Number(limited.headers.get("retry-after"));
  assert.ok(Number.isInteger(wait) && wait > 45 && wait <= 60, `Retry-After: ${wait}`);
  assert.deepEqual([limited.headers.get("ratelimit-limit"), limited.headers.get("ratelimit-remaining")], ["100", "0"]);
  assert.deepEqual(Object.keys(limited.json), ["message"]);
  const next = await renew(held.refresh_token);
  assert.equal((await me(server, next)).status, 429);
  assert.deepEqual(statuses(await parallel(150, () => me(server, other.access_token))), { 201: 100, 429: 50 });
  const last = await me(server, next);
  await server.clock(Number(last.headers.get("retry-after")) * 1000);
  assert.deepEqual(statuses(await parallel(150, () => me(server, next))), { 201: 100, 429: 50 });
});

test("cal-classic-E2: revoking an access token ends that token only", async () => {
  const held = await connect();
  const second = await renew(held.refresh_token);
  for (let times = 0; times < 2; times += 1) {
    const answer = await revoke(server, held.access_token);
    assert.deepEqual([answer.status, answer.json], [200, {}]);
  }
  dead(await me(server, held.access_token));
  await alive(server, second);
  await alive(server, await renew(held.refresh_token));
  assert.equal((await revoke(server, "exampleAccessToken")).status, 200);
  assert.equal((await revoke(server, undefined)).status, 400);
});

test("cal-classic-E3: revoking a refresh token ends its access tokens too and, being the last, the connection", async () => {
  await disconnectAll(owner);
  const [other, held] = [await connect(), await connect()];
  const second = await renew(held.refresh_token);
  assert.deepEqual((await revoke(server, held.refresh_token)).json, {});
  await ended(held.refresh_token);
  for (const token of [held.access_token, second]) dead(await me(server, token));
  await alive(server, other.access_token);
  await listed(owner, "Connected");
  assert.equal((await revoke(server, other.refresh_token)).status, 200);
  await listed(owner, "Ended");
});

test("cal-classic-E4: disconnecting ends all tokens, codes on their way included, and the connection", async () => {
  await disconnectAll(owner);
  const held = [await connect(), await connect()];
  const { code } = await authorize(owner, question());
  await listed(owner, "Connected");
  assert.equal(await disconnectAll(owner), 1);
  for (const { access_token, refresh_token } of held) {
    dead(await me(server, access_token));
    await ended(refresh_token);
  }
  refused(await exchange(server, code), 401);
  await listed(owner, "Ended");
  await alive(server, (await connect()).access_token);
  await listed(owner, "Connected");
});

test("cal-classic-E5 defect-3 defect-4: what rotates, a public app's refresh token, ends its family when it is replayed", async () => {
  await disconnectAll(owner);
  const [first, elsewhere] = [await cal.connectPublic(owner), await cal.connectPublic(owner)];
  const second = cal.completeTokens(await renewPublic(first.refresh_token));
  await listed(owner, "Connected", { app: "Agenda Wall" });
  await server.clock(3000);
  refused(await renewPublic(first.refresh_token), 401);
  refused(await renewPublic(second.refresh_token), 401);
  for (const { access_token } of [first, second]) dead(await me(server, access_token));
  await alive(server, elsewhere.access_token);
  const last = cal.completeTokens(await renewPublic(elsewhere.refresh_token));
  await server.clock(6000);
  refused(await renewPublic(elsewhere.refresh_token), 401);
  dead(await me(server, last.access_token));
  await listed(owner, "Ended", { app: "Agenda Wall" });
});

test("cal-classic-E10: consenting again gives new tokens; old ones keep what they had, and there is one connection", async () => {
  await disconnectAll(owner);
  const narrow = await connect({ scope: "READ_BOOKING" });
  assert.equal(await listed(owner, "Connected"), "Read your bookings");
  const wide = await connect();
  assert.equal(await listed(owner, "Connected"), "Read your bookings See your personal info");
  assert.notEqual(wide.refresh_token, narrow.refresh_token);
  await alive(server, wide.access_token);
  dead(await me(server, narrow.access_token));
  dead(await me(server, await renew(narrow.refresh_token)));
  await alive(server, await renew(wide.refresh_token));
});

test("another app's token is neither refreshed nor exchanged nor revoked", async () => {
  const theirs = await cal.connectPublic(owner);
  await ended(theirs.refresh_token);
  refused(await refresh(server, null, { refresh_token: theirs.refresh_token }), 401);
  for (const token of [theirs.access_token, theirs.refresh_token]) assert.equal((await revoke(server, token)).status, 400);
  const client = publicApp(server);
  const { verifier, challenge } = pkce();
  const asked = question({ code_challenge: challenge, code_challenge_method: "S256" }, client);
  const { code } = await authorize(owner, asked);
  refused(await exchange(server, code, { code_verifier: verifier, redirect_uri: client.redirectUri }), 401);
  cal.completeTokens(await exchange(server, code, { code_verifier: verifier }, client));
  await alive(server, theirs.access_token);
  cal.completeTokens(await renewPublic(theirs.refresh_token));
});
