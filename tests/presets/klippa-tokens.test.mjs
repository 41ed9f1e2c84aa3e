// Klippa: how long its tokens live and what ends them, how often they may be used, and what consent to clients' data is.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { consentForm, disconnectAll } from "../harness/client.mjs";
import { alive, connect, dead, exchange, listed, me, question, refresh, refused, revoke, SCOPE, tokens } from "./klippa.mjs";
import { authorize, parallel, pkce, postForm, start, statuses } from "./steps.mjs";

const DAY = 86_400_000;
const CLIENTS = "klippa.context.clients";
let server, owner;
before(async () => {
  ({ server, owner } = await start("klippa"));
});
after(() => server?.stop());
afterEach(() => server.clock(0));

const renew = async (token, scope) => tokens(await refresh(server, token), scope);
const ended = async (token) => refused(await refresh(server, token), 400, "invalid_grant");

test("klippa-15: an access token lives one hour", async () => {
  const { access_token } = await connect(owner);
  await server.clock(3_590_000);
  await alive(server, access_token);
  await server.clock(3_601_000);
  dead(await me(server, access_token));
});

test("klippa-6 klippa-16 klippa-17 klippa-E1: each refresh gives a new pair and revokes the old one, access token included", async () => {
  let held = await connect(owner);
  for (let round = 1; round <= 3; round += 1) {
    await server.clock(round * 60_000);
    const next = await renew(held.refresh_token);
    assert.notEqual(next.refresh_token, held.refresh_token);
    assert.notEqual(next.access_token, held.access_token);
    dead(await me(server, held.access_token));
    await alive(server, next.access_token);
    held = next;
  }
});

test("klippa-16: a refresh whose answer was lost may be sent again for half a minute and gets the same new pair", async () => {
  const held = await connect(owner);
  const once = await renew(held.refresh_token);
  await server.clock(25_000);
  const again = await refresh(server, held.refresh_token);
  assert.deepEqual([again.json.access_token, again.json.refresh_token], [once.access_token, once.refresh_token]);
  dead(await me(server, held.access_token));
});

test("klippa-16 klippa-E11: a refresh token lives 30 days, and each new one as long again", async () => {
  const [unused, held] = [await connect(owner), await connect(owner)];
  await server.clock(30 * DAY - 60_000);
  const next = await renew(held.refresh_token);
  await server.clock(30 * DAY + 2000);
  await ended(unused.refresh_token);
  await server.clock(60 * DAY - 120_000);
  const last = await renew(next.refresh_token);
  await server.clock(90 * DAY);
  await ended(last.refresh_token);
});

test("klippa-16 klippa-E5 defect-3: using a rotated refresh token again ends its family, the last one with the connection", async () => {
  await disconnectAll(owner);
  const first = await connect(owner);
  const second = await renew(first.refresh_token);
  await listed(owner, "Connected");
  await server.clock(31_000);
  await ended(first.refresh_token);
  await ended(second.refresh_token);
  dead(await me(server, second.access_token));
  await listed(owner, "Ended");
});

test("defect-4: a refresh in one place, and a theft there, leave the salon's other authorization alone", async () => {
  const [here, there] = [await connect(owner), await connect(owner)];
  await renew(here.refresh_token);
  await alive(server, there.access_token);
  await server.clock(31_000);
  await ended(here.refresh_token);
  await alive(server, there.access_token);
  await renew(there.refresh_token);
});

test("klippa-20 defect-11: exactly 100 calls a minute per token; a refresh gives no more, another consent has its own", async () => {
  const [held, other] = [await connect(owner), await connect(owner)];
  const answers = await parallel(300, () => me(server, held.access_token));
  assert.deepEqual(statuses(answers), { 200: 100, 429: 200 });
  assert.deepEqual(
    answers
      .filter(({ status }) => status === 200)
      .map(({ headers }) => Number(headers.get("ratelimit-remaining")))
      .sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, left) => left),
  );
  const limited = answers.find(({ status }) => status === 429);
  const wait = Number(limited.headers.get("retry-after"));
  assert.ok(Number.isInteger(wait) && wait > 0 && wait <= 60, `Retry-After: ${wait}`);
  assert.equal(limited.json.error, "temporarily_unavailable");
  assert.equal(limited.headers.get("ratelimit-limit"), "100");

  const next = await renew(held.refresh_token);
  assert.equal((await me(server, next.access_token)).status, 429);
  assert.deepEqual(statuses(await parallel(150, () => me(server, other.access_token))), { 200: 100, 429: 50 });
  const last = await me(server, next.access_token);
  await server.clock(Number(last.headers.get("retry-after")) * 1000);
  assert.deepEqual(statuses(await parallel(150, () => me(server, next.access_token))), { 200: 100, 429: 50 });
});

