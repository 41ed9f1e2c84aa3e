// Invariant 3 at the API: when revoke, disconnect or suspend has answered, a token is accepted in none of the three ways in
// which an API can ask: through the gateway, by introspection, over a service binding.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BOOKINGS } from "./harness/bookings.mjs";
import { basic, connect, disconnectAll, manage, revoke, serverApp, signedIn, spa } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

const AT_ONCE = 24;
const AFTER = 1000;

let server, owner;
before(async () => {
  const direct = { name: "direct", script: "workers/direct/index.ts", services: { AUTH: { name: "edgegrant", entrypoint: "Access" } } };
  server = await startServer({
    workers: [...BOOKINGS.workers, direct],
    services: BOOKINGS.services,
    vars: { POLICY: JSON.stringify({ api: { rate: { limit: 100_000, window_s: 60 } } }) },
  });
  owner = await signedIn(server);
});
after(() => server?.stop());

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

/** Whether a token is accepted; anything but a plain yes or no is an error. */
const WAYS = {
  async gateway(token) {
    const { status } = await drained(server.fetch("/api/v1/bookings", bearer(token)));
    return plain(status, 200, 401);
  },
  async introspection(token) {
    const headers = { authorization: basic("demo-resource", "demo-resource-secret") };
    const answer = await server.fetch("/oauth/introspect", { method: "POST", body: new URLSearchParams({ token }), headers });
    assert.equal(answer.status, 200);
    return (await answer.json()).active;
  },
  async "service binding"(token) {
    const { status } = await drained(fetch(`${server.workers.direct}/bookings`, bearer(token)));
    return plain(status, 200, 401);
  },
};

/** The status of an answer whose body was read. */
async function drained(asked) {
  const answer = await asked;
  await answer.arrayBuffer();
  return { status: answer.status };
}

function plain(status, yes, no) {
  assert.ok(status === yes || status === no, `HTTP ${status}`);
  return status === yes;
}

/**
 * Calls in all ways, many at a time, until `enough`. `made` grows: when each call began, and whether it was accepted.
 * `underWay` is kept when each way has accepted a call of these, however long the machine takes for it.
 */
function calls(token, enough) {
  const made = [];
  const ways = Object.entries(WAYS);
  const waiting = new Set(Object.keys(WAYS));
  const { promise: underWay, resolve, reject } = Promise.withResolvers();
  const lane = async (n) => {
    for (let turn = n; !enough(made); turn += 1) {
      const [way, ask] = ways[turn % ways.length];
      const began = performance.now();
      const accepted = await ask(token);
      made.push({ way, began, accepted });
      if (accepted) waiting.delete(way);
      if (waiting.size === 0) resolve();
    }
  };
  const done = Promise.all(Array.from({ length: AT_ONCE }, (_, n) => lane(n)));
  done.catch(reject);
  return { made, underWay, done };
}

/** Keeps calling while something ends the token, and for a thousand calls more. */
async function none(token, end) {
  for (const [way, ask] of Object.entries(WAYS)) assert.ok(await ask(token), `${way}: it works before`);
  let ended = Infinity;
  const { made, underWay, done } = calls(token, (made) => made.filter(({ began }) => began > ended).length >= AFTER);
  await underWay;
  await end();
  ended = performance.now();
  await done;
  const later = made.filter(({ began }) => began > ended);
  for (const way of Object.keys(WAYS)) {
    const of = (list) => list.filter((call) => call.way === way);
    assert.ok(of(later).length >= AFTER / 4, `${way}: ${of(later).length} calls after the end`);
    assert.equal(of(later).filter(({ accepted }) => accepted).length, 0, `${way}: accepted after the end had answered`);
  }
}

const connected = async (client = serverApp()) => (await connect(server, owner, client)).access_token;

test("revoke: 1,000 parallel and following calls, three ways, none is accepted", async () => {
  const client = serverApp();
  const held = await connect(server, owner, client);
  await none(held.access_token, async () => assert.equal((await revoke(server, client, held.refresh_token)).status, 200));
});

test("disconnect: 1,000 parallel and following calls, three ways, none is accepted", async () => {
  await none(await connected(spa(server)), () => disconnectAll(owner));
});

test("suspend: 1,000 parallel and following calls, three ways, none is accepted; restored, all are", async () => {
  const token = await connected();
  await none(token, async () => assert.equal((await manage(server, "demo-server", "suspend")).status, 200));
  assert.equal((await manage(server, "demo-server", "restore")).status, 200);
  for (const [way, ask] of Object.entries(WAYS)) assert.ok(await ask(token), `${way}: it works again`);
});
