// Limits of requests: exact for a grant, in blocks for what is wider, fair to neighbours, told truly, cheap.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, manageWith, me, refresh, revoke, serverApp, signedIn, spa } from "./harness/client.mjs";
import { dump } from "./harness/dump.mjs";
import { invalidToken, tokens } from "./harness/expect.mjs";
import { makeKey } from "./harness/keys.mjs";
import { startServer } from "./harness/server.mjs";

const running = new Set();
after(() => Promise.all([...running].map((server) => server.stop())));

/** A server whose policy has these knobs in `[api]`, and the calls of a test on it. */
async function world(api = {}, options = {}) {
  const server = await startServer({ counting: true, vars: { POLICY: JSON.stringify({ api }) }, ...options });
  running.add(server);
  const owner = await signedIn(server);
  const ids = await server.sql("SELECT id FROM accounts ORDER BY name");
  const accounts = ids.map(({ id }) => id);
  return {
    server,
    owner,
    accounts,
    token: async (client, account = accounts[0]) => (await connect(server, owner, client, { account })).access_token,
    end: async () => {
      running.delete(server);
      await server.stop();
    },
  };
}

/** So many calls, at most 40 at a time; the answers. */
async function calls(server, count, token, headers) {
  const answers = [];
  const next = async () => {
    while (answers.length < count) {
      const at = answers.push(undefined) - 1;
      answers[at] = await me(server, typeof token === "function" ? token(at) : token, headers);
    }
  };
  await Promise.all(Array.from({ length: Math.min(40, count) }, next));
  return answers;
}

const told = ({ headers }, name) => Number(headers.get(`ratelimit-${name}`));
const served = (answers) => {
  for (const { status } of answers) assert.ok([200, 429].includes(status), `HTTP ${status}`);
  return answers.filter(({ status }) => status === 200).length;
};
const refusedOf = (answers) => answers.filter(({ status }) => status === 429);
const between = (value, least, most, what) => assert.ok(value >= least && value <= most, `${what}: ${value}, not ${least} to ${most}`);

/** A refusal tells one wait in two ways, no uses left and the limit that refuses; the wait in seconds. */
function wait(answer, limit) {
  assert.equal(answer.status, 429);
  const seconds = Number(answer.headers.get("retry-after"));
  assert.ok(Number.isInteger(seconds) && seconds >= 1, `Retry-After: ${seconds}`);
  assert.deepEqual([told(answer, "limit"), told(answer, "remaining"), told(answer, "reset")], [limit, 0, seconds]);
  return seconds;
}

/** The objects that were asked while something ran, by class; leases of app records are no part of it. */
async function asked(server, run) {
  const { value, cost } = await server.counted(run);
  return { value, grant: cost.requests.GRANT, limiter: cost.requests.RATE_LIMITER, rows: cost.rowsWritten };
}

test("RS-08, RS-10: a fresh grant gets exactly its limit of 300 calls at once, and each is told the true rest", async () => {
  const { server, token, end } = await world();
  const held = await token(spa(server));
  const began = Date.now();
  const answers = await calls(server, 300, held);
  assert.equal(served(answers), 100);
  const rest = answers.filter(({ status }) => status === 200).map((answer) => told(answer, "remaining"));
  assert.deepEqual(
    rest.sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, n) => n),
  );
  const spent = Math.ceil((Date.now() - began) / 1000);
  for (const answer of answers) {
    assert.equal(told(answer, "limit"), 100);
    between(told(answer, "reset"), 60 - spent, 60, "reset");
  }
  await server.clock(20_000);
  const wait20 = wait(await me(server, held), 100);
  between(wait20, 39 - spent, 40, "reset 20 seconds later");
  await server.clock(20_000 + wait20 * 1000);
  assert.equal(served(await calls(server, 150, held)), 100, "waiting that long opens the next window, and no more than it");
  await end();
});

test("RS-10: remaining goes down by one with each call and starts again with the window", async () => {
  const { server, token, end } = await world();
  const held = await token(serverApp());
  const seen = [];
  for (let n = 0; n < 30; n += 1) seen.push(told(await me(server, held), "remaining"));
  assert.deepEqual(
    seen,
    Array.from({ length: 30 }, (_, n) => 99 - n),
  );
  const reset = told(await me(server, held), "reset");
  await server.clock(reset * 1000);
  const next = await me(server, held);
  assert.equal(told(next, "remaining"), 99);
  between(told(next, "reset"), 59, 60, "reset");
  await end();
});

