// `npm run cost`, as short as it gets: what it counts is what the README says each flow does, and its dollars are that times
// the prices of one file.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { dollars, freePlan, PRICES, sum } from "./bench/meters.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
let report, printed;
before(() => {
  const folder = mkdtempSync(join(tmpdir(), "edgegrant-cost-"));
  try {
    const file = join(folder, "cost.json");
    const { status, stdout, stderr } = spawnSync(process.execPath, ["tests/bench/cost.mjs", "--quick", "--built", "--json", file], { cwd: root, encoding: "utf8" });
    assert.equal(status, 0, stderr + stdout);
    [report, printed] = [JSON.parse(readFileSync(file, "utf8")), stdout];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Operations that cost something by themselves. Rows are bounds, see tests/budgets.test.mjs. */
const OPERATIONS = ["requests", "kvReads", "kvWrites", "kvDeletes", "kvLists", "objectRequests"];
/** By flow: the operations that happen, and the most rows that D1 and the object write. */
const BUDGETS = {
  page: [{ requests: 1 }, 0, 0],
  allow: [{ requests: 1, kvWrites: 1 }, 20, 0],
  exchange: [{ requests: 1, kvReads: 1, objectRequests: 1 }, 3, 6],
  refresh: [{ requests: 1, objectRequests: 1 }, 0, 1],
  check: [{ requests: 1, objectRequests: 1 }, 0, 0.2],
  "check, introspection": [{ requests: 1, objectRequests: 1 }, 0, 0.2],
  "check, gateway": [{ requests: 1, objectRequests: 1 }, 0, 0.2],
  "check, service binding": [{ objectRequests: 1 }, 0, 0.2],
  revocation: [{ requests: 1, objectRequests: 1 }, 4, 1],
  garbage: [{ requests: 1 }, 0, 0],
};

test("it counts what tests/budgets.test.mjs holds each flow to, in the release build", () => {
  for (const [name, [operations, d1Rows, objectRows]] of Object.entries(BUDGETS)) {
    const use = report.flows.edgegrant[name];
    assert.deepEqual(Object.fromEntries(OPERATIONS.filter((each) => use[each]).map((each) => [each, use[each]])), operations, name);
    assert.ok(use.d1RowsWritten <= d1Rows, `${name}: ${use.d1RowsWritten} rows written in D1`);
    assert.ok(use.objectRowsWritten <= objectRows, `${name}: ${use.objectRowsWritten} rows written in objects`);
  }
  assert.deepEqual(Object.keys(report.flows.edgegrant).sort(), ["sign-in", ...Object.keys(BUDGETS)].sort());
});

test("the peer is counted by the same proxies: it keeps everything in KV", () => {
  const { exchange, refresh, check } = report.flows.peer;
  assert.ok(check.kvReads >= 1 && refresh.kvWrites >= 1 && exchange.kvWrites >= 1, JSON.stringify(report.flows.peer));
  for (const use of Object.values(report.flows.peer)) assert.deepEqual([use.requests, use.objectRequests, use.d1RowsRead], [1, 0, 0]);
});

test("dollars are what was counted times the published prices, and the free plan's day ends at its first limit", () => {
  const use = { requests: 2, cpuMs: 3, kvWrites: 1, objectRowsWritten: 0.5 };
  assert.equal(dollars(use).toFixed(4), (2 * 0.3 + 3 * 0.02 + 5 + 0.5).toFixed(4));
  assert.deepEqual(freePlan(use), { times: 1000, what: "KV writes" });
  for (const row of report.rows) assert.equal(row.dollars.edgegrant, dollars(row.edgegrant), row.what);
  const { page, allow, exchange } = report.flows.edgegrant;
  assert.deepEqual(report.rows[0].edgegrant, sum(page, allow, exchange));
  assert.equal(printed.match(/^\| refresh +\| ([\d.]+)/m)[1], dollars(report.flows.edgegrant.refresh).toFixed(2));
});

test("every price says where it was read, and when; README's table is not older than the prices", () => {
  for (const { source, read, what } of [...Object.values(PRICES.meters), PRICES.logs]) {
    assert.match(source, /^https:\/\/developers\.cloudflare\.com\//, what);
    assert.match(read, /^20\d\d-\d\d-\d\d$/, what);
  }
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, day] = readme.match(/^`npm run cost` on (\d+ \w+ \d{4})/m);
  assert.ok(Date.parse(`${day} UTC`) >= Date.parse(PRICES.meters.requests.read), day);
});
