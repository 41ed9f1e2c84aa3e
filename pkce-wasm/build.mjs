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
const PUBLISHED = ["index.d.ts", "slim.d.ts", "package.json", "README.md", "docs"];

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
    "-Clink-arg=-zstack-size=32768", // of 64 KB of memory; the usual megabyte is for deep recursion, and here is none
  ];
}

async function compile() {
  // `rustc` and not `build`: beside an rlib, which the fuzz targets link, there is no optimisation at link time.
  const args = [
    "rustc",
    "--package",
    "pkce-wasm",
    "--lib",
    "--crate-type",
    "cdylib",
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

const binaryen = (name) => join(dirname(require.resolve("binaryen/package.json")), "bin", name);
const node = (program, ...args) => run(process.execPath, [program, ...args]);

/** What js/glue.js calls; nothing else of the module is kept. */
const EXPORTS = ["memory", "ask", "__wbindgen_malloc", "__wbindgen_free", "__wbindgen_add_to_stack_pointer"];
const FEATURES = ["bulk-memory", "sign-ext", "nontrapping-float-to-int", "mutable-globals", "reference-types", "multivalue"];
/** Flattened code is bigger, but simplified from there it ends up smaller: 2 % of what one pass makes. */
const SMALLEST = ["-Oz", "--converge", "--flatten", "--rereloop", "-Oz", "-Oz", "--converge"];
const ENABLED = FEATURES.map((name) => `--enable-${name}`);

// A module that does not say which features it has gets the plainest interface from wasm-bindgen: numbers in, the
// place of the answer on the stack. Anything that runs WebAssembly, and wasm2js, can do that.
function withoutFeatureList(wasm) {
  const kept = [wasm.subarray(0, 8)];
  const number = (at) => {
    for (let value = 0, shift = 0; ; shift += 7, at += 1) {
      value |= (wasm[at] & 127) << shift;
      if (wasm[at] < 128) return [value, at + 1];
    }
  };
  for (let at = 8; at < wasm.length; ) {
    const [size, content] = number(at + 1);
    const [length, name] = number(content);
    const custom = wasm[at] === 0 && wasm.toString("latin1", name, name + length);
    if (custom !== "target_features") kept.push(wasm.subarray(at, content + size));
    at = content + size;
  }
  return Buffer.concat(kept);
}

// wasm-bindgen makes the safe export; its glue is for every type there is and is not used. What only that glue needs
// goes, so that the module imports nothing.
async function bind(compiled, work) {
  const bindgen = process.env.WASM_BINDGEN_BIN ?? "wasm-bindgen";
  const plain = join(work, "core.wasm");
  await writeFile(plain, withoutFeatureList(await readFile(compiled)));
  const args = ["--target", "web", "--no-typescript", "--omit-default-module-path", "--out-dir", work];
  await run(bindgen, [...args, "--remove-name-section", "--remove-producers-section", plain]);
  const graph = join(work, "graph.json");
  const roots = EXPORTS.map((name) => ({ name, root: true, export: name }));
  await writeFile(graph, JSON.stringify(roots));
  const needed = join(work, "needed.wasm");
  await node(binaryen("wasm-metadce"), ...ENABLED, "--graph-file", graph, join(work, "core_bg.wasm"), "-o", needed);
  const small = join(work, "pkce.wasm");
  await node(binaryen("wasm-opt"), ...SMALLEST, ...ENABLED, "--strip-target-features", needed, "-o", small);
  const module = new WebAssembly.Module(await readFile(small));
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  const imports = WebAssembly.Module.imports(module).map(({ name }) => name);
  if (imports.length > 0 || names.sort().join() !== [...EXPORTS].sort().join()) {
    throw new Error(`pkce.wasm imports ${imports.join() || "nothing"} and exports ${names.join()}: see js/glue.js`);
  }
  return small;
}

// The same module as JavaScript, for pages whose policy forbids WebAssembly. wasm2js runs what it makes at import;
// the function is all that is wanted.
async function asJavaScript(wasm, work) {
  const lowered = join(work, "lowered.wasm");
  const passes = ["--llvm-memory-copy-fill-lowering", "--signext-lowering", "--llvm-nontrapping-fptoint-lowering"];
  await node(binaryen("wasm-opt"), ...ENABLED, ...passes, "-Oz", wasm, "-o", lowered);
  const made = join(work, "wasm2js.js");
  await node(binaryen("wasm2js"), "-Oz", lowered, "-o", made);
  const text = await readFile(made, "utf8");
  const [code] = text.split(/^var retasmFunc = /m);
  if (!code.includes("function asmFunc(")) throw new Error("wasm2js makes something else than it did");
  return `${code}\nexport { asmFunc as instantiate };\n`;
}

// 91 printable ASCII characters that no string literal has to escape: the first two say that a second one follows,
// the others are the lowest 89 bytes, of which most of a module consists. Gzip sees bytes where they are, which base64
// hides from it: a fifth less. js/core/inline.js reads it.
export function printable(bytes) {
  const character = (index) => String.fromCharCode(index + 35 + (index > 56 ? 1 : 0));
  const one = (byte) => (byte < 89 ? character(byte + 2) : character(byte < 180 ? 0 : 1) + character((byte - 89) % 91));
  return Array.from(bytes, one).join("");
}

// An entry is one file, so that a page without a bundler asks for one. `core` starts the core in the way of the entry.
async function entry(name, outfile, { files = {}, source = "index.js" } = {}) {
  const esbuild = await import("esbuild");
  const made = (build) => {
    build.onResolve({ filter: /\/core\.js$/ }, () => ({ path: join(here, "js", "core", name) }));
    build.onResolve({ filter: /^made:/ }, ({ path }) => ({ path, namespace: "made" }));
    build.onLoad({ filter: /.*/, namespace: "made" }, ({ path }) => ({ contents: files[path.slice(5)], loader: "js" }));
  };
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(here, "js", source)],
    outfile,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    plugins: [{ name: "core", setup: made }],
  });
  await writeFile(outfile, outputFiles[0].contents);
}

