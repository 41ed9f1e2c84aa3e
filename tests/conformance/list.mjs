#!/usr/bin/env node
// The lists requirements.json and attacks.json, and what is wrong with them. As a command it puts them in order: tests whose
// names carry an id are entered where they belong, and what is not there any more is taken out.
//   node tests/conformance/list.mjs
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { inRoot } from "../../worker/tools/lib/paths.mjs";
import { isMain, say } from "../../worker/tools/lib/process.mjs";

const GROUPS = "AZ|IS|TK|RT|RC|RV|IN|MD|RS|UI|CL|CD|PA|DP|RI|PR|OP";
const LEVELS = ["M", "S", "O", "P"];
const FILES = { requirements: "tests/conformance/requirements.json", attacks: "tests/conformance/attacks.json" };

const files = (folder, ending) =>
  readdirSync(inRoot(folder), { recursive: true })
    .filter((file) => file.endsWith(ending))
    .sort()
    .map((file) => ({ file: `${folder}/${file}`, text: readFileSync(inRoot(folder, file), "utf8") }));

/** The names in test("…"): not `pattern.test("…")`, nor quoted, nor commented out. */
const namesIn = (text) =>
  [...text.replace(/^\s*\/\/.*$/gm, "").matchAll(/(?<![\w.$"'`])test\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/gs)].map(([, , name]) => name.replace(/\\(.)/gs, "$1"));

/** Ids in the name of a test; "AZ-15 to AZ-18" is four. */
export function idsIn(name) {
  const ids = new Set([...name.matchAll(new RegExp(`\\b(?:${GROUPS})-\\d+\\b|\\bA\\d+\\b`, "g"))].map(([id]) => id));
  for (const [, group, first, last] of name.matchAll(new RegExp(`\\b(${GROUPS})-(\\d+) to \\1-(\\d+)`, "g"))) {
    for (let n = Number(first); n <= Number(last); n += 1) ids.add(`${group}-${String(n).padStart(2, "0")}`);
  }
  return ids;
}

/** The same at the end of the name of a native test: `…_az_08`, `…_a35`. */
function idsInNative(name) {
  const one = `_(?:(?:${GROUPS.toLowerCase()})_\\d\\d|a\\d{1,2})`;
  const [end = ""] = name.match(new RegExp(`(?:${one})+$`)) ?? [];
  return new Set((end.match(new RegExp(one, "g")) ?? []).map((id) => id.slice(1).toUpperCase().replace("_", "-")));
}

/** Every test of the repository, natively too: `{ ref: "file: name", ids }`. */
export function allTests() {
  const http = files("tests", ".test.mjs").flatMap(({ file, text }) => namesIn(text).map((name) => ({ ref: `${file}: ${name}`, ids: idsIn(name) })));
  const native = files("worker/core/src", ".rs").flatMap(({ file, text }) =>
    [...text.matchAll(/#\[test\]\s*(?:#\[[^\]]*\]\s*)*fn (\w+)\(/g)].map(([, name]) => ({ ref: `${file}: ${name}`, ids: idsInNative(name) })),
  );
  return [...http, ...native];
}

export const read = (list) => JSON.parse(readFileSync(inRoot(FILES[list]), "utf8"));

/** What is wrong with the lists, a sentence each. `checks`: ids of the portable checks. */
export function problems({ requirements = read("requirements"), attacks = read("attacks"), tests = allTests(), checks = [] } = {}) {
  const found = [];
  const known = new Map();
  for (const entry of [...requirements, ...attacks]) {
    if (known.has(entry.id)) found.push(`${entry.id} is there twice`);
    known.set(entry.id, entry);
    if (!entry.tests?.length === !entry.without) found.push(`${entry.id} needs either tests, or "without" with the reason`);
  }
  for (const { id, level, rule, source } of requirements) {
    if (!LEVELS.includes(level) || !rule || !source) found.push(`${id} needs level, rule and source`);
  }
  const refs = new Set(tests.map(({ ref }) => ref));
  for (const { id, tests: named = [] } of known.values()) {
    for (const ref of named) if (!refs.has(ref)) found.push(`${id}: there is no test "${ref}"`);
  }
  for (const { ref, ids } of tests) {
    for (const id of ids) {
      if (!known.has(id)) found.push(`${id} in the name of "${ref}" is in no list`);
      else if (!known.get(id).tests?.includes(ref)) found.push(`${id} does not name "${ref}"`);
    }
  }
  for (const id of checks) if (!requirements.some((requirement) => requirement.id === id)) found.push(`a check is of ${id}, which is in no list`);
  const twice = checks.filter((id, at) => checks.indexOf(id) !== at);
  return [...found, ...twice.map((id) => `two checks are of ${id}`)];
}

/** An entry with the tests that are there, those that carry its id among them. */
function inOrder(entry, tests) {
  const carrying = tests.filter(({ ids }) => ids.has(entry.id)).map(({ ref }) => ref);
  const kept = (entry.tests ?? []).filter((ref) => tests.some((one) => one.ref === ref));
  const all = [...new Set([...carrying, ...kept])];
  const { tests: _, without, ...rest } = entry;
  return all.length ? { ...rest, tests: all } : { ...rest, ...(without ? { without } : { tests: [] }) };
}

if (isMain(import.meta.url)) {
  const tests = allTests();
  for (const [list, file] of Object.entries(FILES)) {
    const lines = read(list).map((entry) => `  ${JSON.stringify(inOrder(entry, tests))}`);
    writeFileSync(inRoot(file), `[\n${lines.join(",\n")}\n]\n`);
  }
  for (const problem of problems({ tests })) say(problem);
}
