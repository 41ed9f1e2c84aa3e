import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { build } from "esbuild";
import { PkceError, generatePkce } from "../dist/index.js";
import * as api from "../dist/index.js";

const dist = new URL("../dist/", import.meta.url);
const read = (name, base = dist) => readFileSync(new URL(name, base), "utf8");

async function bundle(contents, options = {}) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: new URL("../tests/", import.meta.url).pathname },
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    ...options,
  });
  return outputFiles[0].text;
}

test("importing touches nothing: it runs where there is no global at all", async () => {
  const code = await bundle(`import * as api from '../dist/index.js'; result = Object.keys(api);`);
  const bare = vm.createContext({ result: undefined, TextDecoder: undefined, WebAssembly: undefined });
  vm.runInContext("delete globalThis.WebAssembly; delete globalThis.console", bare);
  vm.runInContext(code, bare);
  assert.ok(bare.result.includes("startLogin"));
});

test("an app that uses nothing pays nothing", async () => {
  const code = await bundle(`import { startLogin } from 'pkce-wasm'; console.log(1);`, {
    format: "esm",
    alias: { "pkce-wasm": new URL("index.js", dist).pathname },
  });
  assert.ok(code.length < 100, `${code.length} bytes left`);
});

test("without WebAssembly the error says so", async () => {
  const code = await bundle(`
    import { generatePkce } from '../dist/index.js';
    try { generatePkce(); } catch (error) { result = error.code; }`);
  const bare = vm.createContext({ result: undefined, URLSearchParams, TextDecoder, TextEncoder, atob, crypto });
  vm.runInContext("delete globalThis.WebAssembly", bare);
  vm.runInContext(code, bare);
  assert.equal(bare.result, "unsupported");
});

test("the package holds what it exports and nothing of the builder", () => {
  const { exports, files, sideEffects, dependencies } = JSON.parse(read("package.json"));
  assert.equal(sideEffects, false);
  assert.equal(dependencies, undefined);
  for (const entry of Object.values(exports).flatMap((value) =>
    typeof value === "string" ? value : Object.values(value),
  )) {
    assert.ok(read(entry).length > 0, entry);
  }
  assert.ok(files.includes("*.js"));
  const published = readdirSync(dist, { recursive: true }).filter((name) => statSync(new URL(name, dist)).isFile());
  for (const name of published) assert.doesNotMatch(read(name), /\/(root|home|Users)\//, name);
  assert.doesNotMatch(read("pkce.wasm"), /\.rs\b/, "source paths in the module");
});

test("every code is known to the core, the driver, the types and the README alike", () => {
  const driver = [...read("../js/errors.js").matchAll(/^ {2}(\w+): \[/gm)].map(([, code]) => code).sort();
  const types = [...read("index.d.ts").matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code).sort();
  const core = [...read("../src/error.rs").matchAll(/Self::\w+ => "(\w+)"/g)].map(([, code]) => code);
  assert.deepEqual(types, driver);
  for (const code of core) assert.ok(driver.includes(code), code);
  for (const code of driver) assert.match(read("README.md"), new RegExp(`\`${code}\``), code);
});

test("every export is typed and described", () => {
  for (const name of Object.keys(api)) {
    assert.match(read("index.d.ts"), new RegExp(`export (function|class) ${name}\\b`), name);
    assert.match(read("README.md"), new RegExp(`\\b${name}\\b`), name);
  }
});

test("a PkceError is an Error with a name, a code and a hint", () => {
  const error = new PkceError("network", { cause: new TypeError("x") });
  assert.ok(error instanceof Error);
  assert.equal(`${error}`, "PkceError: No answer, or one that CORS hides");
  assert.deepEqual([error.code, error.retry, error.cause.message], ["network", "later", "x"]);
  assert.equal(typeof generatePkce, "function");
});
