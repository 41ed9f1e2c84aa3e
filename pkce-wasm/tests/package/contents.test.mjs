// What is in the tarball, and that code, types and README say the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import vm from "node:vm";
import { build } from "esbuild";
import { DIST, ROOT, filesIn, pack, project, removeProjects } from "./project.mjs";

const FILES = [
  "LICENSE",
  "README.md",
  "index.d.ts",
  "index.js",
  "js.js",
  "package.json",
  "pkce.wasm",
  "slim.d.ts",
  "slim.js",
];
const pages = await filesIn(join(ROOT, "pkce-wasm/docs")).catch(() => []);
const PUBLISHED = [...FILES, ...pages.map((name) => `docs/${name}`)].sort();
const read = (name) => readFileSync(join(DIST, name), "utf8");
const source = (name) => readFileSync(join(ROOT, "pkce-wasm", name), "utf8");

let installed;
before(async () => {
  installed = join(await project("contents"), "node_modules/pkce-wasm");
});
after(removeProjects);

test("the tarball holds these files, the pages of docs and no other, as they were built", async () => {
  assert.deepEqual((await pack()).files, PUBLISHED);
  assert.deepEqual((await filesIn(installed)).sort(), PUBLISHED);
  for (const name of PUBLISHED) assert.deepEqual(readFileSync(join(installed, name)), readFileSync(join(DIST, name)), name);
});

test("package.json: entries that exist, no side effects, no dependencies, no scripts", () => {
  const { exports, ...rest } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  assert.deepEqual(exports, {
    ".": { types: "./index.d.ts", default: "./index.js" },
    "./slim": { types: "./slim.d.ts", default: "./slim.js" },
    "./js": { types: "./index.d.ts", default: "./js.js" },
    "./pkce.wasm": "./pkce.wasm",
    "./package.json": "./package.json",
  });
  assert.equal(rest.type, "module");
  assert.equal(rest.sideEffects, false);
  assert.equal(rest.license, "Apache-2.0");
  for (const field of ["dependencies", "peerDependencies", "optionalDependencies", "bundledDependencies", "scripts", "bin"]) {
    assert.equal(rest[field], undefined, field);
  }
});

test("nothing in the package names a path of its builder or a source file", async () => {
  for (const name of PUBLISHED) {
    const text = read(name);
    assert.doesNotMatch(text, /\/(root|home|Users|build|work|tmp)\/|[A-Z]:\\\\?Users|\.cargo\b|\.build\b|sourceMappingURL/, name);
    if (!name.endsWith(".md")) assert.doesNotMatch(text, /node_modules/, name);
    for (const path of [homedir(), ROOT]) assert.ok(!text.includes(path), `${path} in ${name}`);
  }
  assert.doesNotMatch(read("pkce.wasm"), /\.rs\b|rustc|wasm-bindgen \d/, "names in the module");
});

test("an entry is one file: it imports nothing", async () => {
  for (const name of FILES.filter((file) => file.endsWith(".js"))) {
    const { metafile } = await build({ entryPoints: [join(DIST, name)], bundle: true, write: false, metafile: true, format: "esm" });
    assert.deepEqual(Object.keys(metafile.inputs).length, 1, name);
    assert.doesNotMatch(read(name), /\beval\(|new Function|\bimport\(/, name);
  }
});

test("without WebAssembly the default entry says so, and ./js works", async () => {
  const pair = async (entry) => {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { generatePkce } from "./${entry}";
          try { result = generatePkce().codeChallengeMethod; } catch (error) { result = error.code; }`,
        resolveDir: DIST,
      },
      bundle: true,
      write: false,
      format: "iife",
    });
    const bare = vm.createContext({ result: undefined, URLSearchParams, TextDecoder, TextEncoder, atob, btoa, crypto });
    vm.runInContext("delete globalThis.WebAssembly", bare);
    vm.runInContext(outputFiles[0].text, bare);
    return bare.result;
  };
  assert.equal(await pair("index.js"), "unsupported");
  assert.equal(await pair("js.js"), "S256");
});

test("every code is known to the core, the driver, the types and the README alike", () => {
  const driver = [...source("js/errors.js").matchAll(/^ {2}(\w+): \[/gm)].map(([, code]) => code).sort();
  const types = [...read("index.d.ts").matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code).sort();
  const core = [...source("src/error.rs").matchAll(/Self::\w+ => "(\w+)"/g)].map(([, code]) => code);
  assert.deepEqual(types, driver);
  for (const code of core) assert.ok(driver.includes(code), code);
  for (const code of driver) assert.match(read("README.md"), new RegExp(`\`${code}\``), code);
});

test("every export of every entry is described in the README", async () => {
  for (const name of FILES.filter((file) => file.endsWith(".js"))) {
    for (const key of Object.keys(await import(join(DIST, name)))) {
      assert.match(read("README.md"), new RegExp(`\\b${key}\\b`), `${key} of ${name}`);
    }
  }
});

test("a PkceError is an Error with a name, a code and a hint, and the same in each entry", async () => {
  for (const name of FILES.filter((file) => file.endsWith(".js"))) {
    const { PkceError } = await import(join(DIST, name));
    const error = new PkceError("network", { cause: new TypeError("x") });
    assert.ok(error instanceof Error);
    assert.equal(`${error}`, "PkceError: No answer, or one that CORS hides");
    assert.deepEqual([error.code, error.retry, error.cause.message], ["network", "later", "x"]);
  }
});
