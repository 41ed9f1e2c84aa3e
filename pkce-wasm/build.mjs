// Builds the publishable folder pkce-wasm/dist.
//
//   node pkce-wasm/build.mjs
//
// Needs cargo with the target wasm32-unknown-unknown, the npm packages of the root, and the
// wasm-bindgen command of the version in Cargo.toml (WASM_BINDGEN_BIN, else the one on the PATH).
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const require = createRequire(import.meta.url);

/** What the default entry may weigh, bundled and minified by a consumer. */
export const BUDGET_GZIP = 14_000;
const PUBLISHED = ["index.d.ts", "package.json", "README.md", "docs"];

// Settings of the sha2 crate: a third of the size. The remapping keeps the builder's home out.
export function rustFlags(env = process.env) {
  const cargoHome = env.CARGO_HOME ?? join(homedir(), ".cargo");
  return [
    "--cfg",
    'sha2_backend="soft"',
    "--cfg",
    'sha2_backend_soft="compact"',
    `--remap-path-prefix=${cargoHome}=/cargo`,
    `--remap-path-prefix=${root}=/edgegrant`,
  ];
}

async function compile() {
  const args = [
    "build",
    "--package",
    "pkce-wasm",
    "--features",
    "no-std",
    "--profile",
    "wasm-size",
    "--target",
    "wasm32-unknown-unknown",
  ];
  const env = { ...process.env, CARGO_ENCODED_RUSTFLAGS: rustFlags().join("\x1f") };
  const { stdout } = await run("cargo", [...args, "--message-format", "json-render-diagnostics"], {
    cwd: root,
    env,
    maxBuffer: 64 * 1024 * 1024,
  });
  const files = stdout
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => JSON.parse(line).filenames ?? []);
  const wasm = files.findLast((file) => file.endsWith("pkce_wasm.wasm"));
  if (!wasm) throw new Error("cargo built no pkce_wasm.wasm");
  return wasm;
}

async function bind(wasm, out) {
  const bindgen = process.env.WASM_BINDGEN_BIN ?? "wasm-bindgen";
  const args = ["--target", "web", "--no-typescript", "--omit-default-module-path", "--out-dir", out];
  await run(bindgen, [...args, "--remove-name-section", "--remove-producers-section", wasm]);
  const optimizer = join(dirname(require.resolve("binaryen/package.json")), "bin", "wasm-opt");
  const raw = join(out, "pkce_wasm_bg.wasm");
  const small = join(out, "pkce.wasm");
  const features = ["--enable-reference-types", "--enable-bulk-memory", "--enable-multivalue", "--enable-sign-ext"];
  await run(process.execPath, [
    optimizer,
    "-Oz",
    "--converge",
    ...features,
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--strip-target-features",
    raw,
    "-o",
    small,
  ]);
  return small;
}

// The glue and the module become the body of one function: nothing runs at import, and a bundler
// can drop all of it when the app uses none.
async function inline(out) {
  const esbuild = await import("esbuild");
  const source = `
    import { initSync, begin, clean, generatePkce, land } from './pkce_wasm.js';
    import wasm from './pkce.wasm';
    initSync({ module: Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0)) });
    ready = { begin, clean, generatePkce, land };`;
  const { outputFiles } = await esbuild.build({
    stdin: { contents: source, resolveDir: out },
    loader: { ".wasm": "base64" },
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    legalComments: "none",
  });
  return `// Generated from pkce.wasm and its glue by build.mjs.
let ready;
export function core() {
  if (!ready) {
    ${outputFiles[0].text.trim()}
  }
  return ready;
}
`;
}

// An entry is one file, so that a page without a bundler asks for one. `core` is what it finds under the name of
// js/core.js.
async function entry(core, outfile) {
  const esbuild = await import("esbuild");
  await esbuild.build({
    entryPoints: [join(here, "js", "index.js")],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    plugins: [
      {
        name: "core",
        setup(build) {
          build.onResolve({ filter: /^\.\/core\.js$/ }, () => ({ path: core }));
        },
      },
    ],
  });
}

async function asConsumer(dist) {
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    stdin: { contents: `export * from './index.js';`, resolveDir: dist },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  return outputFiles[0].contents;
}

export function weigh(bytes) {
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length };
}

/** Builds pkce-wasm/dist and gives its path and the sizes; throws when it is over the budget. */
export async function buildPkce({ log = console.log } = {}) {
  const dist = join(here, "dist");
  log("pkce-wasm: cargo build");
  const compiled = await compile();
  await mkdir(join(root, ".build"), { recursive: true });
  const work = await mkdtemp(join(root, ".build", "pkce-"));
  try {
    log("pkce-wasm: wasm-bindgen, wasm-opt, esbuild");
    const wasm = await bind(compiled, work);
    const core = await inline(work);
    await rm(dist, { recursive: true, force: true });
    await mkdir(dist, { recursive: true });
    await writeFile(join(work, "core.js"), core);
    await entry(join(work, "core.js"), join(dist, "index.js"));
    await cp(wasm, join(dist, "pkce.wasm"));
    for (const file of PUBLISHED) await cp(join(here, file), join(dist, file), { recursive: true });
    await cp(join(root, "LICENSE"), join(dist, "LICENSE"));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const sizes = { wasm: weigh(await readFile(join(dist, "pkce.wasm"))), bundle: weigh(await asConsumer(dist)) };
  for (const [name, size] of Object.entries(sizes)) {
    log(`pkce-wasm: ${name.padEnd(6)} ${size.raw} raw, ${size.gzip} gzip, ${size.brotli} brotli`);
  }
  if (sizes.bundle.gzip > BUDGET_GZIP) {
    throw new Error(`pkce-wasm is ${sizes.bundle.gzip} bytes gzip; the budget is ${BUDGET_GZIP}`);
  }
  return { dist, sizes };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await buildPkce();
}
