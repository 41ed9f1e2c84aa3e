// What is counted, in both sinks: data points of Analytics Engine, and the table behind the page of staff.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorize, connect, exchange, me, refresh, revoke, serverApp, signedIn, spa } from "./harness/client.mjs";
import { elements, text } from "./harness/html.mjs";
import { ADMIN, fillIn } from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app, shift = 0;
const confidential = serverApp();
before(async () => {
  server = await startServer({ counting: true, analytics: true });
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());

/** Lets a minute pass: the answer to that is the first after it, and hands over what was counted. */
async function minute() {
  await server.clock((shift += 61_000));
  await server.count();
}

/** All sums of the table. */
async function sums() {
  await minute();
  const rows = await server.sql("SELECT name, sum(count) AS count FROM counters GROUP BY name");
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

/** What a run adds to the table, without how requests ended. */
async function counted(run) {
  const before = await sums();
  await run();
  const { ok: _, refused: __, ...after } = await sums();
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]).filter(([, more]) => more));
}

test("each thing that an operator must see is counted once", async () => {
  const held = await connect(server, owner, app);
  let next;
  for (const [what, expected, run] of [
    ["a code", { code_exchanges: 1 }, async () => exchange(server, app, await authorize(owner, app))],
    ["a refresh, and the same one again", { refreshes: 1, refresh_retries: 1 }, async () => {
      for (let n = 0; n < 2; n += 1) next = await refresh(server, app, held.refresh_token);
      assert.equal(next.status, 200);
    }],
    ["a call", {}, () => me(server, next.json.access_token)],
    ["garbage", { unproven: 3 }, async () => {
      await me(server, "garbage");
      await refresh(server, app, "garbage");
      await exchange(server, { ...app, id: "nobody" }, { code: "x", verifier: "x" });
    }],
    ["a code twice", { code_exchanges: 1, code_replays: 1 }, async () => {
      const redirect = await authorize(owner, app);
      for (const status of [200, 400]) assert.equal((await exchange(server, app, redirect)).status, status);
    }],
    ["a revocation", { revocations: 1 }, () => revoke(server, app, next.json.refresh_token)],
    ["a code that KV has not got", { kv_misses: 1, code_exchanges: 1 }, async () => {
      const slow = await authorize(owner, app);
      await server.faults({ kvGet: "miss" });
      assert.equal((await exchange(server, app, slow)).status, 200);
      await server.faults({});
    }],
    ["a cut connection", { disconnects: 1 }, () => fillIn(owner, "/account/apps/disconnect?install=a0000000000000000000000000000001.1", {}, "/account/apps/disconnect")],
  ])
    assert.deepEqual(await counted(run), expected, what);
});

test("a replay of a refresh token is counted, outside of the window of retries", async () => {
  const held = await connect(server, owner, confidential);
  await refresh(server, confidential, held.refresh_token);
  await server.clock((shift += 600_000));
  const more = await counted(async () => assert.equal((await refresh(server, confidential, held.refresh_token)).status, 400));
  assert.deepEqual(more, { refresh_replays: 1 });
});

test("faults are counted by what did not answer, also after an answer, and requests by how they ended", async () => {
  const held = await connect(server, owner, app);
  const during = (faults, run) => async () => {
    await server.faults(faults);
    await run();
    await server.count();
    await server.faults({});
  };
  assert.deepEqual(await counted(during({ object: "throw", objectOnly: ["GRANT"] }, () => me(server, held.access_token))), { object_faults: 1, fault: 1 });
  // KV fails, and D1 answers.
  const exchanged = during({ kvGet: "throw" }, async () => exchange(server, app, await authorize(owner, app)));
  assert.deepEqual(await counted(exchanged), { kv_faults: 1, code_exchanges: 1 });
  assert.deepEqual(await counted(during({ d1: "throw" }, () => owner.page("/account/apps"))), { d1_faults: 1, fault: 1 });
  // The row of the connection is written after the answer; that it failed is nobody's request.
  const last = await connect(server, owner, confidential);
  const more = await counted(during({ d1: "throw" }, () => revoke(server, confidential, last.refresh_token)));
  assert.deepEqual(more, { d1_faults: 1, revocations: 1 });
});

