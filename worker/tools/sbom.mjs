// The bill of materials of a deployment, as CycloneDX 1.6: every crate whose code is in one of its modules, what else comes
// into them, what made them, and each file with its hash. Made with each release build; the same sources give the same text.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { inRoot, lockedVersion, variantDir } from "./lib/paths.mjs";
import { ask, ToolError } from "./lib/process.mjs";
import { WORKER_BUILD } from "./setup.mjs";

const TARGET = "wasm32-unknown-unknown";
export const SBOM = "sbom.cdx.json";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
/** As SPDX has it: the slash between licences is an older spelling of OR. */
export const expression = (licence) => licence.replaceAll(/\s*\/\s*/g, " OR ");

function asked(command, args) {
  const text = ask(command, args);
  if (text === null) throw new ToolError(`${command} ${args.join(" ")} failed; the bill of materials needs its answer.`);
  return text;
}

/** Names and versions of the crates whose code is in a module: no macros, nothing that only builds or tests. */
export function cratesOf(feature) {
  const features = ["--no-default-features", "--features", feature];
  const args = ["tree", "--locked", "-p", "edgegrant-worker", "--target", TARGET, "-e", "normal,no-proc-macro", "--prefix", "none", "-f", "{p}"];
  const lines = asked("cargo", [...args, ...features]).split("\n");
  return new Set(lines.filter(Boolean).map((line) => line.split(" ").slice(0, 2).join("@").replace("@v", "@")));
}

/** Checksums of the registry's packages, by `name@version`. */
function checksums() {
  const entries = readFileSync(inRoot("Cargo.lock"), "utf8").matchAll(/name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"/g);
  return Object.fromEntries([...entries].map(([, name, version, sum]) => [`${name}@${version}`, sum]));
}

const cargoUrl = (id) => `pkg:cargo/${id.replace("+", "%2B")}`;
const manifest = (...path) => JSON.parse(readFileSync(inRoot(...path, "package.json"), "utf8"));

function crate(id, { description, license, repository }, checksum, modules) {
  const [name, version] = id.split("@");
  return {
    type: "library",
    "bom-ref": cargoUrl(id),
    name,
    version,
    ...(description && { description: description.replaceAll(/\s+/g, " ").trim() }),
    ...(checksum && { hashes: [{ alg: "SHA-256", content: checksum }] }),
    licenses: [{ expression: expression(license) }],
    purl: cargoUrl(id),
    ...(repository && { externalReferences: [{ type: "vcs", url: repository }] }),
    properties: modules.map((value) => ({ name: "edgegrant:module", value })),
  };
}

/** What comes into the modules besides crates: the standard library, and the script that worker-build puts around them. */
function further(modules) {
  const properties = modules.map((value) => ({ name: "edgegrant:module", value }));
  const rust = asked("rustc", ["--version"]).split(" ")[1];
  const made = (id, purl, license, description) => {
    const [name, version] = id.split("@");
    return { type: "library", "bom-ref": purl, name, version, description, licenses: [{ expression: license }], purl, properties };
  };
  return [
    made(`rust-std@${rust}`, `pkg:generic/rust-std@${rust}`, "MIT OR Apache-2.0", "The standard library of Rust, as far as it is used"),
    made(`worker-build@${WORKER_BUILD}`, cargoUrl(`worker-build@${WORKER_BUILD}`), "Apache-2.0", "Its script joins the module to the Workers runtime"),
  ];
}

/** What made the files. None of it is in them. */
function tools() {
  const tool = (name, version, license, purl) => ({ type: "application", name, version, licenses: [{ expression: license }], purl });
  const bindgen = lockedVersion("wasm-bindgen");
  const packages = ["esbuild", "binaryen"].map((name) => {
    const { version, license } = manifest("node_modules", name);
    return tool(name, version, expression(license), `pkg:npm/${name}@${version}`);
  });
  const rustc = asked("rustc", ["--version"]).split(" ")[1];
  return [
    tool("rustc", rustc, "MIT OR Apache-2.0", `pkg:generic/rustc@${rustc}`),
    tool("wasm-bindgen-cli", bindgen, "MIT OR Apache-2.0", cargoUrl(`wasm-bindgen-cli@${bindgen}`)),
    ...packages,
  ];
}

/** Every file of a variant that is uploaded, with its hash. */
export function filesOf(variant) {
  const root = variantDir(variant);
  const all = ["worker", "assets", "migrations"].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true }).map((name) => join(root, part, name)),
  );
  const files = all.filter((path) => statSync(path).isFile());
  return files.map((path) => ({ name: relative(root, path), hash: sha256(readFileSync(path)) })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Who depends on whom, among these. */
function dependencies(metadata, ids) {
  const nameOf = new Map(metadata.packages.map(({ id, name, version }) => [id, `${name}@${version}`]));
  const nodes = metadata.resolve.nodes.filter(({ id }) => ids.has(nameOf.get(id)));
  const uses = ({ deps }) => {
    const normal = deps.filter(({ dep_kinds: kinds }) => kinds.some(({ kind }) => kind === null));
    return [...new Set(normal.map(({ pkg }) => nameOf.get(pkg)))].filter((id) => ids.has(id)).sort();
  };
  const found = nodes.map((node) => ({ ref: cargoUrl(nameOf.get(node.id)), dependsOn: uses(node).map(cargoUrl) }));
  return found.sort((a, b) => (a.ref < b.ref ? -1 : 1));
}

/** Writes the bill beside the files of the release. `modules` are the features that a module each is built of. */
export function writeSbom(modules) {
  const metadata = JSON.parse(asked("cargo", ["metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET]));
  const byId = new Map(metadata.packages.map((each) => [`${each.name}@${each.version}`, each]));
  const inModule = new Map(modules.map((name) => [name, cratesOf(name)]));
  const ids = new Set([...inModule.values()].flatMap((set) => [...set]));
  const [sums, files, { version, license }] = [checksums(), filesOf("release"), manifest()];
  const crates = [...ids].sort().map((id) => crate(id, byId.get(id), sums[id], modules.filter((name) => inModule.get(name).has(id))));
  const ref = `pkg:generic/edgegrant@${version}`;
  const components = [...crates, ...further(modules)];
  const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      tools: { components: tools() },
      component: {
        type: "application",
        "bom-ref": ref,
        name: "edgegrant",
        version,
        licenses: [{ expression: license }],
        purl: ref,
        components: files.map(({ name, hash }) => ({ type: "file", name, hashes: [{ alg: "SHA-256", content: hash }] })),
      },
      properties: [{ name: "edgegrant:npm", value: "no package of npm is in the deployment" }],
    },
    components,
    dependencies: [
      { ref, dependsOn: [cargoUrl(`edgegrant-worker@${version}`), ...further(modules).map((each) => each["bom-ref"])] },
      ...dependencies(metadata, ids),
    ],
  };
  // Of the contents, so that the same deployment has the same number (RFC 9562 §5.8).
  const hash = sha256(JSON.stringify(bill));
  const uuid = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  const { $schema, bomFormat, specVersion, ...rest } = bill;
  const text = JSON.stringify({ $schema, bomFormat, specVersion, serialNumber: `urn:uuid:${uuid}`, ...rest }, null, 2);
  writeFileSync(join(variantDir("release"), SBOM), `${text}\n`);
}
