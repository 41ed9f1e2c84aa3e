#!/usr/bin/env node
// `npm run presets`: what the presets' platforms do, row by row, and which test proves it here.
//   npm run presets -- --platform klippa      one platform (the mistakes no preset repeats are the platform "all")
//   npm run presets -- --open                 only what neither a test proves nor the README sets aside
// A test proves the rows its name begins with: test("klippa-16 klippa-17: each refresh ...", ...). Rows that have no
// meaning here are in the README's table under the heading below. Exit code 1: a row is open, or the claims are wrong.
import { readdirSync, readFileSync } from "node:fs";
import { rows as allRows } from "../../tests/presets/rows.mjs";
import { inRoot } from "./lib/paths.mjs";
import { isMain, main, say, ToolError } from "./lib/process.mjs";

const HEADING = "### Rows that do not apply";

const testFiles = () =>
  readdirSync(inRoot("tests"), { recursive: true })
    .filter((file) => file.endsWith(".test.mjs"))
    .sort()
    .map((file) => ({ file: `tests/${file}`, text: readFileSync(inRoot("tests", file), "utf8") }));

/** The names in test("..."). Not in `pattern.test("...")`, nor quoted, nor commented out: those run nothing. */
const testNames = (text) =>
  [...text.replace(/^\s*\/\/.*$/gm, "").matchAll(/(?<![\w.$"'`])test\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/gs)].map(([, , name]) =>
    name.replace(/\\(.)/gs, "$1"),
  );

/** The ids a name begins with, if it does: words before the first colon that all look like ids. */
function claimedBy(name, known) {
  const words = name.split(":")[0].trim().split(/\s+/);
  const alone = name.includes(":") && words.every((word) => /^[a-z][a-z\d-]*-[A-Z]?\d+$/.test(word));
  // Ids that are written in another way would silently prove nothing.
  const misplaced = alone ? undefined : words.find((word) => known.has(word.replace(/[,;]$/, "")));
  return { ids: alone ? words : [], misplaced };
}

/** The README's table of rows that do not apply: [{ ids, reason }]. */
function setAside(readme) {
  const lines = readme.split("\n");
  const start = lines.findIndex((line) => line.trim() === HEADING);
  if (start < 0) return [];
  const length = lines.slice(start + 1).findIndex((line) => /^#{1,6} /.test(line));
  const section = lines.slice(start + 1, length < 0 ? undefined : start + 1 + length);
  const table = section.filter((line) => line.trim().startsWith("|")).slice(2); // without its head and the dashes
  return table.map((line) => {
    const [first = "", reason = ""] = line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/);
    const ids = first.replaceAll("`", "").split(",").map((id) => id.trim());
    return { ids: ids.filter(Boolean), reason: reason.replaceAll("\\|", "|").trim() };
  });
}

/** Every row with its state, and what is wrong with the claims. The sources can be given, to test this itself. */
export function report({ rows = allRows, tests = testFiles(), readme = readFileSync(inRoot("README.md"), "utf8") } = {}) {
  const problems = [];
  const known = new Map();
  for (const row of rows) {
    if (known.has(row.id)) problems.push(`${row.id} is there twice`);
    known.set(row.id, { id: row.id, platform: row.platform, text: row.text, state: row.silent ? "silent" : "open", by: [] });
  }

  for (const { file, text } of tests) {
    for (const name of testNames(text)) {
      const { ids, misplaced } = claimedBy(name, known);
      if (misplaced) problems.push(`${file}: ids come first, separated by spaces and ended by a colon: "${name}"`);
      for (const id of new Set(ids)) {
        const row = known.get(id);
        if (!row) {
          problems.push(`${file}: there is no row ${id}: "${name}"`);
          continue;
        }
        row.state = "proved";
        row.by.push(`${file}: ${name}`);
      }
    }
  }

  for (const { ids, reason } of setAside(readme)) {
    if (ids.length === 0 || reason === "") problems.push(`README.md: a row of the table is incomplete: ${ids.join(", ")} ${reason}`);
    for (const id of ids) {
      const row = known.get(id);
      if (!row) problems.push(`README.md: there is no row ${id}`);
      else if (row.state === "proved") problems.push(`README.md: ${id} does not apply, yet a test proves it: ${row.by[0]}`);
      else if (row.reason !== undefined) problems.push(`README.md: ${id} is in the table twice`);
      else Object.assign(row, { state: "not applicable", reason });
    }
  }
  return { rows: [...known.values()], problems };
}

const outcome = (row) => {
  if (row.state === "proved") return row.by;
  if (row.state === "not applicable") return [`not applicable: ${row.reason}`];
  return [row.state === "silent" ? "source is silent" : "OPEN"];
};

function table(rows) {
  const head = ["platform", "row", "text", "proved by"];
  const cells = rows.flatMap((row) =>
    outcome(row).map((by, n) => (n === 0 ? [row.platform, row.id, row.text, by] : ["", "", "", by])),
  );
  const widths = head.map((title, n) => Math.max(title.length, ...cells.map((line) => line[n].length)));
  return [head, ...cells].map((line) => line.map((cell, n) => (n < 3 ? cell.padEnd(widths[n]) : cell)).join("  "));
}

function options(args) {
  const chosen = { open: false, platform: undefined };
  const platforms = [...new Set(allRows.map((row) => row.platform))];
  for (let at = 0; at < args.length; at += 1) {
    if (args[at] === "--open") chosen.open = true;
    else if (args[at] === "--platform") {
      chosen.platform = args[(at += 1)];
      if (!platforms.includes(chosen.platform)) throw new ToolError(`--platform knows ${platforms.join(", ")}.`);
    } else throw new ToolError(`Unknown option ${args[at]}. There are --platform NAME and --open.`);
  }
  return chosen;
}

if (isMain(import.meta.url)) {
  await main(() => {
    const { open, platform } = options(process.argv.slice(2));
    const { rows, problems } = report();
    const chosen = rows.filter((row) => platform === undefined || row.platform === platform);
    const printed = chosen.filter((row) => !open || row.state === "open");
    const count = (state) => chosen.filter((row) => row.state === state).length;
    const counts = `${count("proved")} proved, ${count("not applicable")} not applicable, ${count("silent")} silent, ${count("open")} open`;
    process.stdout.on("error", () => process.exit(1)); // `| head` has read enough
    say([...(printed.length > 0 ? [...table(printed), ""] : []), ...problems, `${chosen.length} rows: ${counts}`].join("\n"));
    return problems.length > 0 || count("open") > 0 ? 1 : 0;
  });
}