/** What a page ships that has `contents` as its script, bundled and minified by esbuild; packages come from `nodePaths` too. */
export async function shipped(contents, resolveDir, nodePaths = []) {
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir },
    nodePaths,
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
  });
  return outputFiles[0].contents;
}

export function weigh(...parts) {
  const sizes = parts.map((bytes) => {
    const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
    return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length };
  });
  const sum = (name) => sizes.reduce((total, size) => total + size[name], 0);
  return { raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli") };
}

/** Builds pkce-wasm/dist and gives its path and the sizes; throws when it is over the budget. */
export async function buildPkce({ log = console.log } = {}) {
  const dist = join(here, "dist");
  log("pkce-wasm: cargo build");
  const compiled = await compile();
  await mkdir(join(root, ".build"), { recursive: true });
  const work = await mkdtemp(join(root, ".build", "pkce-"));
  try {
    log("pkce-wasm: wasm-bindgen, binaryen, esbuild");
    const file = await bind(compiled, work);
    const wasm = await readFile(file);
    const script = await asJavaScript(file, work);
    await rm(dist, { recursive: true, force: true });
    await mkdir(dist, { recursive: true });
    const text = `export default ${JSON.stringify(printable(wasm))};`;
    await entry("inline.js", join(dist, "index.js"), { files: { "pkce.wasm": text } });
    await entry("slim.js", join(dist, "slim.js"), { source: "slim.js" });
    await entry("script.js", join(dist, "js.js"), { files: { "pkce.js": script } });
    await cp(file, join(dist, "pkce.wasm"));
    for (const name of PUBLISHED) await cp(join(here, name), join(dist, name), { recursive: true });
    await cp(join(root, "LICENSE"), join(dist, "LICENSE"));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const wasm = await readFile(join(dist, "pkce.wasm"));
  const [bundle, slim, script] = await Promise.all(["index.js", "slim.js", "js.js"].map((name) => shipped(`export * from "./${name}";`, dist)));
  const sizes = { bundle: weigh(bundle), slim: weigh(slim, wasm), script: weigh(script), wasm: weigh(wasm) };
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
