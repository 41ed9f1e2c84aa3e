// Where things are. Everything else asks here, so that a moved folder is one edit.
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(fileURLToPath(new URL("../../..", import.meta.url)));
export const inRoot = (...parts) => join(root, ...parts);
export const bin = (name) => inRoot("node_modules/.bin", name);

/** Per-user folder for the tools that are built from source once and shared by all clones. */
export const cacheDir = () => join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "edgegrant");

/** Build output of one variant: "development" or "release". They never share a file. */
export const variantDir = (variant) => inRoot(".build", variant);

/** The version that Cargo.lock resolved for a package, or null when there is no lock file. */
export function lockedVersion(name) {
  const lock = inRoot("Cargo.lock");
  if (!existsSync(lock)) return null;
  const text = readFileSync(lock, "utf8");
  return text.match(new RegExp(`name = "${name}"\\nversion = "([^"]+)"`))?.[1] ?? null;
}
