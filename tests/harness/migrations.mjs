// The D1 migrations as single statements: the binding takes one at a time.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Splits on semicolons outside of strings and comments; triggers (BEGIN ... END) stay whole. */
export function split(sql) {
  const statements = [];
  let current = "";
  let depth = 0;
  const token = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\b(?:BEGIN|CASE|END)\b|;|[\s\S]/gi;
  for (const [part] of sql.matchAll(token)) {
    if (part.startsWith("--") || part.startsWith("/*")) continue;
    if (/^(begin|case)$/i.test(part)) depth += 1;
    if (/^end$/i.test(part)) depth -= 1;
    if (part === ";" && depth === 0) {
      if (current.trim()) statements.push(current.trim());
      current = "";
    } else {
      current += part;
    }
  }
  if (current.trim()) statements.push(current.trim());
  return statements;
}

/** All statements of the migrations in a folder, in order. */
export function migrationStatements(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return files.sort().flatMap((name) => split(readFileSync(join(folder, name), "utf8")));
}