test("an isolate hands over once a minute, after an answer; what could not be handed over waits", async () => {
  await minute();
  await me(server, "x");
  await server.resetCount();
  for (let n = 0; n < 5; n += 1) await me(server, "x");
  assert.equal((await server.count()).flushes, 0);
  const before = await server.sql("SELECT sum(count) AS n FROM counters WHERE name = 'unproven'");
  await server.faults({ d1: "throw" });
  await server.clock((shift += 61_000));
  assert.equal((await me(server, "x")).status, 401, "nobody waits for a counter");
  assert.equal((await server.count()).flushes, 1);
  await me(server, "x");
  assert.equal((await server.count()).flushes, 1, "nor is it tried again at once");
  await server.faults({});
  await minute();
  const after = await server.sql("SELECT sum(count) AS n FROM counters WHERE name = 'unproven'");
  assert.equal(after[0].n - before[0].n, 8);
  assert.ok(server.lines("fault").some(({ what, id }) => what === "counters" && id === null));
});

test("slots are ten minutes, of when it happened; after eight days they are deleted", async () => {
  await minute();
  await me(server, "x");
  await server.count();
  const [{ slot }] = await server.sql("SELECT max(slot) AS slot FROM counters");
  assert.equal(slot, Math.floor((Date.now() + shift) / 600_000));
  // Counted now, handed over in a later slot.
  await me(server, "x");
  await server.clock((shift += 1_200_000));
  await me(server, "x");
  await minute();
  const found = await server.sql("SELECT slot FROM counters WHERE name = 'unproven' AND slot >= ? ORDER BY slot", slot);
  assert.deepEqual(found.map((row) => row.slot - slot), [0, 2]);
  await server.sql("INSERT INTO counters (slot, name, count) VALUES (?1 - 1153, 'ok', 1), (?1 - 1151, 'ok', 1)", slot + 2);
  assert.equal(await server.scheduled(), "ok");
  const [{ oldest }] = await server.sql("SELECT min(slot) AS oldest FROM counters");
  assert.equal(oldest, slot + 2 - 1151);
  await server.sql("DELETE FROM counters WHERE slot = ?", oldest);
});

test("Analytics Engine: one data point per request, with its route, outcome, app and events", async () => {
  const held = await connect(server, owner, app);
  const { cost } = await server.counted(async () => {
    await me(server, held.access_token);
    await refresh(server, app, held.refresh_token);
    await server.fetch("/api/v1/me?secret=1", { headers: { authorization: "Bearer garbage" } });
    await server.fetch("/nowhere/secret?secret=1");
  });
  assert.deepEqual(
    cost.points.map(({ indexes, blobs, doubles }) => [indexes, blobs, doubles[0]]),
    [
      [["/api/v1/me"], ["/api/v1/me", "GET", "ok", "", "demo-spa", "default", "ok"], 200],
      [["/oauth/token"], ["/oauth/token", "POST", "ok", "", "demo-spa", "default", "ok,refreshes"], 200],
      [["/api/v1/me"], ["/api/v1/me", "GET", "refused", "invalid_token", "", "default", "refused,unproven"], 401],
      [["other"], ["other", "GET", "refused", "", "", "default", "refused"], 404],
    ],
  );
  for (const { doubles } of cost.points) assert.ok(doubles.length === 2 && doubles[1] >= 0);
});

