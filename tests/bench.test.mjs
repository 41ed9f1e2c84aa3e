// `npm run bench`, as short as it gets: it measures everything that is there, and says so in a table.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

test("a quick run ends with a table of figures, each above 0, and the same as JSON", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "edgegrant-bench-"));
  const file = join(folder, "figures.json");
  try {
    const args = ["tests/bench/run.mjs", "--quick", "--built", "--json", file];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    assert.equal(status, 0, stderr + stdout);
    const { figures } = JSON.parse(readFileSync(file, "utf8"));
    const rows = [...stdout.matchAll(/^\| (.+?) +\| (.+?) +\| (.+?) +\|/gm)].slice(1).map(([, ...cells]) => cells);
    assert.equal(rows.length, figures.length);
    for (const [name, of, rate] of rows) assert.ok(Number(rate) > 0, `${name} of ${of}: ${rate}`);
    for (const kind of ["check", "refresh", "exchange"]) {
      for (const one of [kind, `${kind}-peer`]) assert.ok(figures.find((figure) => figure.kind === one)?.median > 0, one);
    }
    assert.ok(figures.find(({ kind }) => kind === "check-base").median > 0);
    assert.ok(figures.find(({ kind }) => kind === "check-node").median > 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
