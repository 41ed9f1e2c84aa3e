// GET /health: every part is really asked, quickly and seldom, and the answer says which one fails and nothing else.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startServer } from "./harness/server.mjs";

const HERE = "/health";
const OK = { d1: "ok", kv: "ok", grant: "ok", app: "ok", rate_limiter: "ok", unproven: "ok" };
const BOUND = { email: "not bound", analytics: "bound" };

let server, shift = 0;
before(async () => (server = await startServer({ counting: true, analytics: true })));
after(() => server.stop());

/** Asks when what the isolate has found out is too old to be used again. */
async function asked(faults = {}) {
  shift += 6000;
  await server.clock(shift);
  await server.faults(faults);
  const answer = await server.fetch(HERE);
  await server.faults({});
  return { status: answer.status, headers: answer.headers, json: await answer.json() };
}

test("all parts answer: 200, in JSON that is not stored, without credentials; HEAD too; nothing else is there", async () => {
  const { status, headers, json } = await asked();
  assert.equal(status, 200);
  assert.deepEqual(json, { status: "ok", checks: { ...OK, ...BOUND } });
  assert.match(headers.get("content-type"), /^application\/json/);
  assert.equal(headers.get("cache-control"), "no-store");
  const head = await server.fetch(HERE, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  const posted = await server.fetch(HERE, { method: "POST" });
  assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
  assert.equal((await server.fetch(`${HERE}/x`)).status, 404);
});

test("each part that fails is named, with 503 and Retry-After, and without a word of what it said", async () => {
  for (const [faults, failing] of [
    [{ d1: "throw" }, ["d1"]],
    [{ kvGet: "throw" }, ["kv"]],
    [{ object: "throw", objectOnly: ["GRANT"] }, ["grant"]],
    [{ object: "throw", objectOnly: ["APP"] }, ["app"]],
    [{ object: "lost", objectOnly: ["RATE_LIMITER"] }, ["rate_limiter"]],
    [{ limiter: "throw" }, ["unproven"]],
    [{ d1: "throw", kvGet: "throw", object: "throw" }, ["d1", "kv", "grant", "app", "rate_limiter"]],
  ]) {
    const { status, headers, json } = await asked(faults);
    assert.equal(status, 503, failing.join());
    assert.equal(headers.get("retry-after"), "5");
    const checks = Object.fromEntries(failing.map((name) => [name, "failing"]));
    assert.deepEqual(json, { status: "failing", checks: { ...OK, ...BOUND, ...checks } });
    assert.doesNotMatch(JSON.stringify(json), /injected/);
    const told = server.lines("fault").filter(({ id }) => id === headers.get("x-request-id")).map(({ what }) => what);
    assert.deepEqual(told.sort(), failing.sort(), "the log has the words");
  }
  assert.equal((await asked()).status, 200);
});

test("a part that does not answer in time fails, and the others are not waited for one after the other", async () => {
  const started = Date.now();
  const { status, json } = await asked({ kvGet: "late", d1: "late" });
  const took = Date.now() - started;
  assert.deepEqual([status, json.checks.kv, json.checks.d1, json.checks.grant], [503, "failing", "failing", "ok"]);
  assert.ok(took >= 2900 && took < 6000, `${took} ms`);
});

test("it is asked once in five seconds, however many call, and writes nothing", async () => {
  await asked(); // the objects are there
  shift += 6000;
  await server.clock(shift);
  const { value, cost } = await server.counted(() => Promise.all(Array.from({ length: 30 }, () => server.fetch(HERE))));
  assert.deepEqual(new Set(value.map(({ status }) => status)), new Set([200]));
  const { kvGet, kvPut, kvList, d1Statements, d1Batches, objectRequests, rowsWritten, alarms } = cost;
  assert.deepEqual({ kvGet, kvPut, kvList, d1Statements, d1Batches, objectRequests, rowsWritten, alarms }, { kvGet: 1, kvPut: 0, kvList: 0, d1Statements: 1, d1Batches: 0, objectRequests: 3, rowsWritten: 0, alarms: 0 });
  assert.match(cost.queries[0], /^SELECT/);
  await server.clock((shift += 4000));
  assert.equal((await server.counted(() => server.fetch(HERE))).cost.objectRequests, 0);
  await server.clock((shift += 2000));
  assert.equal((await server.counted(() => server.fetch(HERE))).cost.objectRequests, 3);
});

test("who calls while it is asked waits for that answer, and asks nothing", async () => {
  shift += 6000;
  await server.clock(shift);
  await server.faults({ kvGet: "late" });
  const { value, cost } = await server.counted(() => Promise.all(Array.from({ length: 10 }, () => server.fetch(HERE))));
  await server.faults({});
  assert.deepEqual(new Set(value.map(({ status }) => status)), new Set([503]));
  assert.deepEqual([cost.kvGet, cost.d1Statements, cost.objectRequests], [1, 1, 3]);
});

test("a request that was cut off while it asked does not keep the others from an answer", async () => {
  shift += 6000;
  await server.clock(shift);
  await server.faults({ kvGet: "late" });
  const gone = new AbortController();
  const cut = server.fetch(HERE, { signal: gone.signal }).catch(() => {});
  const waiting = server.fetch(HERE);
  gone.abort();
  await cut;
  const answer = await waiting;
  assert.ok([200, 503].includes(answer.status));
  await server.faults({});
  await server.clock((shift += 10_000));
  assert.equal((await server.fetch(HERE)).status, 200);
});