test("a 429 is remembered: a runaway client costs no object request, and the wait that is told from memory holds", async () => {
  const { server, token, end } = await world({ rate: { limit: 10, window_s: 60 } });
  const held = await token(spa(server));
  assert.equal(served(await calls(server, 10, held)), 10);
  wait(await me(server, held), 10);
  const { value, ...cost } = await asked(server, () => calls(server, 200, held));
  assert.deepEqual(cost, { grant: 0, limiter: 0, rows: 0 });
  for (const answer of value) between(wait(answer, 10), 50, 60, "Retry-After");
  let shifted = 0;
  for (const step of [15_000, 15_000, 10_000]) {
    shifted += step;
    await server.clock(shifted);
    const left = wait(await me(server, held), 10);
    between(left, 60 - shifted / 1000 - 5, 60 - shifted / 1000, "Retry-After counts down");
  }
  await server.clock(shifted + wait(await me(server, held), 10) * 1000);
  assert.equal(served(await calls(server, 30, held)), 10);
  await end();
});

test("a remembered 429 is of one grant and what it may: others go on, a refresh gives no more, staff's limit holds at once", async () => {
  const { server, owner, accounts, token, end } = await world({ rate: { limit: 10, window_s: 60 } });
  const app = spa(server);
  const loud = await connect(server, owner, app, { account: accounts[0] });
  assert.equal(served(await calls(server, 30, loud.access_token)), 10);
  assert.equal(served(await calls(server, 10, await token(serverApp()))), 10, "another app of the account");
  assert.equal(served(await calls(server, 10, await token(app, accounts[1]))), 10, "another account of the app");
  const next = tokens(await refresh(server, app, loud.refresh_token));
  wait(await me(server, next.access_token), 10);
  const set = await manageWith(server, "PUT", `${app.id}/policy`, { "api.rate": { limit: 25, window_s: 60 } });
  assert.equal(set.status, 200);
  const more = await calls(server, 40, next.access_token);
  between(served(more), 13, 15, "calls under staff's limit");
  wait(await me(server, next.access_token), 25);
  // Tokens that were revoked meanwhile hear 429 until the window ends, and 401 then: never 200.
  assert.equal((await revoke(server, app, next.access_token)).status, 200);
  const last = await me(server, next.access_token);
  await server.clock(wait(last, 25) * 1000);
  invalidToken(await me(server, next.access_token));
  await end();
});

test("a burst limit of a second loses none of its seconds to memory, and every wait that is told is long enough", async () => {
  const { server, token, end } = await world({ rate: { limit: 15, window_s: 60 }, burst: { limit: 1, window_s: 1 } });
  const held = await token(spa(server));
  // Impatient: four calls a second. Each second has its use.
  let passed = 0;
  for (let step = 0; step < 40; step += 1) {
    await server.clock(step * 250);
    if ((await me(server, held)).status === 200) passed += 1;
  }
  between(passed, 9, 12, "of ten seconds");
  // Patient: waits as told. Every second call is served, the one between is told to wait.
  let shifted = 10_000;
  for (let rest = 15 - passed; rest > 0; rest -= 1) {
    const early = await me(server, held);
    const refused = early.status === 429 ? early : await me(server, held);
    shifted += Number(refused.headers.get("retry-after")) * 1000;
    await server.clock(shifted);
    if (early.status === 200) continue;
    assert.equal((await me(server, held)).status, 200, `after ${refused.headers.get("retry-after")} s`);
  }
  // The minute is used up: what refuses now is the longer window.
  const full = await me(server, held);
  if (full.status === 429) {
    await server.clock(shifted + Number(full.headers.get("retry-after")) * 1000);
    assert.equal((await me(server, held)).status, 200);
  }
  await end();
});

const MINUTE = { window_s: 60 };

test("app_rate: all accounts of an app together, and no other app; its headers are its own when it refuses", async () => {
  const { server, accounts, token, end } = await world({ per: "family", rate: { limit: 100, ...MINUTE }, app_rate: { limit: 200, ...MINUTE } });
  const app = spa(server);
  const held = [await token(app), await token(app), await token(app, accounts[1]), await token(app, accounts[1])];
  const answers = await calls(server, 320, (at) => held[at % 4]);
  between(served(answers), 170, 200, "of 200");
  for (const answer of answers) {
    if (answer.status === 200) assert.equal(told(answer, "limit"), 100);
    else wait(answer, 200);
  }
  assert.equal(served(await calls(server, 60, await token(serverApp()))), 60, "another app of the same account");
  const { value, ...cost } = await asked(server, () => calls(server, 100, (at) => held[at % 4]));
  assert.equal(served(value), 0);
  assert.deepEqual(cost, { grant: 0, limiter: 0, rows: 0 });
  await server.clock(wait(await me(server, held[0]), 200) * 1000);
  for (const one of held) assert.equal((await me(server, one)).status, 200, "waiting that long works for each");
  await end();
});

