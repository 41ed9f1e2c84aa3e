// What is built in and what builds it: licences, sources, pins, and the bill of materials of the release.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import Ajv from "ajv";
import { parse } from "smol-toml";
import { cratesOf, expression, filesOf } from "../worker/tools/sbom.mjs";
import { RELEASE_RUST, WORKER_BUILD } from "../worker/tools/setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path) => readFileSync(join(root, path), "utf8");
const deny = parse(read("deny.toml"));

function cargo(...args) {
  const { status, stdout, stderr } = spawnSync("cargo", [...args, "--locked"], { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  assert.equal(status, 0, stderr);
  return stdout;
}
const metadata = (target) => JSON.parse(cargo("metadata", "--format-version", "1", "--filter-platform", target));

/** Whether an SPDX expression can be met with the licences that are allowed (SPDX 2.3, annex D). */
function isAllowed(text, allowed = deny.licenses.allow) {
  const tokens = expression(text).match(/[()]|[\w.-]+/g);
  const one = () => {
    if (tokens[0] === "(") {
      tokens.shift();
      const inner = either();
      assert.equal(tokens.shift(), ")", text);
      return inner;
    }
    const name = tokens.shift();
    // An exception makes a licence another one.
    if (tokens[0] === "WITH") return tokens.splice(0, 2) && allowed.includes(`${name} WITH`);
    return allowed.includes(name);
  };
  const both = () => {
    let fits = one();
    while (tokens[0] === "AND") fits = tokens.shift() && one() && fits;
    return fits;
  };
  const either = () => {
    let fits = both();
    while (tokens[0] === "OR") fits = (tokens.shift() && both()) || fits;
    return fits;
  };
  const fits = either();
  assert.deepEqual(tokens, [], text);
  return fits;
}

test("every crate, of the modules and of what builds and tests them, is of crates.io under a licence that deny.toml allows", () => {
  assert.ok(isAllowed("(MIT OR GPL-3.0) AND Unicode-3.0") && isAllowed("GPL-2.0/MIT") && !isAllowed("MIT AND GPL-3.0") && !isAllowed("Apache-2.0 WITH X"));
  const all = ["wasm32-unknown-unknown", "x86_64-unknown-linux-gnu"].flatMap((target) => metadata(target).packages);
  assert.ok(all.length > 200);
  const registries = deny.sources["allow-registry"].map((address) => `registry+${address}`);
  for (const { name, version, license, source, manifest_path: place } of all) {
    assert.ok(license && isAllowed(license), `${name} ${version}: ${license}`);
    assert.ok(source === null ? place.startsWith(root) : registries.includes(source), `${name} ${version}: ${source}`);
  }
  for (const [, source] of read("Cargo.lock").matchAll(/^source = "(.*)"$/gm)) assert.ok(registries.includes(source), source);
  const entries = read("Cargo.lock").split("[[package]]").filter((entry) => entry.includes("\nsource = "));
  assert.deepEqual(entries.filter((entry) => !/\nchecksum = "[0-9a-f]{64}"/.test(entry)), [], "each has a checksum");
});

test("no crate is there in two versions, but for those that deny.toml names; in a module none", () => {
  const lines = ["wasm32-unknown-unknown", "x86_64-unknown-linux-gnu"].flatMap((target) =>
    cargo("tree", "--workspace", "--target", target, "-e", "normal,build,dev", "--prefix", "none", "-f", "{p}").split("\n"),
  );
  const twice = (ids) => {
    const versions = new Map();
    for (const id of new Set(ids)) versions.set(id.split("@")[0], [...(versions.get(id.split("@")[0]) ?? []), id.split("@")[1]]);
    return [...versions].filter(([, list]) => list.length > 1).map(([name]) => name);
  };
  const ids = lines.filter(Boolean).map((line) => line.split(" ").slice(0, 2).join("@"));
  assert.deepEqual(twice(ids).sort(), [...new Set(deny.bans.skip.map(({ crate }) => crate.split("@")[0]))].sort());
  for (const feature of ["protocol", "portal"]) assert.deepEqual(twice(cratesOf(feature)), [], feature);
});

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

test("npm packages are pinned: exact versions, each with the hash of its contents, installed from the lock file only", () => {
  const { devDependencies, dependencies = {} } = JSON.parse(read("package.json"));
  const { packages } = JSON.parse(read("package-lock.json"));
  assert.deepEqual(dependencies, {}, "nothing of npm is deployed");
  for (const [name, version] of Object.entries(devDependencies)) {
    assert.match(version, EXACT, name);
    assert.equal(packages[`node_modules/${name}`]?.version, version, name);
  }
  assert.deepEqual(packages[""].devDependencies, devDependencies);
  for (const [path, { integrity, version, link, resolved }] of Object.entries(packages)) {
    if (path === "") continue;
    assert.match(integrity ?? "", /^sha512-/, path);
    assert.ok(EXACT.test(version) && !link && (resolved === undefined || resolved.startsWith("https://registry.npmjs.org/")), path);
  }
  assert.match(read("worker/tools/setup.mjs"), /"npm", \["ci"/);
  assert.equal(existsSync(join(root, "pkce-wasm/package-lock.json")), false);
  assert.equal(JSON.parse(read("pkce-wasm/package.json")).dependencies, undefined, "nor does the browser module need any");
});

test("tools are pinned: compiler, worker-build, wasm-bindgen, cargo-deny; builds and checks hold to Cargo.lock", () => {
  const setup = read("worker/tools/setup.mjs");
  for (const version of [WORKER_BUILD, RELEASE_RUST]) assert.match(version, EXACT);
  assert.match(setup, /`\$\{tool\.crate\}@\$\{tool\.version\}`/, "installed by its version");
  assert.match(read("worker/tools/audit.mjs"), /crate: "cargo-deny", version: "\d+\.\d+\.\d+"/);
  const { workspace } = parse(read("Cargo.toml"));
  const number = (version) => version.split(".").reduce((sum, part) => sum * 1000 + Number(part), 0);
  assert.ok(number(RELEASE_RUST) >= number(`${workspace.package["rust-version"]}.0`));
  const { toolchain } = parse(read("rust-toolchain.toml"));
  assert.deepEqual([toolchain.targets, toolchain.profile], [["wasm32-unknown-unknown"], "minimal"]);
  const { dependencies } = parse(read("worker/Cargo.toml"));
  assert.equal(dependencies.worker.version, `=${WORKER_BUILD}`, "the crate and the tool that packs it");
  const bindgen = read("Cargo.lock").match(/name = "wasm-bindgen"\nversion = "(.*)"/)[1];
  assert.equal(dependencies["wasm-bindgen"], `=${bindgen}`);
  for (const file of ["worker/tools/build.mjs", "worker/tools/test.mjs", "worker/tools/sbom.mjs", "worker/tools/audit.mjs"]) assert.match(read(file), /"--locked"/, file);
});

/** What of CycloneDX 1.6 the bill uses: https://cyclonedx.org/docs/1.6/json/. Nothing else may be in it. */
const object = (required, optional = {}) => ({ type: "object", additionalProperties: false, required: Object.keys(required), properties: { ...required, ...optional } });
const list = (items, more = {}) => ({ type: "array", items, uniqueItems: true, ...more });
const text = (pattern) => ({ type: "string", minLength: 1, ...(pattern && { pattern }) });
const licenses = list(object({ expression: text() }), { minItems: 1, maxItems: 1 });
const hashes = list(object({ alg: { const: "SHA-256" }, content: text("^[0-9a-f]{64}$") }), { minItems: 1 });
const purl = text("^pkg:(cargo|npm|generic)/[\\w.-]+@[\\w.%-]+$");
const properties = list(object({ name: text("^edgegrant:"), value: text() }));
const tool = object({ type: { const: "application" }, name: text(), version: text(), licenses, purl });
const library = object(
  { type: { const: "library" }, "bom-ref": text(), name: text(), version: text(), licenses, purl, properties },
  { description: text(), hashes, externalReferences: list(object({ type: { const: "vcs" }, url: text("^https://") })) },
);
const file = object({ type: { const: "file" }, name: text("^(worker|assets|migrations)/"), hashes });
const SCHEMA = object({
  $schema: { const: "http://cyclonedx.org/schema/bom-1.6.schema.json" },
  bomFormat: { const: "CycloneDX" },
  specVersion: { const: "1.6" },
  serialNumber: text("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
  version: { const: 1 },
  metadata: object({
    tools: object({ components: list(tool, { minItems: 1 }) }),
    component: object({ type: { const: "application" }, "bom-ref": text(), name: text(), version: text(), licenses, purl, components: list(file, { minItems: 1 }) }),
    properties,
  }),
  components: list(library, { minItems: 1 }),
  dependencies: list(object({ ref: text(), dependsOn: list(text()) })),
});
const bill = () => JSON.parse(read(".build/release/sbom.cdx.json"));

test("the bill of materials is CycloneDX 1.6, and whatever it refers to is in it", () => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  const found = bill();
  assert.ok(ajv.validate(SCHEMA, found), ajv.errorsText());
  const { metadata: about, components, dependencies } = found;
  const refs = [about.component, ...components].map((each) => each["bom-ref"]);
  assert.equal(new Set(refs).size, refs.length, "each once");
  for (const { ref, dependsOn } of dependencies) for (const each of [ref, ...dependsOn]) assert.ok(refs.includes(each), each);
  // From the deployment everything is reached that is in it.
  const uses = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const reached = new Set([about.component["bom-ref"]]);
  for (const ref of reached) for (const next of uses.get(ref) ?? []) reached.add(next);
  assert.deepEqual(refs.filter((ref) => !reached.has(ref)), []);
});

test("it has every crate of both modules with checksum and licence, and nothing that only builds or tests", () => {
  const { components } = bill();
  const crates = components.filter((each) => each.purl.startsWith("pkg:cargo/") && each.name !== "worker-build");
  const ids = crates.map(({ name, version }) => `${name}@${version}`);
  assert.deepEqual(new Set(ids), new Set([...cratesOf("protocol"), ...cratesOf("portal")]));
  for (const name of ["edgegrant-core", "worker", "aes-gcm", "argon2", "serde_json"]) assert.ok(crates.some((each) => each.name === name), name);
  for (const name of ["syn", "proptest", "toml", "askama_macros"]) assert.ok(!crates.some((each) => each.name === name), name);
  const lock = read("Cargo.lock");
  for (const { name, version, hashes: sums, licenses: [{ expression: licence }] } of crates) {
    assert.ok(isAllowed(licence), `${name}: ${licence}`);
    if (!name.startsWith("edgegrant-")) assert.ok(lock.includes(`name = "${name}"\nversion = "${version}"\nsource = "${deny.sources["allow-registry"].map((each) => `registry+${each}`)}"\nchecksum = "${sums[0].content}"`), name);
  }
});

test("it has the hash of every file that is deployed, and their scripts come from nowhere but here and the runtime", () => {
  const listed = bill().metadata.component.components.map(({ name, hashes: [{ content }] }) => ({ name, hash: content }));
  assert.deepEqual(listed, filesOf("release"));
  const folder = join(root, ".build/release");
  for (const { name, hash } of listed) assert.equal(createHash("sha256").update(readFileSync(join(folder, name))).digest("hex"), hash);
  for (const { name } of listed.filter((each) => each.name.endsWith(".js"))) {
    const script = readFileSync(join(folder, name), "utf8");
    const imported = [...script.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)].map(([, from]) => from);
    for (const from of imported) assert.match(from, /^(\.\.?\/|cloudflare:)/, `${name} imports ${from}`);
  }
});
