// Runs every test of the browser module: the core natively, the exports in Node and in headless
// Chromium, and the driver against a local HTTP server.
//
//   node pkce-wasm/test.mjs
//
// Needs what build.mjs needs, wasm-bindgen-test-runner beside the wasm-bindgen command or on the
// PATH, and a Chromium or Chrome with its driver (CHROME, CHROMEDRIVER, else the ones on the PATH).
import { spawn } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildPkce } from "./build.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function programs(tools) {
  const bindgen = tools.wasmBindgen ?? process.env.WASM_BINDGEN_BIN ?? onPath("wasm-bindgen");
  const beside = bindgen && join(dirname(bindgen), "wasm-bindgen-test-runner");
  const found = {
    "wasm-bindgen (WASM_BINDGEN_BIN)": bindgen,
    "wasm-bindgen-test-runner":
      tools.wasmBindgenTestRunner ?? (isProgram(beside) ? beside : onPath("wasm-bindgen-test-runner")),
    "Chromium or Chrome (CHROME)":
      tools.chrome ?? process.env.CHROME ?? onPath("chromium", "google-chrome", "chromium-browser", "chrome"),
    "chromedriver (CHROMEDRIVER)": tools.chromedriver ?? process.env.CHROMEDRIVER ?? onPath("chromedriver"),
  };
  const missing = Object.keys(found).filter((name) => !found[name]);
  if (missing.length > 0) throw new Error(`Not found: ${missing.join(", ")}`);
  const [wasmBindgen, runner, chrome, chromedriver] = Object.values(found);
  return { wasmBindgen, runner, chrome, chromedriver };
}

// Runs a command and shows what it says; gives that and the exit code.
function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
      process.stdout.write(data);
    });
    child.stderr.pipe(process.stderr, { end: false });
    child.on("error", reject);
    child.on("close", (code) => resolve({ output, code }));
  });
}

// Sums what the lines of a report say. A run that died without one counts as a failure.
function count({ output, code }, passedLine, failedLine) {
  const sum = (pattern) => [...output.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);
  const passed = sum(passedLine);
  const failed = sum(failedLine);
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed };
}

const countCargo = (result) => count(result, /^test result: .* (\d+) passed/gm, /^test result: .* (\d+) failed/gm);
const countNode = (result) => count(result, /^# pass (\d+)/gm, /^# fail (\d+)/gm);

async function webdriver({ chrome }) {
  const settings = JSON.parse(await readFile(join(here, "webdriver.json"), "utf8"));
  settings["goog:chromeOptions"].binary = chrome;
  const folder = join(root, ".build");
  await mkdir(folder, { recursive: true });
  const file = join(folder, "pkce-webdriver.json");
  await writeFile(file, JSON.stringify(settings));
  return file;
}

/** Runs all tests and gives `{ passed, failed }`. `tools` may name programs: see `programs`. */
export async function testPkce(tools = {}) {
  const { wasmBindgen, runner, chrome, chromedriver } = programs(tools);
  process.env.WASM_BINDGEN_BIN = wasmBindgen;
  await buildPkce();

  const cargo = ["test", "--package", "pkce-wasm"];
  // The test framework needs no optimiser; the workspace optimises dependencies in dev builds.
  const quick = ["--config", 'profile.dev.package."*".opt-level=0'];
  const wasm = [...cargo, ...quick, "--target", "wasm32-unknown-unknown"];
  const wasmEnv = { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: runner };
  const browserEnv = {
    ...wasmEnv,
    WASM_BINDGEN_USE_BROWSER: "1",
    CHROMEDRIVER: chromedriver,
    WASM_BINDGEN_TEST_WEBDRIVER_JSON: await webdriver({ chrome }),
  };
  const files = readdirSync(join(here, "tests"), { recursive: true }).filter((file) => file.endsWith(".test.mjs"));
  const paths = files.map((file) => join(here, "tests", file));
  const node = ["--test", "--test-reporter=tap", "--test-concurrency=2"]; // what waits for a browser leaves a core idle
  const groups = [
    ["native", async () => countCargo(await run("cargo", cargo))],
    ["wasm in Node", async () => countCargo(await run("cargo", wasm, wasmEnv))],
    ["wasm in Chromium", async () => countCargo(await run("cargo", wasm, browserEnv))],
    ["driver", async () => countNode(await run(process.execPath, [...node, ...paths], { CHROME: chrome }))],
  ];
  const total = { passed: 0, failed: 0 };
  for (const [name, group] of groups) {
    console.log(`\npkce-wasm: ${name}`);
    const { passed, failed } = await group();
    total.passed += passed;
    total.failed += failed;
    console.log(`pkce-wasm: ${name}: ${passed} passed, ${failed} failed`);
  }
  return total;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { failed } = await testPkce();
  process.exitCode = failed > 0 ? 1 : 0;
}