test("account_rate: all apps and API keys of an account together, and no other account", async () => {
  const api = { rate: { limit: 60, ...MINUTE }, account_rate: { limit: 120, ...MINUTE } };
  const { server, owner, accounts, token, end } = await world(api);
  const { key } = await makeKey(owner, { account: accounts[0] });
  const held = [await token(spa(server)), await token(serverApp()), key];
  const answers = await calls(server, 210, (at) => held[at % 3]);
  between(served(answers), 102, 120, "of 120");
  for (const one of held) assert.equal((await me(server, one)).status, 429);
  assert.equal(served(await calls(server, 60, await token(spa(server), accounts[1]))), 60, "another account of the same app");
  await server.clock(wait(await me(server, key), 120) * 1000);
  for (const one of held) assert.equal((await me(server, one)).status, 200);
  await end();
});

test("address_rate: one address (IPv6 by its /64) whatever it presents; the same token goes on from another", async () => {
  const { server, accounts, token, end } = await world({ rate: { limit: 60, ...MINUTE }, address_rate: { limit: 120, ...MINUTE } });
  const held = [await token(spa(server)), await token(serverApp()), await token(spa(server), accounts[1]), await token(serverApp(), accounts[1])];
  const from = (address) => ({ "cf-connecting-ip": address });
  const [one, two] = [await calls(server, 90, (at) => held[at % 4], from("2001:db8:1:2::1")), await calls(server, 90, (at) => held[at % 4], from("2001:db8:1:2:ff::9"))];
  between(served([...one, ...two]), 102, 120, "of 120");
  const refused = await me(server, held[0], from("2001:db8:1:2::77"));
  for (const elsewhere of ["2001:db8:1:3::1", "203.0.113.9"]) assert.equal((await me(server, held[0], from(elsewhere))).status, 200);
  await server.clock(wait(refused, 120) * 1000);
  for (const token of held) assert.equal((await me(server, token, from("2001:db8:1:2::1"))).status, 200);
  await end();
});

test("RS-09: calls that a grant's own limit refuses count in no wide one: neighbours have all of theirs", async () => {
  const api = { rate: { limit: 50, ...MINUTE }, app_rate: { limit: 110, ...MINUTE }, account_rate: { limit: 110, ...MINUTE } };
  const { server, accounts, token, end } = await world(api);
  const app = spa(server);
  const loud = await token(app);
  assert.equal(served(await calls(server, 400, loud)), 50);
  assert.equal(served(await calls(server, 50, await token(serverApp()))), 50, "another app of the same account");
  assert.equal(served(await calls(server, 50, await token(app, accounts[1]))), 50, "another account of the same app");
  // Tokens that are none any more count nowhere either.
  const gone = await token(serverApp(), accounts[1]);
  await revoke(server, serverApp(), gone);
  for (const answer of await calls(server, 150, gone)) invalidToken(answer);
  assert.equal(served(await calls(server, 50, await token(serverApp(), accounts[1]))), 50);
  await end();
});

test("the wait that is told is that of the limit that refuses longest, and holds for each caller", async () => {
  for (const [app_rate, longest, seconds] of [
    [{ limit: 40, window_s: 120 }, 40, 120],
    [{ limit: 20, window_s: 30 }, 10, 60],
  ]) {
    const { server, token, end } = await world({ per: "family", rate: { limit: 10, ...MINUTE }, app_rate });
    const held = [];
    while (held.length <= app_rate.limit / 10) held.push(await token(spa(server)));
    const answers = [];
    for (const one of held.slice(0, -1)) answers.push(...(await calls(server, 10, one)));
    between(served(answers), app_rate.limit * 0.85, app_rate.limit, "of the app's");
    const [first, last] = [held.at(0), held.at(-1)];
    // A use that was asked for in advance may still be there.
    while ((await me(server, last)).status === 200);
    const unused = wait(await me(server, last), app_rate.limit);
    between(unused, app_rate.window_s - 8, app_rate.window_s, "the app's window");
    const both = wait(await me(server, first), longest);
    between(both, seconds - 8, seconds, "the longer window");
    await server.clock(Math.min(unused, both) * 1000);
    if (unused < both) assert.equal((await me(server, last)).status, 200);
    await server.clock(both * 1000);
    assert.equal((await me(server, first)).status, 200);
    await end();
  }
});

test("never above a limit and at least 85 % of it when objects are dropped from memory inside the window", async () => {
  const { server, token, end } = await world({ per: "family", rate: { limit: 100, ...MINUTE }, app_rate: { limit: 200, ...MINUTE } });
  const app = spa(server);
  const one = await token(serverApp());
  let passed = 0;
  for (let round = 0; round < 8; round += 1) {
    passed += served(await calls(server, 20, one));
    await server.evict("Grant");
  }
  between(passed, 85, 100, "of a grant's 100");
  const held = [await token(app), await token(app), await token(app)];
  let together = 0;
  for (let round = 0; round < 9; round += 1) {
    together += served(await calls(server, 30, (at) => held[at % 3]));
    await server.evict("RateLimiter");
  }
  between(together, 170, 200, "of the app's 200");
  await end();
});

