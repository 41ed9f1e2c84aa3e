// What happens at the same time: every round of every race has to end the same way.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { authorize, connect, disconnectAll, exchange, manage, me, refresh, revoke, serverApp, signedIn, spa } from "./harness/client.mjs";
import { oauthError, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
const confidential = serverApp();
before(async () => {
  server = await startServer();
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());
afterEach(() => server.clock(0));

const times = (count, run) => Promise.all(Array.from({ length: count }, (_, n) => run(n)));
const only = (answers, ...allowed) => {
  for (const answer of answers) assert.ok(allowed.includes(answer.status), `HTTP ${answer.status} ${JSON.stringify(answer.json)}`);
};

/** Of these refresh tokens, those that still rotate. Asks after the retry window, so that only live ones count. */
async function usable(client, refreshTokens) {
  const alive = [];
  for (const token of new Set(refreshTokens)) if ((await refresh(server, client, token)).status === 200) alive.push(token);
  return alive;
}

test("RC-01, invariant 1: 20 codes redeemed 20 times each in parallel give exactly 20 successes, twice over", async () => {
  for (let round = 0; round < 2; round += 1) await redeemAll();
});

async function redeemAll() {
  const redirects = [];
  for (let n = 0; n < 20; n += 1) redirects.push(await authorize(owner, n % 2 ? app : confidential));
  const all = redirects.flatMap((redirect, n) => Array.from({ length: 20 }, () => ({ redirect, client: n % 2 ? app : confidential, n })));
  const order = all
    .map((entry) => [Math.random(), entry])
    .sort(([a], [b]) => a - b)
    .map(([, entry]) => entry);
  const answers = await Promise.all(order.map(async ({ redirect, client, n }) => ({ n, ...(await exchange(server, client, redirect)) })));
  only(answers, 200, 400);
  const successes = answers.filter((answer) => answer.status === 200);
  assert.equal(successes.length, 20);
  assert.equal(new Set(successes.map((answer) => answer.n)).size, 20, "one for each code");
  for (const answer of answers.filter((one) => one.status === 400)) assert.equal(answer.json.error, "invalid_grant");
}

test("RC-02: valid duplicates end what the winner got, in every round; invalid ones leave it alone", async () => {
  for (let round = 0; round < 10; round += 1) {
    const valid = await authorize(owner, app);
    const won = (await times(4, () => exchange(server, app, valid))).find((answer) => answer.status === 200);
    assert.equal((await me(server, won.json.access_token)).status, 401);

    const other = await authorize(owner, app);
    const wrong = { code_verifier: "a".repeat(43) };
    const mixed = await times(6, (n) => exchange(server, app, other, n === 3 ? {} : wrong));
    assert.deepEqual(
      mixed.map((answer) => answer.status),
      [400, 400, 400, 200, 400, 400],
    );
    assert.equal((await me(server, mixed[3].json.access_token)).status, 200);
  }
});

test("RC-03, RC-04, invariant 2: 10 parallel refreshes leave one usable refresh token, and all callers hold it", async () => {
  for (const client of [app, confidential]) {
    for (let round = 0; round < 10; round += 1) {
      const held = await connect(server, owner, client);
      const answers = await times(10, () => refresh(server, client, held.refresh_token));
      only(answers, 200);
      assert.equal(new Set(answers.map((answer) => answer.json.refresh_token)).size, 1);
      assert.equal(new Set(answers.map((answer) => answer.json.access_token)).size, 1);
      const [{ json }] = answers;
      assert.equal((await me(server, json.access_token)).status, 200);
      tokens(await refresh(server, client, json.refresh_token));
    }
  }
});

test("RC-04, A6: tabs that refresh on and on at the same moment never lose the family", async () => {
  const { refresh_token } = await connect(server, owner, app);
  const tabs = await times(4, async () => {
    let token = refresh_token;
    for (let n = 0; n < 2; n += 1) {
      const answer = await refresh(server, app, token);
      assert.equal(answer.status, 200, JSON.stringify(answer.json));
      token = answer.json.refresh_token;
    }
    return token;
  });
  // Whoever was behind gets the newest inside the window; one of them holds the live one.
  await server.clock(0);
  assert.ok((await usable(app, tabs)).length >= 1);
});

test("RC-05, invariant 3: refresh in parallel with revoke leaves nothing alive", async () => {
  for (let round = 0; round < 10; round += 1) {
    const held = await connect(server, owner, confidential);
    const answers = await times(7, (n) => (n === round % 7 ? revoke : refresh)(server, confidential, held.refresh_token));
    only(answers, 200, 400);
    const made = answers.filter((answer) => answer.json.access_token).map((answer) => answer.json);
    for (const one of [held, ...made]) {
      assert.equal((await me(server, one.access_token)).status, 401);
      oauthError(await refresh(server, confidential, one.refresh_token), 400, "invalid_grant");
    }
  }
});

test("RC-05: revoking an access token in parallel with the API: nothing passes after the answer", async () => {
  const held = await connect(server, owner, app);
  let answered = false;
  const late = [];
  const call = async () => {
    const began = answered;
    const { status } = await me(server, held.access_token);
    if (began && status === 200) late.push(status);
  };
  await Promise.all([
    ...Array.from({ length: 20 }, call),
    revoke(server, app, held.access_token).then(async () => {
      answered = true;
      await times(10, call);
    }),
  ]);
  assert.deepEqual(late, []);
});

test("RC-06, A2: a code in flight against a disconnect: afterwards nothing lives, whoever was first", async () => {
  for (let round = 0; round < 10; round += 1) {
    const inFlight = await authorize(owner, app);
    const held = await connect(server, owner, app);
    const [redeemed] = await Promise.all([exchange(server, app, inFlight), disconnectAll(owner)]);
    only([redeemed], 200, 400);
    for (const one of [held, redeemed.json].filter((entry) => entry.access_token)) {
      assert.equal((await me(server, one.access_token)).status, 401, `round ${round}`);
      assert.notEqual((await refresh(server, app, one.refresh_token)).status, 200);
    }
    assert.notEqual((await exchange(server, app, inFlight)).status, 200);
  }
});

test("two first consents at once meet in one grant, and one disconnect ends both", async () => {
  const others = await startServer();
  try {
    const people = [await signedIn(others), await signedIn(others)];
    const client = spa(others);
    const held = await Promise.all(people.map((browser) => connect(others, browser, client)));
    for (const one of held) assert.equal((await me(others, one.access_token)).status, 200);
    assert.equal(await disconnectAll(people[0]), 1, "one connection in the list");
    for (const one of held) assert.equal((await me(others, one.access_token)).status, 401);
  } finally {
    await others.stop();
  }
});

test("A1, invariant 3: when suspend has answered, nothing of the app works any more", async () => {
  const held = await connect(server, owner, confidential);
  const inFlight = await authorize(owner, confidential);
  // Calls keep the lease on the app fresh in the Worker up to the moment of the answer.
  let answered = false;
  const busy = (async () => {
    while (!answered) await refresh(server, confidential, "garbage").then(() => me(server, held.access_token));
  })();
  const answer = await manage(server, confidential.id, "suspend");
  const [late, tooLate] = await Promise.all([me(server, held.access_token), refresh(server, confidential, held.refresh_token)]);
  answered = true;
  await busy;
  try {
    assert.deepEqual(answer.json, { client_id: confidential.id, status: "suspended" });
    assert.equal(late.status, 401);
    oauthError(tooLate, 400, "unauthorized_client");
    oauthError(await exchange(server, confidential, inFlight), 400, "unauthorized_client");
  } finally {
    assert.equal((await manage(server, confidential.id, "restore")).status, 200);
  }
  await server.clock(61_000); // a new window for the API calls above
  assert.equal((await me(server, held.access_token)).status, 200);
});

test("A35: a grant keeps at most 200 families; the one unused longest ends", async () => {
  const { json: first } = await exchange(server, app, await authorize(owner, app));
  const held = [];
  for (let n = 0; n < 200; n += 1) held.push(await connect(server, owner, app));
  assert.notEqual((await refresh(server, app, first.refresh_token)).status, 200);
  for (const index of [199, 150]) assert.equal((await refresh(server, app, held[index].refresh_token)).status, 200);
});
