// The results as tables of Markdown: a line per rule with a column per server, sums, and the reasons below.
import { ruleOf } from "./suite.mjs";

/** What kind of rule it is: the sums are made by it. */
const KINDS = {
  must: "MUST of an RFC",
  should: "SHOULD or MAY of an RFC",
  ours: "ours, or of the OAuth 2.1 draft (*)",
};
const kindOf = ({ level, own }) => (own || level === "P" ? "ours" : level === "M" ? "must" : "should");

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [line(rows[0]), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.slice(1).map(line)].join("\n");
}

const headOf = ({ name, version }) => `${name} ${version}`.trim();

/** Passed, failed and skipped of each kind of rule: `{ must: { pass, fail, skip }, … }`. */
export function sums(results) {
  const totals = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, { pass: 0, fail: 0, skip: 0 }]));
  for (const one of results) totals[kindOf(ruleOf(one))][one.result] += 1;
  return totals;
}

/** `runs`: `[{ target, results }]`, all of the same checks. */
export function report(runs) {
  const ids = runs[0].results.map(({ id }) => id);
  const columns = runs.map(({ results }) => new Map(results.map((one) => [one.id, one])));
  const rules = [["id", "level", "rule", ...runs.map(({ target }) => headOf(target))]];
  for (const id of ids) {
    const rule = ruleOf({ id });
    const level = `${rule.level}${rule.own ? "*" : ""}`;
    rules.push([id, level, `${rule.rule} (${rule.source})`, ...columns.map((column) => column.get(id).result)]);
  }
  const totals = [["rules", ...runs.map(({ target }) => headOf(target))]];
  for (const [kind, words] of Object.entries(KINDS)) {
    const cells = runs.map(({ results }) => {
      const { pass, fail, skip } = sums(results)[kind];
      return `${pass} passed, ${fail} failed, ${skip} skipped`;
    });
    totals.push([words, ...cells]);
  }
  return [table(rules), table(totals), ...runs.flatMap(reasons)].join("\n\n");
}

function reasons({ target, results }) {
  const of = (result) => results.filter((one) => one.result === result);
  const parts = [];
  if (of("fail").length) parts.push(`${headOf(target)}, failed:\n${of("fail").map(({ id, reason }) => `  ${id}  ${reason}`).join("\n")}`);
  const skipped = Map.groupBy(of("skip"), ({ reason }) => reason);
  if (skipped.size) {
    const lines = [...skipped].map(([reason, list]) => `  ${list.map(({ id }) => id).join(", ")}: ${reason}`);
    parts.push(`${headOf(target)}, skipped:\n${lines.join("\n")}`);
  }
  return parts;
}
