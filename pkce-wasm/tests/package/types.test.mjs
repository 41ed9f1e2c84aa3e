// The types as a strict project sees them after an install.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import ts from "typescript";
import { DIST, ROOT, pack, project, removeProjects } from "./project.mjs";

const ENTRIES = { "pkce-wasm": "index.js", "pkce-wasm/slim": "slim.js", "pkce-wasm/js": "js.js" };

const STRICT = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitReturns: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
  noEmit: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
};
const MODULES = {
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
};

let folder;
before(async () => {
  const usage = await readFile(new URL("usage.ts", import.meta.url), "utf8");
  const lines = Object.keys(ENTRIES).map((entry, index) => `export * as entry${index} from "${entry}";`);
  const backend = (entry, module) => `
    import { createAuthorizationRequest, exchangeCode, parseCallback ${module && ", init"} } from "${entry}";
    import type { FlowStorage, PkceConfig, Tokens } from "${entry}";
    export async function tokens(settings: PkceConfig, storage: FlowStorage, url: URL ${module}): Promise<Tokens | null> {
      ${module && "await init(module);"}
      const config = { ...settings, storage, fetch, signal: AbortSignal.timeout(1000) };
      const grant = parseCallback(config, url, createAuthorizationRequest(config).flow);
      return grant && exchangeCode(config, grant);
    }`;
  folder = await project("types", {
    "usage.ts": usage,
    "entries.ts": lines.join("\n"),
    "node.ts": backend("pkce-wasm", ""),
    "worker.ts": backend("pkce-wasm/slim", ", module: WebAssembly.Module"),
  });
});
after(removeProjects);

// The standard library is parsed once for all programs.
const parsed = new Map();
function program(files, options) {
  const host = ts.createCompilerHost(options);
  const parse = host.getSourceFile;
  host.getSourceFile = (name, ...rest) => {
    if (!name.includes("/typescript/lib/")) return parse(name, ...rest);
    if (!parsed.has(name)) parsed.set(name, parse(name, ...rest));
    return parsed.get(name);
  };
  host.getCurrentDirectory = () => folder;
  return ts.createProgram(files.map((name) => join(folder, name)), options, host);
}

const words = (diagnostics) =>
  diagnostics.map(({ file, start, messageText }) => {
    const line = file && file.getLineAndCharacterOfPosition(start).line + 1;
    return `${file?.fileName.slice(folder.length + 1)}:${line} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });

describe("types", () => {
  for (const [name, module] of Object.entries(MODULES)) {
    test(`every export compiles as documented and wrong uses do not: ${name}`, () => {
      const made = program(["usage.ts"], { ...STRICT, ...module });
      assert.deepEqual(words(ts.getPreEmitDiagnostics(made)), []);
    });
  }

  for (const [name, types] of [
    ["worker", "node_modules/@cloudflare/workers-types"],
    ["node", "node_modules/@types/node"],
  ]) {
    test(`a backend compiles without the types of a page: ${name}`, () => {
      const options = { ...STRICT, ...MODULES.bundler, lib: ["lib.es2022.d.ts"], types: [join(ROOT, types)] };
      assert.deepEqual(words(ts.getPreEmitDiagnostics(program([`${name}.ts`], options))), []);
    });
  }

  test("each entry exports what its types say, and nothing else", async () => {
    const made = program(["entries.ts"], { ...STRICT, ...MODULES.nodenext });
    const checker = made.getTypeChecker();
    const source = checker.getSymbolAtLocation(made.getSourceFile(join(folder, "entries.ts")));
    for (const [index, [entry, file]] of Object.entries(ENTRIES).entries()) {
      const namespace = source.exports.get(`entry${index}`);
      const symbols = checker.getExportsOfModule(checker.getAliasedSymbol(namespace));
      const values = symbols.map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
      const typed = values.filter(({ flags }) => flags & ts.SymbolFlags.Value).map(({ name }) => name);
      assert.deepEqual(typed.sort(), Object.keys(await import(join(DIST, file))).sort(), entry);
    }
  });

  test("Are The Types Wrong finds nothing for ES modules", async () => {
    const { tarball } = await pack();
    const attw = join(ROOT, "node_modules/@arethetypeswrong/cli/dist/index.js");
    // The module is no JavaScript: bundlers and Workers have types of their own for `*.wasm` and `*.wasm?url`.
    const options = ["--profile", "esm-only", "--exclude-entrypoints", "./pkce.wasm", "--format", "json"];
    const { stdout } = await promisify(execFile)(process.execPath, [attw, tarball, ...options]);
    const { analysis } = JSON.parse(stdout);
    const ours = ["node16-esm", "bundler"];
    const problems = analysis.problems.filter(({ resolutionKind }) => !resolutionKind || ours.includes(resolutionKind));
    assert.deepEqual(problems, []);
    for (const name of [".", "./slim", "./js"]) {
      for (const kind of ours) {
        assert.ok(analysis.entrypoints[name].resolutions[kind].resolution.isTypeScript, `${name}, ${kind}`);
      }
    }
  });
});