test("klippa-23 klippa-E2: revoking an access token ends that token only", async () => {
  const [one, other] = [await connect(owner), await connect(owner)];
  for (let times = 0; times < 2; times += 1) {
    const answer = await revoke(server, one.access_token);
    assert.deepEqual([answer.status, answer.json], [200, {}]);
  }
  dead(await me(server, one.access_token));
  await alive(server, other.access_token);
  await alive(server, (await renew(one.refresh_token)).access_token);
  assert.equal((await revoke(server, "nonsense", { token_type_hint: "whatever" })).status, 200);
  refused(await revoke(server, undefined), 400, "invalid_request");
});

test("klippa-23: another app's token is neither revoked nor refreshed nor exchanged", async () => {
  const spa = { id: "demo-spa", redirectUri: `${server.issuer}/demo/` };
  const { verifier, challenge } = pkce();
  const ask = () => authorize(owner, question({ code_challenge: challenge, code_challenge_method: "S256" }, spa));
  const fields = { grant_type: "authorization_code", client_id: spa.id, redirect_uri: spa.redirectUri, code_verifier: verifier };
  const { code } = await ask();
  refused(await exchange(server, code, { code_verifier: verifier, redirect_uri: spa.redirectUri }), 400, "invalid_grant");
  const theirs = tokens(await postForm(server, "/api/v1/oauth/token", { ...fields, code }));
  for (const token of [theirs.access_token, theirs.refresh_token]) refused(await revoke(server, token), 400, "invalid_grant");
  await ended(theirs.refresh_token);
  await alive(server, theirs.access_token);
  const fresh = { grant_type: "refresh_token", refresh_token: theirs.refresh_token, client_id: spa.id };
  tokens(await postForm(server, "/api/v1/oauth/token", fresh));
});

test("klippa-E3: revoking a refresh token ends its access tokens too and, being the last, the connection", async () => {
  await disconnectAll(owner);
  const held = await connect(owner);
  assert.deepEqual((await revoke(server, held.refresh_token)).json, {});
  await ended(held.refresh_token);
  dead(await me(server, held.access_token));
  await listed(owner, "Ended");
});

test("klippa-E4: disconnecting ends all tokens, codes on their way included, and the connection", async () => {
  const held = [await connect(owner), await connect(owner)];
  const { code } = await authorize(owner, question());
  await listed(owner, "Connected");
  assert.ok((await disconnectAll(owner)) > 0);
  for (const { access_token, refresh_token } of held) {
    dead(await me(server, access_token));
    await ended(refresh_token);
  }
  refused(await exchange(server, code), 400, "invalid_grant");
  await listed(owner, "Ended");
  await alive(server, (await connect(owner)).access_token);
  await listed(owner, "Connected");
});

test("klippa-E6 defect-1: of exchanges of one code at once one succeeds at most, and using it again ends what came from it", async () => {
  const { code } = await authorize(owner, question());
  const answers = await parallel(12, () => exchange(server, code));
  const won = answers.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  for (const answer of answers.filter((one) => !won.includes(one))) refused(answer, 400, "invalid_grant");
  const other = await connect(owner);
  const held = await connect(owner);
  refused(await exchange(server, held.code), 400, "invalid_grant");
  for (const { access_token, refresh_token } of [won[0].json, held]) {
    dead(await me(server, access_token));
    await ended(refresh_token);
  }
  await alive(server, other.access_token);
});

