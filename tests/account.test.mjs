// /account/apps: how a connection stands, from the first consent to its end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorize, connect, disconnectAll, exchange, me, refresh, revoke, serverApp, signedIn, spa } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

let server;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

/** The list's text once it says what is expected: D1 is told of a first use after the answer. */
async function settled(browser, pattern) {
  for (let tries = 0; tries < 50; tries++) {
    const { text } = await browser.page("/account/apps");
    if (pattern.test(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return (await browser.page("/account/apps")).text;
}

test("A18: allowed, then connected with the first use, and still connected while a second consent waits for its code", async () => {
  const owner = await signedIn(server);
  const client = serverApp(server);
  const first = await authorize(owner, client);
  assert.match((await owner.page("/account/apps")).text, /Allowed, not used yet/);

  const answer = await exchange(server, client, first);
  assert.equal(answer.status, 200);
  assert.match(await settled(owner, /Connected(?! apps)/), /Connected(?! apps)/);

  await authorize(owner, client);
  const { text } = await owner.page("/account/apps");
  assert.doesNotMatch(text, /not used yet/);
  assert.equal((await me(server, answer.json.access_token)).status, 200, "the first connection goes on");
});

test("A18: what ended without its owner is listed as ended: by the app, by a replayed code, by a replayed refresh token", async () => {
  const owner = await signedIn(server);
  const client = spa(server);
  const ends = {
    "revoked by the app": async (held) => assert.equal((await revoke(server, client, held.refresh_token)).status, 200),
    "a code was used twice": async (held) => assert.equal((await exchange(server, client, held)).status, 400),
    "a token was used twice": async (held) => {
      assert.equal((await refresh(server, client, held.refresh_token)).status, 200);
      await server.clock(5000);
      assert.equal((await refresh(server, client, held.refresh_token)).status, 400);
      await server.clock(0);
    },
  };
  for (const [why, end] of Object.entries(ends)) {
    await disconnectAll(owner);
    const held = await connect(server, owner, client);
    assert.match(await settled(owner, /Connected(?! apps)/), /Connected(?! apps)/, why);
    await end(held);
    assert.doesNotMatch(await settled(owner, /^((?!Connected(?! apps)).)*$/), /Connected(?! apps)/, why);
    const [row] = await server.sql("SELECT status, ended_why FROM installs WHERE app = 1");
    assert.deepEqual(row, { status: "ended", ended_why: why });
  }
});

test("every decision of a person is in the audit, with ids only", async () => {
  const owner = await signedIn(server);
  const client = spa(server);
  await disconnectAll(owner);
  await server.sql("DELETE FROM audit");
  await authorize(owner, client, { decision: "deny" });
  const { form } = await authorize(owner, client);
  await disconnectAll(owner);
  const account = form.values("account")[0];
  const actor = "b0000000000000000000000000000001";
  const rows = await server.sql("SELECT actor, action, account_id AS account, app FROM audit ORDER BY id");
  assert.deepEqual(rows, [
    { actor, action: "denied", account: null, app: 1 },
    { actor, action: "allowed", account, app: 1 },
    { actor, action: "disconnected", account, app: 1 },
  ]);
});
