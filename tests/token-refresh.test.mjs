// Refreshing: rotation, replay, the retry window, scopes, expiry and limits.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { connect, me, refresh, SCOPES, serverApp, signedIn, spa } from "./harness/client.mjs";
import { invalidToken, oauthError, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const DAY = 86_400_000;

let server, owner, app;
const confidential = serverApp();
before(async () => {
  server = await startServer();
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());
afterEach(() => server.clock(0));

/** Runs with the clock shifted, and sets it back whatever happens. */
async function later(offsetMs, run) {
  await server.clock(offsetMs);
  try {
    return await run();
  } finally {
    await server.clock(0);
  }
}

const rotate = async (token, client = app, changes) => tokens(await refresh(server, client, token, changes));
const dead = async (token, client = app) => oauthError(await refresh(server, client, token), 400, "invalid_grant");

test("RT-03: each refresh gives new tokens, for both kinds of apps, and the old access token lives on", async () => {
  for (const client of [app, confidential]) {
    const first = await connect(server, owner, client);
    const second = await rotate(first.refresh_token, client);
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.notEqual(second.access_token, first.access_token);
    assert.equal(second.expires_in, 3600);
    for (const token of [first.access_token, second.access_token]) assert.equal((await me(server, token)).status, 200);
  }
});

test("RT-01: another client's refresh token is refused and the family lives", async () => {
  const mine = await connect(server, owner, app);
  const theirs = await connect(server, owner, confidential);
  oauthError(await refresh(server, confidential, mine.refresh_token), 400, "invalid_grant");
  oauthError(await refresh(server, app, theirs.refresh_token), 400, "invalid_grant");
  await rotate(mine.refresh_token);
  await rotate(theirs.refresh_token, confidential);
});

test("RT-02: a confidential app must prove itself, and a failed try changes nothing", async () => {
  const held = await connect(server, owner, confidential);
  for (const secret of [undefined, "wrong"])
    oauthError(await refresh(server, { ...confidential, secret }, held.refresh_token), 401, "invalid_client");
  await rotate(held.refresh_token, confidential);
});

test("RT-15, RC-11: the same token again inside two seconds gets the same answer", async () => {
  const first = await connect(server, owner, app);
  const once = await rotate(first.refresh_token);
  const again = await rotate(first.refresh_token);
  assert.equal(again.refresh_token, once.refresh_token);
  assert.equal(again.access_token, once.access_token);
  assert.equal(again.scope, once.scope);
});

test("A6: a duplicate that is two rotations behind, inside the window, gets the newest answer and ends nothing", async () => {
  const zero = await connect(server, owner, app);
  const one = await rotate(zero.refresh_token);
  const two = await rotate(one.refresh_token);
  assert.equal((await rotate(zero.refresh_token)).refresh_token, two.refresh_token);
  await rotate(two.refresh_token);
});

test("RT-04, RT-05: a replay after the window ends the family with its access tokens", async () => {
  const first = await connect(server, owner, app);
  const second = await rotate(first.refresh_token);
  await later(2500, async () => {
    await dead(first.refresh_token);
    await dead(second.refresh_token);
    for (const token of [first.access_token, second.access_token]) invalidToken(await me(server, token));
  });
});

test("RT-04, RT-06, invariant 2: any ancestor, however old, ends the family", async () => {
  for (const [generations, behind, wait] of [
    [3, 2, 3000],
    [6, 5, 3000],
    [2, 1, 29 * DAY],
    [8, 8, 3000],
  ]) {
    const line = [await connect(server, owner, app)];
    for (let n = 0; n < generations; n += 1) {
      await server.clock(n * 10_000);
      line.push(await rotate(line.at(-1).refresh_token));
    }
    await later(generations * 10_000 + wait, async () => {
      await dead(line.at(-1 - behind).refresh_token);
      await dead(line.at(-1).refresh_token);
    });
  }
});

test("a replay ends its own family only", async () => {
  const other = await connect(server, owner, app);
  const first = await connect(server, owner, app);
  await rotate(first.refresh_token);
  await later(2500, () => dead(first.refresh_token));
  await rotate(other.refresh_token);
});

test("RT-07: a narrower scope holds for the access token only; the next refresh has the whole set again", async () => {
  const held = await connect(server, owner, app);
  const narrow = await rotate(held.refresh_token, app, { scope: "account:read" });
  assert.equal(narrow.scope, "account:read");
  assert.deepEqual((await me(server, narrow.access_token)).json.scopes, ["account:read"]);
  const full = await rotate(narrow.refresh_token);
  assert.deepEqual(full.scope.split(" ").sort(), SCOPES.split(" ").sort());
});

test("A7: a retry gets the scope of the first answer, whatever it asks for itself", async () => {
  const held = await connect(server, owner, app);
  const narrow = await rotate(held.refresh_token, app, { scope: "account:read" });
  const retry = await rotate(held.refresh_token);
  assert.equal(retry.access_token, narrow.access_token);
  assert.equal(retry.scope, "account:read");
});

test("RT-08: more scope than granted is invalid_scope and uses nothing up", async () => {
  const held = await connect(server, owner, app, { scope: "account:read" });
  for (const scope of ["account:read bookings:read", "bookings:read", "nope", 'x"']) {
    oauthError(await refresh(server, app, held.refresh_token, { scope }), 400, "invalid_scope");
  }
  await rotate(held.refresh_token);
});

test("RT-10: a family ends after 30 days without use", async () => {
  const held = await connect(server, owner, app);
  await later(31 * DAY, () => dead(held.refresh_token));
  const used = await connect(server, owner, app);
  let token = used.refresh_token;
  for (const days of [29, 58, 87]) token = await later(days * DAY, async () => (await rotate(token)).refresh_token);
});

test("RT-11: a family ends after 180 days, also when it was used all the time", async () => {
  let { refresh_token: token } = await connect(server, owner, app);
  for (let days = 25; days <= 175; days += 25) token = await later(days * DAY, async () => (await rotate(token)).refresh_token);
  await later(181 * DAY, () => dead(token));
});

test("TK-33: an access token ends after an hour, but the family goes on", async () => {
  const held = await connect(server, owner, app);
  await later(3_598_000, async () => assert.equal((await me(server, held.access_token)).status, 200));
  await later(3_601_000, async () => {
    invalidToken(await me(server, held.access_token));
    const next = await rotate(held.refresh_token);
    assert.equal((await me(server, next.access_token)).status, 200);
  });
});

test("RT-14, TK-35, RT-09: a token with any changed character is refused alike and harms no family", async () => {
  const held = await connect(server, owner, app);
  const { refresh_token: token } = held;
  const body = (await refresh(server, app, "garbage")).json;
  for (let at = 0; at < token.length; at += 1) {
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    const answer = await refresh(server, app, changed);
    oauthError(answer, 400, "invalid_grant");
    assert.deepEqual(answer.json, body);
  }
  for (const changed of [`${token}=`, `${token}A`, token.slice(0, -1), "", "eg_rt_", token.toUpperCase(), held.access_token, held.code]) {
    assert.equal((await refresh(server, app, changed)).status, 400);
  }
  await rotate(token);
});

test("ten refreshes a minute and family; the eleventh is 429 with Retry-After and changes nothing; retries are not counted", async () => {
  let { refresh_token: token } = await connect(server, owner, app);
  for (let n = 0; n < 10; n += 1) {
    const before = token;
    token = (await rotate(token)).refresh_token;
    assert.equal((await rotate(before)).refresh_token, token, "a retry in between");
  }
  const refused = await refresh(server, app, token);
  oauthError(refused, 429, "temporarily_unavailable");
  const wait = Number(refused.headers.get("retry-after"));
  assert.ok(Number.isInteger(wait) && wait > 0 && wait <= 60);
  await later(wait * 1000, () => rotate(token));
  const other = await connect(server, owner, app);
  await rotate(other.refresh_token);
});

test("A37: the limit is looked at after replay: a replayed token is theft at any rate", async () => {
  const first = await connect(server, owner, app);
  let token = first.refresh_token;
  for (let n = 0; n < 10; n += 1) token = (await rotate(token)).refresh_token;
  await later(4000, async () => {
    await dead(first.refresh_token);
    await dead(token);
  });
});

test("RC-10: a clock that runs backwards neither ends a family nor calls a retry theft", async () => {
  await server.clock(60_000);
  const held = await connect(server, owner, app);
  const next = await rotate(held.refresh_token);
  await later(0, async () => {
    assert.equal((await rotate(held.refresh_token)).refresh_token, next.refresh_token);
    assert.equal((await me(server, next.access_token)).status, 200);
    await rotate(next.refresh_token);
  });
});

test("A38: a family that is unknown or whose object was wiped is refused, and nothing is made for it", async () => {
  const held = await connect(server, owner, app);
  const objects = (await server.objects("Grant")).length;
  await later(400 * DAY, () => dead(held.refresh_token));
  assert.equal((await server.objects("Grant")).length, objects);
});