test("a restart of everything inside the window gives nothing twice, of no limit", async () => {
  const { server, token, end } = await world({ per: "family", rate: { limit: 50, ...MINUTE }, app_rate: { limit: 100, ...MINUTE } });
  const held = [await token(spa(server)), await token(spa(server)), await token(spa(server))];
  let passed = 0;
  for (let round = 0; round < 3; round += 1) {
    passed += served(await calls(server, 45, (at) => held[at % 3]));
    await server.restart();
  }
  between(passed, 80, 100, "of 100");
  await end();
});

test("the alarm of a limiter forgets no window that still runs", async () => {
  const { server, token, end } = await world({ per: "family", rate: { limit: 10, ...MINUTE }, app_rate: { limit: 20, ...MINUTE } });
  const held = [await token(spa(server)), await token(spa(server)), await token(spa(server))];
  const mine = async () => (await server.objects("RateLimiter")).length;
  const before = await mine();
  await server.faults({ alarm: "soon" });
  let passed = served(await calls(server, 12, (at) => held[at % 3]));
  const { alarms } = await server.count();
  // It fires, looks, and is set again.
  for (let tries = 0; (await server.count()).alarms === alarms && tries < 100; tries += 1) await sleep(20);
  assert.ok((await server.count()).alarms > alarms);
  assert.equal(await mine(), before + 1);
  await server.evict("RateLimiter");
  passed += served(await calls(server, 18, (at) => held[at % 3]));
  between(passed, 17, 20, "of 20");
  await server.clock(61_000);
  assert.equal((await me(server, held[0])).status, 200);
  await end();
});

test("a limiter that does not answer is a fault of ours: 503, never a call that is not counted", async () => {
  const { server, token, end } = await world({ app_rate: { limit: 1000, ...MINUTE } });
  const held = await token(spa(server));
  for (const object of ["throw", "lost"]) {
    await server.faults({ object, objectOnly: ["RATE_LIMITER"] });
    const answer = await me(server, held);
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers.get("retry-after")) >= 1);
    await server.faults({});
    assert.equal((await me(server, held)).status, 200);
  }
  await end();
});

test("neither account nor address can be read in what a limiter stores, or in its name", async () => {
  const rate = { rate: { limit: 10, ...MINUTE } };
  const wide = Object.fromEntries(["app_rate", "account_rate", "address_rate"].map((key) => [key, { limit: 20, ...MINUTE }]));
  const { server, accounts, token, end } = await world({ ...rate, ...wide });
  const from = { "cf-connecting-ip": "203.0.113.244" };
  const before = (await server.objects("RateLimiter")).length;
  await calls(server, 12, await token(spa(server)), from);
  assert.equal((await server.objects("RateLimiter")).length, before + 3, "one for each");
  for (const { name, bytes } of dump(server)) {
    const shown = [from["cf-connecting-ip"], ...(name.includes("RateLimiter") ? accounts : [])];
    for (const one of shown) assert.ok(!bytes.includes(one) && !name.includes(one), name);
  }
  await end();
});

test("costs: one object request a call, 0.2 rows at most; a wide limit adds a tenth of the requests at most at 1,000 calls", async () => {
  const plain = await world();
  const held = await plain.token(spa(plain.server));
  const own = await asked(plain.server, () => calls(plain.server, 100, held));
  assert.equal(served(own.value), 100);
  console.log(`100 calls at 100 a minute: ${own.grant} requests to the grant, ${own.limiter} to limiters, ${own.rows} rows`);
  assert.deepEqual([own.grant, own.limiter], [100, 0]);
  assert.ok(own.rows <= 20, `${own.rows} rows`);
  await plain.end();

  const rate = { limit: 10_000, ...MINUTE };
  for (const [key, count, most] of [
    ["app_rate", 1000, 100],
    ["account_rate", 200, 70],
  ]) {
    const { server, token, end } = await world({ rate, [key]: { limit: 20_000, ...MINUTE } });
    const one = await token(spa(server));
    const { value, ...cost } = await asked(server, async () => {
      const answers = [];
      while (answers.length < count) answers.push(await me(server, one));
      return answers;
    });
    assert.equal(served(value), count);
    console.log(`${count} calls, one by one, ${key}: ${cost.grant} requests to the grant, ${cost.limiter} to the limiter, ${cost.rows} rows`);
    assert.equal(cost.grant, count + (key === "account_rate" ? 1 : 0), "the account behind a grant is asked once");
    between(cost.limiter, 20, most, "requests to the limiter");
    assert.ok(cost.rows <= 20, `${cost.rows} rows`);
    await end();
  }
});
