#!/usr/bin/env node
// Builds the browser module, the Worker and the folder of static assets.
//
//   node worker/tools/build.mjs              development variant: seeds, /__dev routes, demo page, React app
//   node worker/tools/build.mjs --release    what is deployed: none of these
//
// Each variant has a folder of its own below .build; what wrangler reads (worker/build and .build/assets) is a copy of
// the variant that was asked for, so that a deployment can never pick up a stale development build.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { hashOf, isFresh } from "./lib/inputs.mjs";
import { bin, inRoot, root, variantDir } from "./lib/paths.mjs";
import { ask, isMain, main, say, step, ToolError } from "./lib/process.mjs";
import { buildReact } from "./lib/react.mjs";
import { document } from "./openapi.mjs";
import { SBOM, writeSbom } from "./sbom.mjs";
import { setup } from "./setup.mjs";

const KB = 1024;
/** Of each module that is deployed: its code and what joins it to JavaScript. */
const MODULE_BUDGET = 500 * KB;
/** The modules of a deployment, each a feature of the crate. What is asked for often starts without what is not. */
const MODULES = ["protocol", "portal"];

/** Everything of the browser module but its output and its tests. */
const pkceInputs = () =>
  readdirSync(inRoot("pkce-wasm"))
    .filter((name) => !["dist", "tests", "test.mjs", "node_modules"].includes(name))
    .map((name) => `pkce-wasm/${name}`)
    .concat("Cargo.toml", "Cargo.lock", "rust-toolchain.toml");

const WORKER_INPUTS = [
  "Cargo.toml",
  "Cargo.lock",
  "rust-toolchain.toml",
  "worker/Cargo.toml",
  "worker/access.mjs",
  "worker/build.rs",
  "worker/entry.mjs",
  "worker/src",
  "worker/core",
  "worker/presets",
  "worker/migrations",
  "worker/templates",
  "worker/tools/build.mjs",
];

/**
 * Builds one variant and returns its folder: `worker/`, `migrations/` and `assets/`. Every variant but "release" is one
 * module, `worker/module.js` and `worker/index_bg.wasm`, with the development feature and an entry, `worker/index.js`; "release" has its entry there and a
 * folder for each of its modules. With EDGEGRANT_PRESETS in the environment, the presets are those of that folder.
 */
export async function build(variant, tools, { quiet = false } = {}) {
  mkdirSync(variantDir(variant), { recursive: true });
  await buildBrowserModule(tools, quiet);
  await buildWorker(variant, tools);
  assemble(variant, variant !== "release" && (await buildReact()));
  if (variant === "release") {
    checkSize(quiet);
    writeSbom(MODULES);
  }
  return variantDir(variant);
}

async function buildBrowserModule(tools, quiet) {
  const stamp = inRoot(".build/pkce-wasm.json");
  const hash = hashOf(pkceInputs(), ask("rustc", ["--version"]));
  const dist = inRoot("pkce-wasm/dist");
  let last = existsSync(stamp) ? JSON.parse(readFileSync(stamp, "utf8")) : {};
  if (last.hash !== hash || !existsSync(join(dist, "index.js"))) {
    process.env.WASM_BINDGEN_BIN = tools.wasmBindgen;
    const { buildPkce, BUDGET_GZIP } = await import("../../pkce-wasm/build.mjs");
    const { sizes } = await buildPkce().catch((error) => {
      throw new ToolError(error.stderr || error.message); // the compiler's words, or that it is over its budget
    });
    last = { hash, ...sizes.bundle, budget: BUDGET_GZIP };
    writeFileSync(stamp, JSON.stringify(last));
  }
  if (!quiet) say(size("pkce-wasm", last.raw, last.gzip, last.budget));
}

