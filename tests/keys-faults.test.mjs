// API keys when storage does not answer: nothing is shown twice, no key lives unseen, no revocation is lost.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { me, signedIn } from "./harness/client.mjs";
import { invalidToken, safePage } from "./harness/expect.mjs";
import { keyForm, makeKey, revokeKey, sendKeyForm, shownKey } from "./harness/keys.mjs";
import { startServer } from "./harness/server.mjs";

const DAY = 86_400_000;
let server, owner;
before(async () => {
  server = await startServer({ counting: true });
  owner = await signedIn(server);
});
after(() => server?.stop());
afterEach(async () => {
  await server.faults({});
  await server.clock(0);
});

const rows = (status) => server.sql("SELECT id, family, hint FROM api_keys WHERE status = ?", status);
const counts = async () => (await server.fetch("/__count")).json();

test("an issue whose answer was lost on the way is finished by sending the form again, with one key", async () => {
  for (const fault of [{ object: "lost", objectOnly: ["GRANT"] }, { object: "throw", objectOnly: ["GRANT"] }, { d1Batch: "throw" }, { d1Batch: "lost" }]) {
    const { data } = await keyForm(owner);
    await server.faults(fault);
    const failed = await sendKeyForm(owner, data);
    assert.equal(failed.status, 503, JSON.stringify(fault));
    safePage(failed);
    assert.equal(shownKey(failed), undefined);
    await server.faults({});
    assert.ok(!(await owner.page("/account/keys")).html.includes(data.get("id")), "what was not shown is not listed");
    const key = shownKey(await sendKeyForm(owner, data));
    assert.equal((await me(server, key)).status, 200);
    await revokeKey(owner, data.get("id"));
    assert.equal((await me(server, key)).status, 401);
  }
  assert.deepEqual(await rows("issuing"), []);
});

test("a key that was made and never shown is ended by the daily sweep, and its form makes none afterwards", async () => {
  const { data } = await keyForm(owner);
  await server.faults({ object: "lost", objectOnly: ["GRANT"] });
  assert.equal((await sendKeyForm(owner, data)).status, 503);
  await server.faults({});
  assert.equal((await rows("issuing")).length, 1);
  assert.equal(await server.scheduled(), "ok");
  assert.equal((await rows("issuing")).length, 1, "not before a day");

  await server.clock(DAY + 60_000);
  await server.faults({ object: "throw", objectOnly: ["GRANT"] });
  await server.scheduled();
  assert.equal((await rows("ending")).length, 1, "given up, and kept until its key has ended");
  await server.faults({});
  owner = await signedIn(server);
  assert.equal((await sendKeyForm(owner, new URLSearchParams({ ...Object.fromEntries(data), csrf: (await keyForm(owner)).data.get("csrf") }))).status, 409);
  await server.scheduled();
  assert.deepEqual(await server.sql("SELECT id FROM api_keys WHERE id = ?", data.get("id")), []);
  await server.clock(0);
  owner = await signedIn(server);
});

test("a revocation that is not finished says so, stays listed, and is finished by pressing again", async () => {
  const { key, id } = await makeKey(owner, { label: "Stubborn" });
  await server.faults({ object: "throw", objectOnly: ["GRANT"] });
  const failed = await revokeKey(owner, id);
  assert.equal(failed.status, 503);
  assert.match(failed.text, /not revoked yet/);
  await server.faults({});
  assert.equal((await me(server, key)).status, 200);
  assert.match((await owner.page("/account/keys")).text, /Not revoked yet.*Try again to revoke/s);
  assert.equal((await revokeKey(owner, id)).status, 303);
  invalidToken(await me(server, key));
  const recorded = await server.sql("SELECT count(*) AS n FROM audit WHERE action = 'key revoked' AND detail = 'Stubborn'");
  assert.equal(recorded[0].n, 1, "recorded once");
});

test("a fault of the object is 503 to a script, never a refusal", async () => {
  const { key } = await makeKey(owner);
  await server.faults({ object: "throw", objectOnly: ["GRANT"] });
  assert.equal((await me(server, key)).status, 503);
  await server.faults({});
  await server.faults({ d1: "throw", d1Batch: "throw", kvGet: "throw" });
  assert.equal((await me(server, key)).status, 200, "a check needs neither D1 nor KV");
});

test("the alarm keeps a key that is not used for years, and forgets what was revoked", async () => {
  await server.faults({ alarm: "soon" });
  // An account whose object has no alarm yet.
  const { key, id } = await makeKey(owner, { days: "0", account: "a0000000000000000000000000000002" });
  await server.clock(2000 * DAY);
  const alarms = async () => (await counts()).alarms;
  const before = await alarms();
  for (let tries = 0; tries < 40 && (await alarms()) === before; tries += 1) await wait(50);
  assert.notEqual(await alarms(), before, "the alarm has looked");
  await server.evict("Grant");
  assert.equal((await me(server, key)).status, 200);
  await server.clock(0);
  await revokeKey(owner, id);
  invalidToken(await me(server, key));
});

test("what is over for a month is not listed any more", async () => {
  const { id } = await makeKey(owner, { days: "30" });
  await server.clock(59 * DAY);
  await server.scheduled();
  assert.equal((await server.sql("SELECT id FROM api_keys WHERE id = ?", id)).length, 1);
  await server.clock(61 * DAY);
  await server.scheduled();
  assert.deepEqual(await server.sql("SELECT id FROM api_keys WHERE id = ?", id), []);
});
