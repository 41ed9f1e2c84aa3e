// `npm run dev` as a person runs it: started, waited for, ended with Ctrl-C.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Listens on a free port; gives the port and a function that ends it. */
export const listener = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "localhost", () =>
      done({ port: server.address().port, close: () => new Promise((next) => server.close(next)) }),
    );
  });

/** Serves with these arguments, runs `use({ issuer, fetch }, output)`, and ends it; it must end well. */
export async function dev(args, use) {
  const { port, close } = await listener();
  await close();
  const state = mkdtempSync(join(tmpdir(), "edgegrant-dev-"));
  const child = spawn(process.execPath, ["worker/tools/dev.mjs", ...args], {
    cwd: root,
    detached: true,
    env: { ...process.env, PORT: String(port), STATE: state },
  });
  let running = true;
  const ended = new Promise((done) => child.on("close", done)).finally(() => (running = false));
  let output = "";
  try {
    await new Promise((ready, failed) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text) => {
          output += text;
          if (output.includes("Ctrl-C stops everything")) ready();
        });
      }
      ended.then((code) => failed(new Error(`ended with ${code}\n${output}`)));
    });
    const issuer = `http://localhost:${port}`;
    const server = { issuer, fetch: (path, init) => fetch(new URL(path, issuer), { redirect: "manual", ...init }) };
    await use(server, () => output);
  } finally {
    if (running) process.kill(-child.pid, "SIGINT"); // as a terminal does: to the whole group
    const code = await ended;
    rmSync(state, { recursive: true, force: true });
    assert.equal(code, 0, output);
  }
}