test("klippa-E10: consenting again to more widens the connection; old tokens keep what they had", async () => {
  await disconnectAll(owner);
  const narrow = await connect(owner, { scope: "klippa.context" });
  assert.doesNotMatch(await listed(owner, "Connected"), /Create and manage bookings/);
  const wide = await connect(owner, { scope: "klippa.context klippa.book" });
  assert.match(await listed(owner, "Connected"), /Create and manage bookings/);
  assert.deepEqual((await me(server, narrow.access_token)).json.scopes, ["klippa.context"]);
  assert.deepEqual((await me(server, wide.access_token)).json.scopes, ["klippa.context", "klippa.book"]);
  await renew(narrow.refresh_token, "klippa.context");
  refused(await refresh(server, wide.refresh_token, { scope: SCOPE }), 400, "invalid_scope");
});

/** The page's separate items: what each is called and whether it comes ticked. */
function items(page) {
  const boxes = consentForm(page).controls.filter(({ name }) => name === "item");
  return boxes.map(({ value, type, checked }) => ({ value, type, checked }));
}
const scopes = async (token) => (await me(server, token)).json.scopes;

test("klippa-31: clients' data is an item of its own, not ticked; only a tick grants it, and only where it was offered", async () => {
  const page = await owner.page(question());
  assert.deepEqual(items(page), [{ value: CLIENTS, type: "checkbox", checked: false }]);
  assert.match(page.text, /Tick what it may have besides Read your clients' names and contact details Sensitive/);
  const without = await connect(owner);
  assert.equal(without.scope, SCOPE);
  assert.deepEqual(await scopes(without.access_token), SCOPE.split(" "));
  const ticked = await connect(owner, { items: [CLIENTS] });
  const all = [...SCOPE.split(" "), CLIENTS];
  assert.deepEqual([ticked.scope.split(" "), await scopes(ticked.access_token)], [all, all]);
  assert.deepEqual(await scopes(without.access_token), SCOPE.split(" "), "the tick is for what it was given to");

  assert.deepEqual(items(await owner.page(question({ scope: "klippa.availability klippa.book" }))), []);
  const sneaked = await connect(owner, { scope: "klippa.book", items: [CLIENTS, "klippa.context"] });
  assert.equal(sneaked.scope, "klippa.book");
  assert.equal((await me(server, sneaked.access_token)).status, 403);
});

test("klippa-31: an app that names the clients itself gets them by the tick only, like any other", async () => {
  const scope = `klippa.context ${CLIENTS}`;
  assert.deepEqual(items(await owner.page(question({ scope }))), [{ value: CLIENTS, type: "checkbox", checked: false }]);
  assert.equal((await connect(owner, { scope })).scope, "klippa.context");
  assert.equal((await connect(owner, { scope, items: [CLIENTS] })).scope, scope);
  const form = consentForm(await owner.page(question({ scope: CLIENTS })));
  const bare = await owner.submit(form, { account: form.values("account")[0] }, { decision: "allow" });
  assert.deepEqual([bare.status, bare.location], [400, null]);
  assert.match(bare.text, /Tick what the app may have, or press Deny/);
});

test("klippa-31: consenting again without the tick takes the clients from earlier tokens too, for good", async () => {
  const earlier = await connect(owner, { items: [CLIENTS] });
  const elsewhere = await connect(owner, { items: [CLIENTS], account: "Second Salon" });
  assert.ok((await scopes(earlier.access_token)).includes(CLIENTS));
  assert.match(await listed(owner, "Connected"), /Read your clients' names/);
  const { code } = await authorize(owner, question());
  assert.deepEqual(await scopes(earlier.access_token), SCOPE.split(" "), "at once, before the app has exchanged anything");
  assert.doesNotMatch(await listed(owner, "(?:Connected|Allowed, not used yet)"), /Read your clients' names/);
  tokens(await exchange(server, code));
  const refreshed = await renew(earlier.refresh_token);
  assert.deepEqual(await scopes(refreshed.access_token), SCOPE.split(" "));
  assert.ok((await scopes(elsewhere.access_token)).includes(CLIENTS), "another salon's consent is another's");

  const again = await connect(owner, { items: [CLIENTS] });
  assert.ok((await scopes(again.access_token)).includes(CLIENTS));
  assert.deepEqual(await scopes(refreshed.access_token), SCOPE.split(" "), "a later tick does not reach back");
});
