// Objects forget themselves by alarm, no sooner than nothing of them matters any more (attack A3).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { authorize, connect, disconnectAll, exchange, me, revoke, serverApp, signedIn } from "./harness/client.mjs";
import { oauthError, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const MINUTE = 60_000;
let server, owner, app;
before(async () => {
  server = await startServer({ counting: true });
  owner = await signedIn(server);
  app = serverApp(server);
});
after(() => server?.stop());

const counts = async () => (await server.fetch("/__count")).json();

/** Whether the object's alarm goes on being set, as it is while something of it lives. */
async function alarmGoesOn() {
  const { alarms } = await counts();
  for (let tries = 0; tries < 20; tries++) {
    await wait(50);
    if ((await counts()).alarms > alarms) return true;
  }
  return false;
}

test("A3: an object lives while a family does and 20 minutes longer; then it is wiped, and serves a new consent from the start", async () => {
  await server.faults({ alarm: "soon" });
  const held = await connect(server, owner, app);
  await server.clock(25 * MINUTE);
  assert.ok(await alarmGoesOn(), "a family lives");
  assert.equal((await me(server, held.access_token)).status, 200);

  assert.equal((await revoke(server, app, held.refresh_token)).status, 200);
  await server.clock(44 * MINUTE);
  assert.ok(await alarmGoesOn(), "19 minutes after the family's end");
  await server.clock(46 * MINUTE);
  assert.equal(await alarmGoesOn(), false, "21 minutes after it");

  assert.equal((await me(server, held.access_token)).status, 401);
  const again = await connect(server, owner, app);
  assert.equal((await me(server, again.access_token)).status, 200);
});

test("A3: a disconnect is remembered until no code in flight can live", async () => {
  await server.clock(0);
  const inFlight = await authorize(owner, app);
  await disconnectAll(owner);
  assert.ok(await alarmGoesOn(), "right after it");
  oauthError(await exchange(server, app, inFlight), 400, "invalid_grant");
  tokens(await exchange(server, app, await authorize(owner, app)));
});