async function buildWorker(variant, tools) {
  const out = join(variantDir(variant), "worker");
  const stamp = join(variantDir(variant), "worker.hash");
  const { RUSTFLAGS = "", EDGEGRANT_PRESETS = "" } = process.env;
  const hash = hashOf(WORKER_INPUTS, ask("rustc", ["--version"]), tools.workerBuild, RUSTFLAGS, EDGEGRANT_PRESETS);
  const released = variant === "release";
  const folders = released ? MODULES.map((name) => join(out, name)) : [out];
  if (isFresh(stamp, hash, join(out, "index.js"), ...folders.map((folder) => join(folder, "index_bg.wasm")))) return;
  rmSync(stamp, { force: true });
  rmSync(out, { recursive: true, force: true });
  if (released) {
    for (const name of MODULES) {
      await compile(`release, ${name}`, tools, false, ["--out-dir", `../.build/release/worker/${name}`, "--no-default-features", "--features", name, "--locked"]);
      await finish(join(out, name));
    }
    writeFileSync(join(out, "index.js"), entry());
  } else {
    await compile(variant, tools, true, ["--out-dir", `../.build/${variant}/worker`, "--features", "development", "--locked"]);
    renameSync(join(out, "index.js"), join(out, "module.js"));
    writeFileSync(join(out, "index.js"), DEVELOPMENT_ENTRY);
  }
  cpSync(inRoot("worker/access.mjs"), join(out, "access.js"));
  // The schema that belongs to this module: the tests start it with these, whatever is being edited.
  rmSync(join(variantDir(variant), "migrations"), { recursive: true, force: true });
  cpSync(inRoot("worker/migrations"), join(variantDir(variant), "migrations"), { recursive: true });
  writeFileSync(stamp, hash);
}

async function compile(name, tools, development, args) {
  await step(`Building the Worker (${name})`, tools.workerBuild, [development ? "--dev" : "--release", ...args], {
    cwd: inRoot("worker"),
    env: {
      ...remapped(),
      WASM_BINDGEN_BIN: tools.wasmBindgen,
      WASM_OPT_BIN: bin("wasm-opt"),
      ESBUILD_BIN: bin("esbuild"),
      // The development variant keeps overflow checks and assertions, but hashing passwords needs some optimisation.
      ...(development && { CARGO_PROFILE_DEV_OPT_LEVEL: "1", CARGO_PROFILE_DEV_DEBUG: "0", NO_MINIFY: "1" }),
    },
  });
}

