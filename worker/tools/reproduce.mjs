#!/usr/bin/env node
// `npm run reproduce`: whether the sources of the last commit give the same deployment wherever they are built. Clones them
// twice, into folders whose names differ in length, builds the release in each from nothing, and compares every file.
// Takes a few minutes.
//   npm run reproduce -- --keep    leaves the folders, to look at what differs
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inRoot } from "./lib/paths.mjs";
import { ask, main, needNode22, say, show, ToolError } from "./lib/process.mjs";
import { RELEASE_RUST, setup } from "./setup.mjs";

const keep = process.argv.includes("--keep");

/** A clone of the last commit with this machine's npm packages, built; what its bill of materials says of each file. */
async function built(folder) {
  if (ask("git", ["clone", "--quiet", "--no-hardlinks", inRoot(), folder]) === null) throw new ToolError("git cannot clone this repository.");
  symlinkSync(inRoot("node_modules"), join(folder, "node_modules"));
  // As on a machine of its own: no target folder, no flags.
  const env = { CARGO_TARGET_DIR: undefined, RUSTFLAGS: undefined, CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: undefined };
  const code = await show(process.execPath, ["worker/tools/build.mjs", "--release"], { cwd: folder, env });
  if (code !== 0) throw new ToolError(`The build in ${folder} failed (exit code ${code}).`);
  const bill = readFileSync(join(folder, ".build/release/sbom.cdx.json"), "utf8");
  const files = JSON.parse(bill).metadata.component.components.map(({ name, hashes }) => [name, hashes[0].content]);
  return { files: new Map(files), bill, number: JSON.parse(bill).serialNumber };
}

await main(async () => {
  await needNode22();
  await setup();
  const rust = ask("rustc", ["--version"]).split(" ")[1];
  if (rust !== RELEASE_RUST) say(`This is rustc ${rust}; releases are built with ${RELEASE_RUST}, and another one gives other bytes.`);
  if (ask("git", ["status", "--porcelain"])) say("What is not committed is not built here.");
  const parent = mkdtempSync(join(tmpdir(), "edgegrant-reproduce-"));
  try {
    const results = [];
    for (const name of ["a", "a-folder-with-a-longer-name/below"]) {
      mkdirSync(join(parent, name, ".."), { recursive: true });
      say(`\n== ${join(parent, name)}`);
      results.push(await built(join(parent, name)));
    }
    const [one, other] = results;
    const differing = [...new Set([...one.files.keys(), ...other.files.keys()])].filter((name) => one.files.get(name) !== other.files.get(name));
    say(`\n${ask("git", ["rev-parse", "HEAD"])}, rustc ${rust}`);
    for (const [name, hash] of one.files) if (name.startsWith("worker/")) say(`${hash}  ${name}`);
    say(`${one.number} bill of materials, ${one.files.size} files`);
    if (differing.length > 0) throw new ToolError(`Different in the other folder:\n${differing.map((name) => `${other.files.get(name)}  ${name}`).join("\n")}`);
    if (one.bill !== other.bill) throw new ToolError("The files are the same, the bills of materials are not.");
    say("The same in both folders, byte for byte.");
  } finally {
    if (!keep) rmSync(parent, { recursive: true, force: true });
  }
});
