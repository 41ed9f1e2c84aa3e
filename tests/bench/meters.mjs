// From what was counted (tests/harness/proxies.mjs) to what Cloudflare bills, and from that to dollars.
import { readFileSync } from "node:fs";

export const PRICES = JSON.parse(readFileSync(new URL("prices.json", import.meta.url), "utf8"));

/**
 * What one run of a flow uses of each meter, from the counts of so many. Renewing an app's lease (one object request in five
 * seconds for an isolate and app) and handing over counters (one D1 statement a minute and isolate) are of no request.
 */
export function usage(counts, runs) {
  const { objectMs, objectGb } = PRICES.taken;
  const objectRequests = counts.objectRequests - (counts.requests?.APP ?? 0);
  const all = {
    requests: counts.workerRequests,
    kvReads: counts.kvGet,
    kvWrites: counts.kvPut,
    kvDeletes: counts.kvDelete,
    kvLists: counts.kvList,
    d1RowsRead: counts.d1RowsRead,
    d1RowsWritten: counts.d1RowsWritten,
    objectRequests,
    objectGbS: (objectRequests * objectMs * objectGb) / 1000,
    objectRowsRead: counts.rowsRead,
    objectRowsWritten: counts.rowsWritten,
    logLines: counts.logLines,
  };
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, value / runs]));
}

/** Several uses in one. */
export function sum(...uses) {
  const total = {};
  for (const use of uses) for (const [name, value] of Object.entries(use)) total[name] = (total[name] ?? 0) + value;
  return total;
}

/** Dollars for a million times this use, beyond what the plan includes; without the log. */
export const dollars = (use) => Object.entries(PRICES.meters).reduce((all, [name, { dollars: each }]) => all + (use[name] ?? 0) * each, 0);

/** How often the free plan lets it happen in a day, and which limit says so. */
export function freePlan(use) {
  const limits = Object.entries(PRICES.meters)
    .filter(([name, { free }]) => free !== null && use[name] > 0)
    .map(([name, { free, what }]) => ({ times: Math.floor(free / use[name]), what }));
  return limits.sort((a, b) => a.times - b.times)[0];
}
