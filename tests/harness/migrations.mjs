// The D1 migrations as single statements: the binding takes one at a time.
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../../worker/migrations/", import.meta.url);

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

export function migrationStatements() {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  return files.flatMap((name) => split(readFileSync(new URL(name, folder), "utf8")));
}
