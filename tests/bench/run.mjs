#!/usr/bin/env node
// `npm run bench`: how many tokens are checked a second, each way, beside a bare hop and beside others, on this machine.
//   npm run bench -- --quick             one short round: whether it runs at all
//   npm run bench -- --json FILE         the figures, every round
//   npm run bench -- --rounds 9 --seconds 5
//   npm run bench -- --only check        what has this in its name or kind
//   npm run bench -- --logged            with the log of requests, which workerd writes to its standard output
//   npm run bench -- --against before    another build below .build beside it, as A and B in alternating rounds
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { build } from "../../worker/tools/build.mjs";
import { main, needNode22, say } from "../../worker/tools/lib/process.mjs";
import { setup } from "../../worker/tools/setup.mjs";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean" },
    built: { type: "boolean" }, // what is below .build is not made anew
    json: { type: "string" },
    rounds: { type: "string" },
    seconds: { type: "string" },
    only: { type: "string" },
    logged: { type: "boolean" },
    against: { type: "string" },
  },
});
const CONNECTIONS = 16;
const SETTING = values.quick ? { rounds: 1, seconds: 0.4, codes: 32 } : { rounds: 5, seconds: 3, codes: 480 };
if (values.rounds) SETTING.rounds = Number(values.rounds);
if (values.seconds) SETTING.seconds = Number(values.seconds);

const median = (list) => {
  const sorted = list.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** Everything that is measured; `stops` gets what ends it. */
async function subjects(stops) {
  const { edgegrant, started } = await import("./edgegrant.mjs");
  const { hops, oidcProvider, WORKERS, workersOauthProvider } = await import("./peers.mjs");
  const server = await started("release", WORKERS, { logged: values.logged });
  stops.push(() => server.stop());
  const of = async (one, list) => {
    const pid = await one.runtime();
    return list.map((subject) => ({ ...subject, pid }));
  };
  const all = await of(server, await edgegrant(server, { connections: CONNECTIONS }));
  if (values.against) {
    const other = await started(values.against, WORKERS, { logged: values.logged });
    stops.push(() => other.stop());
    const theirs = await of(other, await edgegrant(other, { connections: CONNECTIONS }));
    all.push(...theirs.map((subject) => ({ ...subject, group: `Edgegrant, ${values.against}` })));
  }
  all.push(...(await of(server, [...hops(server), ...(await workersOauthProvider(server, { connections: CONNECTIONS }))])));
  const node = await oidcProvider();
  stops.push(node.stop);
  all.push(...node.subjects);
  return all.filter(({ name, kind = "" }) => !values.only || name.includes(values.only) || kind.includes(values.only));
}

/** Rounds in alternating order, so that what comes first in one comes last in the next. */
async function rounds(list) {
  const { measure } = await import("./measure.mjs");
  const setting = { ...SETTING, connections: CONNECTIONS };
  for (const subject of list) {
    if (!values.quick) await measure(subject, { ...setting, seconds: 1, codes: 64 }); // warm
    [subject.rates, subject.cpu] = [[], []];
  }
  for (let round = 0; round < SETTING.rounds; round += 1) {
    say(`round ${round + 1} of ${SETTING.rounds}`);
    for (const subject of round % 2 ? list.toReversed() : list) {
      const { rate, cpu } = await measure(subject, setting);
      subject.rates.push(rate);
      if (cpu !== null) subject.cpu.push(cpu);
    }
  }
}

/** A subject beside the bare hop with the same storage, and beside the peer that does the same. */
function compared(subject, list) {
  const { kind } = subject;
  const beside = (other) => {
    const found = list.find((one) => one.kind === `${kind}-${other}`);
    return found?.rates && median(subject.rates) / median(found.rates);
  };
  const [hop, peer] = [beside(kind === "exchange" ? "" : "base"), beside("peer")];
  return [hop ? `${Math.round(hop * 100)} %` : "", peer ? `${peer.toFixed(1)} x` : ""];
}

function table(list) {
  const figure = (rate) => rate.toFixed(0);
  const rows = [["what", "of", "requests/s", "lowest to highest", "CPU each, µs", "of a bare hop", "of workers-oauth-provider"]];
  for (const subject of list) {
    const { name, group, rates, cpu } = subject;
    const spread = `${figure(Math.min(...rates))} to ${figure(Math.max(...rates))}`;
    rows.push([name, group, figure(median(rates)), spread, cpu.length ? figure(median(cpu)) : "", ...compared(subject, list)]);
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join("\n");
}

await main(async () => {
  await needNode22();
  if (!values.built) await build("release", await setup(), { quiet: true });
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "CPU"}, Node ${process.versions.node}`;
  const stops = [];
  try {
    const list = await subjects(stops);
    await rounds(list);
    say(`\n${new Date().toISOString().slice(0, 10)}, ${machine}, ${CONNECTIONS} connections, ${SETTING.rounds} rounds of ${SETTING.seconds} s, medians\n`);
    say(table(list));
    const figures = list.map(({ name, group, kind, rates, cpu }) => ({ name, group, kind, rates, cpu, median: median(rates) }));
    if (values.json) writeFileSync(values.json, `${JSON.stringify({ at: new Date(), machine, ...SETTING, connections: CONNECTIONS, figures }, null, 2)}\n`);
  } finally {
    for (const stop of stops) await stop();
  }
});
