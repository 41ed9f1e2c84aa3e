// Builds www/react as somebody outside would: with the packed package, React and Vite. The result is a folder of static files.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashOf, isFresh } from "./inputs.mjs";
import { bin, inRoot } from "./paths.mjs";
import { step } from "./process.mjs";

const work = inRoot(".build/react");

/** The built app, made anew when its sources, the package or the versions of its tools have changed. */
export async function buildReact() {
  const out = join(work, "dist");
  const stamp = inRoot(".build/react.hash");
  const versions = ["react", "react-dom", "vite"].map((name) => JSON.parse(readFileSync(inRoot("node_modules", name, "package.json"))).version);
  const hash = hashOf(["www/react", "pkce-wasm/dist", "worker/tools/lib/react.mjs"], versions);
  if (isFresh(stamp, hash, join(out, "index.html"))) return out;
  rmSync(work, { recursive: true, force: true });
  // React comes from the node_modules of the repository above, pkce-wasm from the tarball beside the copy.
  cpSync(inRoot("www/react"), work, { recursive: true, filter: (path) => !path.endsWith("node_modules") });
  const module = join(work, "node_modules/pkce-wasm");
  mkdirSync(module, { recursive: true });
  const packed = await step("Packing pkce-wasm", "npm", ["pack", inRoot("pkce-wasm/dist"), "--pack-destination", work, "--silent"]);
  await step("Unpacking it", "tar", ["-xzf", join(work, packed.trim()), "-C", module, "--strip-components=1"]);
  await step("Building the React app", bin("vite"), ["build", "--logLevel", "warn"], { cwd: work });
  if (!existsSync(join(out, "index.html"))) throw new Error(`vite left no ${out}/index.html`);
  writeFileSync(stamp, hash);
  return out;
}
