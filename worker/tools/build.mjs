#!/usr/bin/env node
// Builds the browser module, the Worker and the folder of static assets.
//
//   node worker/tools/build.mjs              development variant: seeds, /__dev routes, demo page
//   node worker/tools/build.mjs --release    what is deployed: none of these
//
// Each variant has a folder of its own below .build; what wrangler reads (worker/build and .build/assets) is a copy of
// the variant that was asked for, so that a deployment can never pick up a stale development build.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { hashOf, isFresh } from "./lib/inputs.mjs";
import { bin, inRoot, root, variantDir } from "./lib/paths.mjs";
import { ask, isMain, main, say, step, ToolError } from "./lib/process.mjs";
import { document } from "./openapi.mjs";
import { setup } from "./setup.mjs";

const KB = 1024;
const WORKER_BUDGET = 500 * KB;

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
  "worker/build.rs",
  "worker/src",
  "worker/core",
  "worker/presets",
  "worker/migrations",
  "worker/templates",
  "worker/tools/build.mjs",
];

/**
 * Builds one variant and returns its folder: `worker/index.js`, `worker/index_bg.wasm`, `migrations/` and `assets/`. Every
 * variant but "release" has the development feature. With EDGEGRANT_PRESETS in the environment, the presets are those of
 * that folder.
 */
export async function build(variant, tools, { quiet = false } = {}) {
  mkdirSync(variantDir(variant), { recursive: true });
  await buildBrowserModule(tools, quiet);
  await buildWorker(variant, tools);
  assemble(variant);
  if (variant === "release") checkSize(quiet);
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
  if (isFresh(stamp, hash, join(out, "index.js"), join(out, "index_bg.wasm"))) return;
  rmSync(stamp, { force: true });

  const development = variant !== "release";
  const args = ["--out-dir", `../.build/${variant}/worker`];
  args.unshift(development ? "--dev" : "--release");
  if (development) args.push("--features", "development");
  await step(`Building the Worker (${variant})`, tools.workerBuild, args, {
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
  if (!development) await strip(join(out, "index_bg.wasm"));
  // The schema that belongs to this module: the tests start it with these, whatever is being edited.
  rmSync(join(variantDir(variant), "migrations"), { recursive: true, force: true });
  cpSync(inRoot("worker/migrations"), join(variantDir(variant), "migrations"), { recursive: true });
  writeFileSync(stamp, hash);
}

/**
 * Takes the names of functions out of a release module: nothing runs them, and they are a tenth of what is uploaded. In
 * the order of their names, functions that the compiler made of one source stand together, which packs better.
 */
async function strip(module) {
  const args = ["--all-features", "--reorder-functions-by-name", "--strip-debug", "--strip-producers", module, "-o", module];
  await step("Taking names out of the module", bin("wasm-opt"), args);
}

/** Flags that keep the paths of this machine out of the module (panic messages carry file names). */
function remapped() {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const flags = [`--remap-path-prefix=${root}=.`, `--remap-path-prefix=${cargoHome}=cargo`];
  const existing = process.env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS ?? process.env.RUSTFLAGS ?? "";
  return { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: [existing, ...flags].join(" ").trim() };
}

/** `assets/` of a variant: the static files, the description of the management API and, for development only, the demo page with the browser module. */
function assemble(variant) {
  const assets = join(variantDir(variant), "assets");
  rmSync(assets, { recursive: true, force: true });
  mkdirSync(assets, { recursive: true });
  for (const name of readdirSync(inRoot("www"))) {
    if (name === "demo" && variant === "release") continue;
    cpSync(inRoot("www", name), join(assets, name), { recursive: true });
  }
  writeFileSync(join(assets, "openapi.json"), JSON.stringify(document()));
  if (variant !== "release") cpSync(inRoot("pkce-wasm/dist"), join(assets, "pkce-wasm"), { recursive: true });
  else withoutDevelopment(join(assets, "index.html"));
}

/** Takes out what leads to the demo: `<!-- development -->` to `<!-- /development -->`. */
function withoutDevelopment(page) {
  writeFileSync(page, readFileSync(page, "utf8").replace(/<!-- development -->.*?<!-- \/development -->\n?/gs, ""));
}

const size = (name, raw, packed, budget) => {
  const kb = (bytes) => (bytes / KB).toFixed(1);
  return `${name}: ${kb(raw)} KB, ${kb(packed)} KB gzip (budget ${kb(budget)} KB gzip)`;
};

/** The Worker module against its budget. The development variant is not optimised; its size says nothing. */
function checkSize(quiet) {
  const files = ["index.js", "index_bg.wasm"].map((name) => join(variantDir("release"), "worker", name));
  const raw = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const packed = files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
  const text = size("Worker module", raw, packed, WORKER_BUDGET);
  if (packed > WORKER_BUDGET) throw new ToolError(`Over its budget: ${text}`);
  if (!quiet) say(text);
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
  });
}
