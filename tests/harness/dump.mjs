// Everything that KV, D1 and the objects hold on disk, as bytes: what somebody with a copy of the storage would see.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** All files of a server's storage with their contents; SQLite's write-ahead logs are among them. */
export function dump(server) {
  for (;;) {
    try {
      return readdirSync(server.storage, { recursive: true })
        .map((entry) => join(server.storage, entry))
        .filter((path) => statSync(path).isFile())
        .map((path) => ({ name: relative(server.storage, path), bytes: readFileSync(path) }));
    } catch (error) {
      // An object at rest takes its log into its file and deletes it. What was read of that file may be from before: again.
      if (error.code !== "ENOENT") throw error;
    }
  }
}

/** The forms in which a secret text could be stored: as it is, hex, base64, and what base64url text stands for. */
function forms(secret) {
  const bytes = Buffer.from(secret);
  const found = [bytes, Buffer.from(bytes.toString("hex")), Buffer.from(bytes.toString("base64").replace(/=+$/, "").slice(0, -2))];
  const body = secret.replace(/^[a-z]+_[a-z]+_/, ""); // prefix of a token
  if (/^[\w-]{27,}$/.test(body)) {
    const decoded = Buffer.from(body, "base64url");
    // A part is enough to forge with the rest known: look for its tail, the tag, as well.
    found.push(decoded, decoded.subarray(-16));
  }
  return found.filter((form) => form.length >= 8);
}

/** Where a secret occurs: `[{ name, form }]`; the empty list is what a test wants. */
export function occurrences(files, secret) {
  const wanted = forms(secret);
  return files.flatMap(({ name, bytes }) =>
    wanted.map((form, index) => ({ name, form: index, at: bytes.indexOf(form) })).filter(({ at }) => at >= 0),
  );
}
