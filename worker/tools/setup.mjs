#!/usr/bin/env node
// Makes a fresh clone ready: npm packages, wasm target, worker-build, the wasm-bindgen CLI of the locked version and,
// for the tests, a browser. Uses Node's own modules only, because it runs before anything is installed.
// What is there already is skipped, so a second run costs a fraction of a second.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { browserTools } from "./lib/browser.mjs";
import { cacheDir, inRoot, lockedVersion } from "./lib/paths.mjs";
import { ask, isMain, main, needNode22, say, step, ToolError } from "./lib/process.mjs";

const WASM_TARGET = "wasm32-unknown-unknown";
/** In the modules is some of its text, so the bill of materials names it. */
export const WORKER_BUILD = "0.8.7";

/**
 * The compiler that releases are built with. Any from `rust-version` in Cargo.toml on works; the same bytes come from the
 * same compiler only, see reproduce.mjs.
 */
export const RELEASE_RUST = "1.95.0";

/** These tools run for a second per build: what counts is how long they take to compile. */
const CHEAP_PROFILE = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "256",
  CARGO_PROFILE_RELEASE_DEBUG: "0",
};

/** Prepares everything; returns the paths of the tools. `browser: true` also finds a browser for the tests. */
export async function setup({ browser = false } = {}) {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new ToolError(`This is Node ${process.versions.node}; Node 20 or newer is needed: https://nodejs.org`);
  }
  await npmPackages();
  await needNode22();
  rust();
  await wasmTarget();
  const tools = await cargoTools();
  if (browser) Object.assign(tools, await browserTools());
  return tools;
}

/** `npm ci` unless every package of the lock file is there in the locked version. */
async function npmPackages() {
  const read = (path) => JSON.parse(readFileSync(inRoot(path), "utf8")).packages;
  const wanted = read("package-lock.json");
  let present = {};
  try {
    present = read("node_modules/.package-lock.json");
  } catch {
    // no node_modules, or one of an npm too old to write this file
  }
  const missing = Object.entries(wanted).filter(
    ([path, entry]) => path !== "" && !entry.optional && !entry.devOptional && present[path]?.version !== entry.version,
  );
  if (missing.length === 0) return;
  await step("Installing npm packages", "npm", ["ci", "--no-audit", "--no-fund"], {
    hint: "npm must reach its registry (npm config get registry).",
  });
}

function rust() {
  if (ask("cargo", ["--version"]) === null) {
    throw new ToolError("Rust is missing (no `cargo` on PATH). Install it: https://rustup.rs");
  }
}

async function wasmTarget() {
  const libdir = ask("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]);
  if (libdir !== null && existsSync(libdir)) return;
  if (ask("rustup", ["--version"]) === null) {
    throw new ToolError(
      `This Rust has no ${WASM_TARGET} target and there is no rustup to add it.\n` +
        "Install Rust with rustup (https://rustup.rs), or the package of your system that holds this target.",
    );
  }
  await step(`Adding the ${WASM_TARGET} target`, "rustup", ["target", "add", WASM_TARGET], {
    hint: "rustup must reach static.rust-lang.org or the mirror in RUSTUP_DIST_SERVER.",
  });
}

async function cargoTools() {
  const bindgen = lockedVersion("wasm-bindgen");
  if (bindgen === null) throw new ToolError("There is no Cargo.lock, or it names no wasm-bindgen: restore it with git.");
  const wanted = [
    { crate: "wasm-bindgen-cli", version: bindgen, binary: "wasm-bindgen", also: "wasm-bindgen-test-runner" },
    { crate: "worker-build", version: WORKER_BUILD, binary: "worker-build" },
  ];
  const missing = wanted.filter((tool) => !(tool.path = findTool(tool)));
  if (missing.length > 0) await installTools(missing);
  const [wasmBindgen, workerBuild] = wanted;
  return {
    wasmBindgen: wasmBindgen.path,
    wasmBindgenTestRunner: join(wasmBindgen.path, "..", "wasm-bindgen-test-runner"),
    workerBuild: workerBuild.path,
  };
}

const toolRoot = (tool) => join(cacheDir(), `${tool.binary}-${tool.version}`);

/** The tool in our cache, else one of exactly that version on PATH, else undefined. */
function findTool(tool) {
  const names = [tool.binary, tool.also].filter(Boolean);
  const cached = join(toolRoot(tool), "bin");
  if (names.every((name) => existsSync(join(cached, name)))) return join(cached, tool.binary);
  for (const folder of (process.env.PATH ?? "").split(":")) {
    if (!folder || !names.every((name) => existsSync(join(folder, name)))) continue;
    const version = ask(join(folder, tool.binary), ["--version"]);
    if (version?.split(/\s+/).includes(tool.version)) return join(folder, tool.binary);
  }
  return undefined;
}

/** The path of a tool of crates.io, which is installed when it is not there. */
export async function cargoTool(tool) {
  const found = { ...tool, path: findTool(tool) };
  if (!found.path) await installTools([found]);
  return found.path;
}

async function installTools(missing) {
  mkdirSync(cacheDir(), { recursive: true });
  const target = join(cacheDir(), "build");
  say(`Building ${missing.map((tool) => tool.crate).join(" and ")} once for this user (two to four minutes on two cores).`);
  for (const tool of missing) {
    // Without --locked: the lock file inside the crate may name versions a registry mirror no longer has.
    await step(
      `Installing ${tool.crate} ${tool.version}`,
      "cargo",
      ["install", `${tool.crate}@${tool.version}`, "--root", toolRoot(tool), "--force", "--target-dir", target],
      {
        // Outside the repository, so that its toolchain file and build settings play no part.
        cwd: cacheDir(),
        env: CHEAP_PROFILE,
        hint: "cargo must reach crates.io or the mirror in ~/.cargo/config.toml, and needs a C linker (on Debian: apt-get install gcc).",
      },
    );
    tool.path = findTool(tool);
    if (!tool.path) throw new ToolError(`${tool.crate} was installed, but ${toolRoot(tool)} does not hold it.`);
  }
  rmSync(target, { recursive: true, force: true });
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const started = Date.now();
    const tools = await setup({ browser: process.argv.includes("--browser") });
    for (const [name, path] of Object.entries(tools)) if (path) say(`${name.padEnd(22)} ${path}`);
    say(`Ready after ${((Date.now() - started) / 1000).toFixed(1)} s.`);
  });
}
