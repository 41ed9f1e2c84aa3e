// docs/compare.md is checked against the packages that are installed: their versions, the words it cites from their sources,
// the tests it names, what they bring along and whether they can be imported here.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { measure } from "../sizes.mjs";
import { text } from "./fences.mjs";
import { removeProjects } from "./package/project.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = text("docs/compare.md");
const [header, , ...rows] = page.match(/^\|[\s\S]*?\n\n/m)[0].trim().split("\n").map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
const others = header.slice(2).map((title) => title.split(" "));
const manifest = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));

const PLACES = {
  "pkce-wasm": ["pkce-wasm/js"],
  oauth4webapi: ["node_modules/oauth4webapi/build/index.js"],
  "oidc-client-ts": ["node_modules/oidc-client-ts/dist/esm/oidc-client-ts.js"],
  "@auth0/auth0-spa-js": ["node_modules/@auth0/auth0-spa-js/src"],
  "@azure/msal-browser": ["node_modules/@azure/msal-browser/src", "node_modules/@azure/msal-common/src"],
};
const sources = new Map();
const tests = new Map();

function readAll(path) {
  if (/\.\w+$/.test(path)) return readFileSync(join(root, path), "utf8");
  const names = readdirSync(join(root, path), { recursive: true }).filter((name) => /\.(js|ts)$/.test(name));
  return names.map((name) => readFileSync(join(root, path, name), "utf8")).join("\n");
}

before(() => {
  for (const [name, places] of Object.entries(PLACES)) sources.set(name, places.map(readAll).join("\n"));
  for (const name of readdirSync(join(root, "pkce-wasm/tests"), { recursive: true }).filter((name) => name.endsWith(".test.mjs"))) {
    tests.set(name.split("/").at(-1), readFileSync(join(root, "pkce-wasm/tests", name), "utf8"));
  }
});

after(removeProjects);

/** The list below the table: `[row, [[package, words], …]]`. */
const evidence = [...page.matchAll(/^- \*\*(.+?)\*\*: (pkce-wasm: .*)$/gm)].map(([, row, rest]) => [
  row,
  rest.split(/; (?=(?:oauth4webapi|oidc-client-ts|@auth0\/auth0-spa-js|@azure\/msal-browser): )/).map((part) => {
    const [name] = part.split(": ", 1);
    return [name, part.slice(name.length + 2)];
  }),
]);

test("the versions in the table are those that are installed and pinned", () => {
  const pinned = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies;
  assert.equal(others.length, 4);
  for (const [name, version] of others) assert.deepEqual([manifest(name).version, pinned[name]], [version, version], name);
});

test("every row has a cell for each client and an entry in the list, and the list has no other", () => {
  for (const row of rows) assert.ok(row.length === header.length && row.every(Boolean), row[0]);
  const byManifest = [...page.matchAll(/^- \*\*(.*)\*\*: the test imports/gm)].flatMap(([, names]) => names.split("**, **"));
  assert.deepEqual([...evidence.map(([row]) => row), ...byManifest], rows.map(([name]) => name));
  for (const [row, parts] of evidence) assert.deepEqual(parts.map(([name]) => name), Object.keys(PLACES), row);
});

test("the words that the list cites are in the sources, and those after no are not", () => {
  const wrong = [];
  for (const [row, parts] of evidence) {
    for (const [name, words] of parts) {
      const source = sources.get(name);
      const found = [...words.matchAll(/(no )?`([^`]+)`/g)].filter(([, , word]) => !word.endsWith(".test.mjs"));
      for (const [, no, word] of found) if (source.includes(word) === Boolean(no)) wrong.push(`${row}: ${name}: ${no ?? ""}${word}`);
      const [, first, second] = words.match(/`([^`]+)` stands before `([^`]+)`/) ?? [];
      if (first && source.indexOf(first) > source.indexOf(second)) wrong.push(`${row}: ${name}: the order`);
      if (!found.length && !/^`[\w-]+\.test\.mjs` "/.test(words)) wrong.push(`${row}: ${name}: nothing is cited`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("the tests that the list names exist", () => {
  for (const [, file, name] of page.matchAll(/`([\w-]+\.test\.mjs)` "([^"]+)"/g)) {
    assert.ok(tests.get(file)?.includes(`test("${name}"`), `${file}: ${name}`);
  }
});

const cellsOf = (row) => rows.find(([name]) => name === row).slice(1);

test("what they bring along, whether unused code drops out, and that Node can import them", async () => {
  const [ours, ...theirs] = cellsOf("Packages it brings");
  const own = JSON.parse(text("package.json"));
  assert.deepEqual([ours, own.dependencies, own.sideEffects], ["none", undefined, false]);
  for (const [index, [name]] of others.entries()) {
    const { dependencies = {}, sideEffects } = manifest(name);
    assert.equal(theirs[index], String(Object.keys(dependencies).length || "none"), name);
    assert.equal(cellsOf("Unused code drops out")[index + 1], sideEffects === false ? "yes" : "no", name);
    assert.equal(cellsOf("Import in Node")[index + 1], "yes", name);
    assert.ok(Object.keys(await import(name)).length > 0, name);
  }
});

test("the sizes are those of this build and of the installed packages, to a fifth of a kilobyte", async () => {
  const sizes = (await measure()).map(({ name, gzip }) => [name, gzip / 1000]);
  const size = (start) => sizes.findLast(([name]) => name.startsWith(start))[1];
  const told = cellsOf("Size, KB gzip").flatMap((cell) => cell.match(/[\d.]+/g).map(Number));
  const measured = ["pkce-wasm: whole", "pkce-wasm: the same and discover", ...others.map(([name]) => name)].map(size);
  assert.equal(told.length, measured.length);
  for (const [index, kilobytes] of measured.entries()) assert.ok(Math.abs(told[index] - kilobytes) < 0.2, `${told[index]}: ${kilobytes}`);
});
