#!/usr/bin/env node
// `npm test`: everything that must hold. `npm test -- --only http,core` runs some groups; `--only http:races` some files.
//   lint      rustfmt and clippy, natively for the core and for wasm32
//   core      native unit tests
//   pkce      the browser module in Node and in headless Chromium
//   build     both variants, sizes against their budgets
//   http      black-box tests against the Worker on workerd, and in a real browser
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { inRoot } from "./lib/paths.mjs";
import { main, needNode22, say, show, ToolError } from "./lib/process.mjs";
import { setup } from "./setup.mjs";

const WASM = ["--target", "wasm32-unknown-unknown"];
const CONCURRENCY = 2;

const total = { passed: 0, failed: 0 };
const failures = [];

/** One check that is a command: passed when its exit code is 0. `count` reads further results from its output. */
async function check(title, command, args, options = {}) {
  const started = Date.now();
  say(`\n== ${title}`);
  let output = "";
  const code = await show(command, args, {
    env: options.env,
    stdio: ["ignore", "pipe", "inherit"],
    onStart: (child) =>
      child.stdout.on("data", (chunk) => {
        output += chunk;
        process.stdout.write(chunk);
      }),
  });
  record(title, started, options.count?.(output, code) ?? { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 });
}

function record(title, started, { passed, failed }) {
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) failures.push(title);
  say(`-- ${title}: ${passed} passed, ${failed} failed, ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** Sums the result lines of `cargo test`. A run that died without one counts as a failure. */
function cargoCount(output, code) {
  const sum = { passed: 0, failed: 0 };
  for (const [, passed, failed] of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)) {
    sum.passed += Number(passed);
    sum.failed += Number(failed);
  }
  if (code !== 0 && sum.failed === 0) sum.failed = 1;
  return sum;
}

const groups = {
  async lint() {
    await check("rustfmt", "cargo", ["fmt", "--all", "--check"]);
    const clippy = (...args) => ["clippy", "--quiet", "--locked", ...args, "--", "-D", "warnings"];
    await check("clippy: core", "cargo", clippy("-p", "edgegrant-core", "--all-targets"));
    await check("clippy: Worker", "cargo", clippy("-p", "edgegrant-worker", ...WASM));
    await check("clippy: Worker, development", "cargo", clippy("-p", "edgegrant-worker", "--features", "development", ...WASM));
    for (const half of ["protocol", "portal"]) {
      await check(`clippy: Worker, ${half}`, "cargo", clippy("-p", "edgegrant-worker", "--no-default-features", "--features", half, ...WASM));
    }
    await check("clippy: pkce-wasm", "cargo", clippy("-p", "pkce-wasm", ...WASM));
  },

  async core() {
    const crates = ["-p", "edgegrant-core", "-p", "pkce-wasm", "-p", "edgegrant-fuzz", "-p", "edgegrant-worker"];
    const args = ["test", "--quiet", "--locked", ...crates, "--features", "edgegrant-worker/development"];
    await check("native unit tests", "cargo", args, { count: cargoCount });
  },

  async pkce(tools) {
    const { testPkce } = await import("../../pkce-wasm/test.mjs");
    const started = Date.now();
    say("\n== pkce-wasm");
    record("pkce-wasm", started, await testPkce(tools));
  },

  async build(tools) {
    const started = Date.now();
    say("\n== builds");
    await build("development", tools, { quiet: true });
    await build("release", tools);
    record("builds", started, { passed: 2, failed: 0 });
  },

  async http(tools, names) {
    const files = readdirSync(inRoot("tests"), { recursive: true })
      .filter((file) => file.endsWith(".test.mjs"))
      .map((file) => `tests/${file}`)
      .filter((file) => names.length === 0 || names.includes(basename(file, ".test.mjs")))
      .sort();
    if (files.length === 0) throw new ToolError(`No file tests/**/*.test.mjs is named ${names.join(", ")}.`);
    const reporter = fileURLToPath(new URL("./lib/reporter.mjs", import.meta.url));
    const args = ["--test", "--test-force-exit", "--test-timeout=180000", `--test-concurrency=${CONCURRENCY}`, `--test-reporter=${reporter}`, ...files];
    await check("Worker over HTTP and in the browser", process.execPath, args, {
      env: { CHROME: tools.chrome },
      count: (output, code) => {
        const [, passed, failed] = output.match(/^(\d+) of the tests passed, (\d+) failed/m) ?? [0, 0, 1];
        return { passed: Number(passed), failed: Math.max(Number(failed), code === 0 ? 0 : 1) };
      },
    });
  },
};

/** `--only http,core` or `--only http:races,http:budgets`: the groups to run, each with the files it is limited to. */
function selection() {
  const at = process.argv.indexOf("--only");
  if (at < 0) return new Map(Object.keys(groups).map((name) => [name, []]));
  const wanted = new Map();
  for (const part of (process.argv[at + 1] ?? "").split(",")) {
    const [group, file] = part.split(":");
    if (!groups[group]) throw new ToolError(`--only knows ${Object.keys(groups).join(", ")}; not "${group}".`);
    wanted.set(group, [...(wanted.get(group) ?? []), ...(file ? [file] : [])]);
  }
  return wanted;
}

await main(async () => {
  const started = Date.now();
  const wanted = selection();
  const tools = await setup({ browser: wanted.has("pkce") || wanted.has("http") });
  await needNode22();
  if (wanted.has("http") && !wanted.has("build")) await build("development", tools, { quiet: true });
  for (const [name, files] of wanted) {
    try {
      await groups[name](tools, files);
    } catch (error) {
      process.stderr.write(`${error instanceof ToolError ? error.message : error.stack}\n`);
      record(name, Date.now(), { passed: 0, failed: 1 });
    }
  }
  say(`\n${((Date.now() - started) / 1000).toFixed(0)} s in all.${failures.length > 0 ? ` Failed: ${failures.join(", ")}.` : ""}`);
  say(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
});
