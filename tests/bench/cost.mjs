#!/usr/bin/env node
// `npm run cost`: what logins, refreshes, checks and the rest cost on Cloudflare, beside @cloudflare/workers-oauth-provider.
// Storage operations and rows are counted while the release build runs, CPU is measured on this machine, prices and what is
// assumed are in prices.json.
//   npm run cost -- --json FILE     everything that was counted
//   npm run cost -- --quick         few runs, no CPU
//   npm run cost -- --built         what is below .build is not made anew
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { build } from "../../worker/tools/build.mjs";
import { main, needNode22, say } from "../../worker/tools/lib/process.mjs";
import { setup } from "../../worker/tools/setup.mjs";
import { dollars, freePlan, PRICES, sum, usage } from "./meters.mjs";

const { values } = parseArgs({ options: { json: { type: "string" }, quick: { type: "boolean" }, built: { type: "boolean" } } });

/** How many runs are counted: as many calls as a window has, for some of them write a row. */
const counted = (name) => (name.startsWith("check") ? 90 : values.quick ? 3 : 10);
/** How many are measured: so that the kernel's clock of 10 ms tells something. */
const measured = (name) => (name === "sign-in" ? 20 : name.startsWith("check") || name === "garbage" ? 1500 : 150);

async function running(options, use) {
  const { COUNTED_POLICY, started } = await import("./edgegrant.mjs");
  const { WORKERS } = await import("./peers.mjs");
  const peer = (worker) => (options.counting && worker.name === "peer" ? { ...worker, script: "bench/workers/counted-peer.mjs" } : worker);
  const server = await started("release", WORKERS.map(peer), { ...options, ...(options.counting && { policy: values.quick ? { ...COUNTED_POLICY, apps: { review: "none" } } : COUNTED_POLICY }) });
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

const both = async (server) => {
  const { edgegrantFlows, peerFlows } = await import("./flows.mjs");
  return { edgegrant: await edgegrantFlows(server, { approve: !values.quick }), peer: await peerFlows(server.workers.peer) };
};

/** What each flow uses, by whose it is and name. */
const counts = () =>
  running({ counting: true, logged: true }, async (server) => {
    const peer = async (body) => (await fetch(new URL("/__count", server.workers.peer), body && { method: "POST", body: JSON.stringify(body) })).json();
    const counters = { edgegrant: [() => server.resetCount(), () => server.count()], peer: [() => peer({ reset: true }), () => peer()] };
    const found = {};
    for (const [whose, flows] of Object.entries(await both(server))) {
      found[whose] = {};
      for (const [name, { prepare, run }] of Object.entries(flows)) {
        const states = await prepare(counted(name));
        const [reset, count] = counters[whose];
        await reset();
        for (const state of states) await run(state);
        found[whose][name] = usage(await count(), states.length);
      }
    }
    return found;
  });

/** Adds the milliseconds of CPU that workerd takes for each flow, with its HTTP and what stands for KV, D1 and disks. */
const withCpu = (found) =>
  running({}, async (server) => {
    const { cpuOf } = await import("./measure.mjs");
    const pid = await server.runtime();
    if (cpuOf(pid) === undefined) return say("This system does not say what CPU a process has taken: it is left out.");
    for (const [whose, flows] of Object.entries(await both(server))) {
      for (const [name, { prepare, run }] of Object.entries(flows)) {
        const states = await prepare(measured(name));
        const before = cpuOf(pid);
        for (const state of states) await run(state);
        found[whose][name].cpuMs = ((cpuOf(pid) - before) * 1000) / states.length;
      }
    }
  });

/** The rows of the tables: what they are called, and the flows that they add up. */
const ROWS = [
  ["login: consent page, Allow, exchange", ["page", "allow", "exchange"]],
  ["the same with the sign-in before it", ["sign-in", "page", "allow", "exchange"]],
  ["refresh", ["refresh"]],
  ["check: `GET /api/v1/me`; of the peer: an API route", ["check"]],
  ["check: introspection", ["check, introspection"]],
  ["check: gateway", ["check, gateway"]],
  ["check: service binding", ["check, service binding"]],
  ["revocation", ["revocation"]],
  ["garbage token", ["garbage"]],
];

const rowsOf = (found) =>
  ROWS.map(([what, names]) => {
    const of = (flows) => (names.every((name) => flows[name]) ? sum(...names.map((name) => flows[name])) : null);
    // A mean of several requests: one of them takes at least as much.
    const each = ({ cpuMs, requests }) => cpuMs / Math.max(requests, 1);
    const tooMuch = names.some((name) => each(found.edgegrant[name]) > PRICES.free_cpu_ms_per_request.limit);
    return { what, edgegrant: of(found.edgegrant), peer: of(found.peer), tooMuch };
  });

const money = (use) => (use ? dollars(use).toFixed(2) : "");
const figure = (value) => (value === undefined ? "" : Number(value.toPrecision(2)).toString());
const times = (use) => {
  const limit = use && freePlan(use);
  return limit ? `${limit.times.toLocaleString("en")} (${limit.what})` : "";
};

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [line(rows[0]), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.slice(1).map(line)].join("\n");
}

const dollarsTable = (rows) =>
  table([
    ["a million times", "dollars", "peer", "a day on the free plan", "peer"],
    ...rows.map(({ what, edgegrant, peer, tooMuch }) => [what, money(edgegrant), money(peer), tooMuch ? "none (CPU)" : times(edgegrant), times(peer)]),
  ]);

function usageTable(rows) {
  const columns = [...Object.entries(PRICES.meters).filter(([name]) => name !== "objectGbS"), ["logLines", { what: "lines of log" }]];
  const line = (what, use) => [what, ...columns.map(([name]) => figure(use[name]))];
  return table([
    ["each time", ...columns.map(([, { what }]) => what)],
    ...rows.flatMap(({ what, edgegrant, peer }) => [line(what, edgegrant), ...(peer ? [line("- peer", peer)] : [])]),
  ]);
}

await main(async () => {
  await needNode22();
  if (!values.built) await build("release", await setup(), { quiet: true });
  const found = await counts();
  if (!values.quick) await withCpu(found);
  const rows = rowsOf(found);
  const at = new Date().toISOString().slice(0, 10);
  say(`\n${at}, peer: @cloudflare/workers-oauth-provider 1.2.3; prices of Cloudflare's paid plan beyond what it includes, read on ${PRICES.meters.requests.read}\n`);
  say(dollarsTable(rows));
  say(`\n${usageTable(rows)}`);
  say(`\nA line of log each is ${PRICES.logs.dollars} dollars a million more, unless it is switched off. Object time is taken as ${PRICES.taken.objectMs} ms each.`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ at, flows: found, rows: rows.map((row) => ({ ...row, dollars: { edgegrant: row.edgegrant && dollars(row.edgegrant), peer: row.peer && dollars(row.peer) } })) }, null, 2)}\n`);
});
