// What a build depends on, as one hash: so that nothing is built twice and nothing stale is served.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { inRoot, root } from "./paths.mjs";

function* files(path) {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory()) return yield path;
  for (const name of readdirSync(path).sort()) yield* files(join(path, name));
}

/** Hash over the contents of files and folders (given from the root) and any further strings. */
export function hashOf(paths, ...more) {
  const hash = createHash("sha256");
  for (const path of paths) {
    for (const file of files(inRoot(path))) {
      hash
        .update(`${relative(root, file)}\0`)
        .update(readFileSync(file))
        .update("\0");
    }
  }
  return hash.update(JSON.stringify(more)).digest("hex");
}

const read = (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined);

/** True when `stamp` holds `hash` and every product is there. */
export const isFresh = (stamp, hash, ...products) => read(stamp) === hash && products.every((path) => existsSync(path));