test("events belong to their request when many run at once", async () => {
  const tokens = [];
  for (let n = 0; n < 4; n += 1) tokens.push(await connect(server, owner, app));
  const redirect = await authorize(owner, app);
  const { cost } = await server.counted(() =>
    Promise.all([
      ...tokens.map(({ refresh_token }) => refresh(server, app, refresh_token)),
      ...tokens.map(({ access_token }) => me(server, access_token)),
      ...tokens.map((_, n) => me(server, `garbage-${n}`)),
      exchange(server, app, redirect),
      owner.page("/account/apps"),
    ]),
  );
  const events = cost.points.map(({ blobs }) => `${blobs[0]} ${blobs.at(-1)}`).sort();
  const four = (what) => Array(4).fill(what);
  assert.deepEqual(events, [
    "/account/apps ok",
    ...four("/api/v1/me ok"),
    ...four("/api/v1/me refused,unproven"),
    "/oauth/token ok,code_exchanges",
    ...four("/oauth/token ok,refreshes"),
  ].sort());
});

test("Server-Timing says what a request waited for, also when many run at once", async () => {
  const held = await connect(server, owner, app);
  await me(server, held.access_token);
  const parts = (answer) => answer.headers.get("server-timing").replace(/dur=\d+/g, "dur");
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => (n % 3 === 0 ? me(server, "garbage") : n % 3 === 1 ? me(server, held.access_token) : owner.page("/account/apps"))));
  answers.forEach((answer, n) => assert.equal(parts(answer), ["total;dur", 'total;dur, grant;dur;desc="1"', 'total;dur, d1;dur;desc="2"'][n % 3]));
});

test("a sink that fails, or is not bound, fails no request", async () => {
  const held = await connect(server, owner, app);
  await server.faults({ metrics: "throw" });
  assert.equal((await me(server, held.access_token)).status, 200);
  await server.faults({});
  const without = await startServer({ counting: true });
  try {
    const { value, cost } = await without.counted(() => me(without, "x"));
    assert.deepEqual([value.status, cost.points], [401, []]);
  } finally {
    await without.stop();
  }
});

test("the page of staff plots the day without script or style, in words and in a table", async () => {
  const staff = await signedIn(server, ADMIN);
  const page = await staff.page("/admin/metrics");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-security-policy"), /style-src 'self'/);
  assert.doesNotMatch(page.html, /<script|style=/);
  const day = await server.sql("SELECT sum(count) AS n FROM counters WHERE name = 'refreshes'");
  assert.match(page.text, new RegExp(`refreshes: ${day[0].n}`));
  assert.match(page.text, /Somebody should look at this\. Replays: 2, Faults: \d+/);
  const plots = [...elements(page.tree, "svg")].map(({ attrs }) => Object.fromEntries(attrs.map(({ name, value }) => [name, value])));
  assert.ok(plots.length >= 6);
  for (const plot of plots) {
    assert.equal(plot.role, "img");
    assert.match(plot["aria-label"], /^In the last 24 hours: [\d,]+ .*Most in half an hour: [\d,]+, from \d\d:\d\d UTC\.$/);
  }
  const heads = [...elements(page.tree, "table")].map((table) => [...elements(table, "th")].map(text)[0]);
  assert.deepEqual(heads, plots.map(() => "From, UTC"));
  assert.match((await staff.page("/admin")).html, /href="\/admin\/metrics"/);
  // What was done a moment ago is there when the page is opened again.
  const done = (text) => Number(text.match(/done: ([\d,]+)/)[1].replace(",", ""));
  await me(server, "x");
  assert.ok(done((await staff.page("/admin/metrics")).text) > done(page.text));
});

test("a day on which nothing happened has no empty plots, and older numbers are not of this day", async () => {
  const staff = await signedIn(server, ADMIN);
  await server.clock((shift += 90_000_000));
  const again = await signedIn(server, ADMIN);
  const { text: shown, html } = await again.page("/admin/metrics");
  assert.doesNotMatch(shown, /Somebody should look/);
  assert.match(shown, /Replays none/);
  assert.equal(html.match(/<svg/g).length, 1, "requests, of which the sign-in is one");
  assert.equal((await staff.page("/admin/metrics")).status < 500, true);
});
