// Reporter for `node --test`: one line per test, what failed again at the end, and a line that can be counted.
import { relative } from "node:path";
import { root } from "./paths.mjs";

export default async function* reporter(source) {
  const failed = [];
  let passed = 0;
  for await (const { type, data } of source) {
    if (type === "test:stdout" || type === "test:stderr") yield data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (data.details?.type === "suite" || isFile(data)) {
      // A file or suite fails with its tests; on its own it counts only when it could not even start.
      if (type === "test:fail" && data.details?.error?.failureType !== "subtestsFailed") failed.push(data);
      continue;
    }
    const file = data.file ? relative(root, data.file).replace(/^tests\/|\.test\.mjs$/g, "") : "";
    const passes = type === "test:pass" && data.skip === undefined && data.todo === undefined;
    yield `${passes ? "ok  " : "FAIL"} ${file}: ${data.name} (${Math.round(data.details.duration_ms)} ms)\n`;
    if (passes) passed += 1;
    else failed.push(data);
  }
  for (const data of failed) yield `\n${explain(data)}\n`;
  yield `\n${passed} of the tests passed, ${failed.length} failed\n`;
}

const isFile = (data) => data.nesting === 0 && data.file !== undefined && data.name.endsWith(".test.mjs");

function explain(data) {
  const error = data.details?.error?.cause ?? data.details?.error;
  const where = data.file ? `${relative(root, data.file)}:${data.line ?? 0}` : "";
  const text = data.skip !== undefined || data.todo !== undefined ? "skipped: no test may be" : (error?.stack ?? String(error));
  return `FAIL ${data.name}\n  ${where}\n  ${text.split("\n").slice(0, 30).join("\n  ")}`;
}
