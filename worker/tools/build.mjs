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
import { setup } from "./setup.mjs";

const KB = 1024;
const WORKER_BUDGET = 500 * KB;
const PKCE_BUDGET = 14 * KB;

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

/** Builds one variant and returns its folder: `worker/index.js`, `worker/index_bg.wasm` and `assets/`. */
export async function build(variant, tools, { quiet = false } = {}) {
  const { buildPkce } = await import("../../pkce-wasm/build.mjs");
  await buildPkce({ wasmBindgen: tools.wasmBindgen, wasmOpt: bin("wasm-opt"), env: remapped() });
  await buildWorker(variant, tools);
  assemble(variant);
  checkSizes(variant, quiet);
  return variantDir(variant);
}

async function buildWorker(variant, tools) {
  const out = join(variantDir(variant), "worker");
  const stamp = join(variantDir(variant), "worker.hash");
  const hash = hashOf(WORKER_INPUTS, ask("rustc", ["--version"]), tools.workerBuild, process.env.RUSTFLAGS ?? "");
  if (isFresh(stamp, hash, join(out, "index.js"), join(out, "index_bg.wasm"))) return;
  rmSync(stamp, { force: true });

  const development = variant === "development";
  const args = ["--out-dir", `../.build/${variant}/worker`];
  args.unshift(development ? "--dev" : "--release");
  if (development) args.push("--features", "development");
  await step(`Building the Worker (${variant})`, tools.workerBuild, args, {
    cwd: inRoot("worker"),
    tail: 80,
    env: {
      ...remapped(),
      WASM_BINDGEN_BIN: tools.wasmBindgen,
      WASM_OPT_BIN: bin("wasm-opt"),
      ESBUILD_BIN: bin("esbuild"),
      // The development variant keeps overflow checks and assertions, but hashing passwords needs some optimisation.
      ...(development && { CARGO_PROFILE_DEV_OPT_LEVEL: "1", CARGO_PROFILE_DEV_DEBUG: "0", NO_MINIFY: "1" }),
    },
  });
  writeFileSync(stamp, hash);
}

/** Flags that keep the paths of this machine out of the module (panic messages carry file names). */
function remapped() {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const flags = [`--remap-path-prefix=${root}=.`, `--remap-path-prefix=${cargoHome}=cargo`];
  const existing = process.env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS ?? process.env.RUSTFLAGS ?? "";
  return { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: [existing, ...flags].join(" ").trim() };
}

/** `assets/` of a variant: the static files and, for development only, the demo page with the browser module. */
function assemble(variant) {
  const assets = join(variantDir(variant), "assets");
  rmSync(assets, { recursive: true, force: true });
  mkdirSync(assets, { recursive: true });
  for (const name of readdirSync(inRoot("www"))) {
    if (name === "demo" && variant === "release") continue;
    cpSync(inRoot("www", name), join(assets, name), { recursive: true });
  }
  if (variant === "development") cpSync(inRoot("pkce-wasm/dist"), join(assets, "pkce-wasm"), { recursive: true });
}

function checkSizes(variant, quiet) {
  const worker = ["index.js", "index_bg.wasm"].map((name) => join(variantDir(variant), "worker", name));
  const dist = inRoot("pkce-wasm/dist");
  const shipped = readdirSync(dist).filter((name) => /\.(m?js|wasm)$/.test(name)).map((name) => join(dist, name));
  const budgets = [["pkce-wasm", shipped, PKCE_BUDGET]];
  // The development variant is not optimised; its size says nothing.
  if (variant === "release") budgets.unshift(["Worker module", worker, WORKER_BUDGET]);
  for (const [name, files, budget] of budgets) {
    const raw = files.reduce((sum, file) => sum + statSync(file).size, 0);
    const packed = files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
    const kb = (bytes) => (bytes / KB).toFixed(1);
    if (!quiet) say(`${name}: ${kb(raw)} KB, ${kb(packed)} KB gzip (budget ${kb(budget)} KB gzip)`);
    if (packed > budget) throw new ToolError(`${name} is over its budget: ${kb(packed)} KB gzip, allowed are ${kb(budget)}.`);
  }
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