/** A module of a deployment: only what is used of what worker-build made, without names. */
async function finish(folder) {
  for (const name of ["worker", ".gitignore", "package.json"]) rmSync(join(folder, name), { recursive: true, force: true });
  // A module starts anew after a panic by a state that it holds itself. It leaves it in this global too; if one day it
  // read it back, one module would start anew for the other's panic, and go on after its own.
  const found = readFileSync(join(folder, "index.js"), "utf8").match(/__worker_init_state\b(?!\()/g) ?? [];
  if (found.length !== 1) throw new ToolError(`${folder}: __worker_init_state is used ${found.length} times; two modules would share it.`);
  await strip(join(folder, "index_bg.wasm"));
}

/** The entry in front of the one module of development: the entrypoint of service bindings beside it. */
const DEVELOPMENT_ENTRY = `import { access } from "./access.js";
import Worker from "./module.js";
export * from "./module.js";
export default Worker;
export const Access = access(Worker);
`;

/** The entry in front of the modules, with the list of the portal's addresses in it. */
function entry() {
  const text = readFileSync(inRoot("worker/entry.mjs"), "utf8");
  const list = readFileSync(inRoot("worker/src/routes/portal.txt"), "utf8").trim().split("\n");
  const empty = "const PORTAL = [];";
  if (!text.includes(empty)) throw new ToolError(`worker/entry.mjs has no line ${empty}`);
  return text.replace(empty, `const PORTAL = ${JSON.stringify(list)};`);
}

/**
 * Takes the names of functions out of a release module: nothing runs them, and they are a tenth of what is uploaded. In
 * the order of their names, functions that the compiler made of one source stand together, which packs better.
 */
async function strip(module) {
  const args = ["--all-features", "--reorder-functions-by-name", "--strip-debug", "--strip-producers", module, "-o", module];
  await step("Taking names out of the module", bin("wasm-opt"), args);
}

/**
 * Flags that keep the paths of this machine out of the module (panic messages carry file names), so that the same sources give
 * the same bytes wherever they are. The last that fits counts.
 */
function remapped() {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const [, commit] = ask("rustc", ["-vV"])?.match(/^commit-hash: (\w+)$/m) ?? [];
  const places = [[root, "."], [cargoHome, "cargo"]];
  // Where Rust's own sources are installed, the compiler names them there; else as below.
  if (commit) places.push([join(ask("rustc", ["--print", "sysroot"]), "lib/rustlib/src/rust"), `/rustc/${commit}`]);
  if (process.env.CARGO_TARGET_DIR) places.push([resolve(process.env.CARGO_TARGET_DIR), "./target"]);
  const flags = places.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  const existing = process.env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS ?? process.env.RUSTFLAGS ?? "";
  return { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: [existing, ...flags].join(" ").trim() };
}

/** `assets/` of a variant: the static files, the description of the management API and, for development only, the demo page with the browser module and the built React app. */
function assemble(variant, react) {
  const assets = join(variantDir(variant), "assets");
  rmSync(assets, { recursive: true, force: true });
  mkdirSync(assets, { recursive: true });
  for (const name of readdirSync(inRoot("www"))) {
    if (name === "react" || (name === "demo" && variant === "release")) continue;
    cpSync(inRoot("www", name), join(assets, name), { recursive: true });
  }
  writeFileSync(join(assets, "openapi.json"), JSON.stringify(document()));
  if (variant !== "release") {
    cpSync(inRoot("pkce-wasm/dist"), join(assets, "pkce-wasm"), { recursive: true });
    cpSync(react, join(assets, "react"), { recursive: true });
  } else {
    withoutDevelopment(join(assets, "index.html"));
    onlyHttps(join(assets, "_headers"));
  }
}

/** A deployment is on https: its static files say so too, as the Worker does on what it answers (RFC 6797). */
function onlyHttps(headers) {
  const text = readFileSync(headers, "utf8");
  const all = "/*\n";
  if (!text.includes(`\n${all}`)) throw new ToolError(`www/_headers has no rule ${all.trim()} for all files.`);
  writeFileSync(headers, text.replace(`\n${all}`, `\n${all}  Strict-Transport-Security: max-age=31536000\n`));
}

/** Takes out what leads to the demo: `<!-- development -->` to `<!-- /development -->`. */
function withoutDevelopment(page) {
  writeFileSync(page, readFileSync(page, "utf8").replace(/<!-- development -->.*?<!-- \/development -->\n?/gs, ""));
}

const size = (name, raw, packed, budget) => {
  const kb = (bytes) => (bytes / KB).toFixed(1);
  return `${name}: ${kb(raw)} KB, ${kb(packed)} KB gzip (budget ${kb(budget)} KB gzip)`;
};

/** The modules of a deployment against their budget. The development variant is not optimised; its size says nothing. */
function checkSize(quiet) {
  const over = [];
  for (const module of MODULES) {
    const files = ["index.js", "index_bg.wasm"].map((name) => join(variantDir("release"), "worker", module, name));
    const raw = files.reduce((sum, file) => sum + statSync(file).size, 0);
    const packed = files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
    const text = size(`Worker module ${module}`, raw, packed, MODULE_BUDGET);
    if (packed > MODULE_BUDGET) over.push(text);
    else if (!quiet) say(text);
  }
  if (over.length > 0) throw new ToolError(`Over the budget: ${over.join("; ")}`);
}

/** Copies a variant to where wrangler.toml points. */
export function publish(variant) {
  const copies = [
    ["worker", inRoot("worker/build")],
    ["assets", inRoot(".build/assets")],
  ];
  for (const [part, target] of copies) {
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    cpSync(join(variantDir(variant), part), target, { recursive: true });
  }
}

/** Wrangler says which of its commands wants the build: everything but `wrangler dev` gets the release variant. */
function wantedVariant() {
  if (process.argv.includes("--release")) return "release";
  if (!process.argv.includes("--for-wrangler")) return "development";
  return process.env.WRANGLER_COMMAND === "dev" ? "development" : "release";
}

if (isMain(import.meta.url)) {
  await main(async () => {
    if (!existsSync(inRoot("Cargo.lock"))) throw new ToolError("Cargo.lock is missing; restore it with git.");
    const variant = wantedVariant();
    await build(variant, await setup());
    publish(variant);
    if (variant === "release") say(`Bill of materials: ${relative(root, join(variantDir("release"), SBOM))}`);
  });
}
