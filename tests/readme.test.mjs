// What the README tells people to type is typed here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startServer } from "./harness/server.mjs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
let server;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

/** Runs a script of bash with the server's address as ISSUER. */
function bash(script) {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["--norc", "-eu", "-o", "pipefail", "-c", script], { env: { ...process.env, ISSUER: server.issuer } });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("error", reject).on("close", (code) => resolve({ code, output }));
  });
}

test("the README's flow with curl: sign in, allow, exchange, call, refresh, revoke", async () => {
  const blocks = [...readme.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
  assert.equal(blocks.length, 2);
  const { code, output } = await bash(blocks.join("\n"));
  assert.equal(code, 0, output);
  const lines = output.trim().split("\n");
  assert.match(lines[0], /^http:\/\/127\.0\.0\.1\/callback\?code=[\w-]{84}&state=xyz&iss=http/);
  assert.match(lines[1], /"access_token":"eg_at_.*"scope":"account:read bookings:read"/);
  assert.match(lines[2], /"name":"(Demo|Second) Salon"/);
  assert.match(lines[3], /"refresh_token":"eg_rt_/);
  assert.equal(lines[4], "{}");
  assert.match(lines[5], /^HTTP\/1\.1 401/);
});

test("every file and folder that the README names is there", () => {
  for (const [, path] of readme.matchAll(/\]\((?!http|#)([^)]+)\)/g)) {
    assert.ok(existsSync(new URL(`../${path}`, import.meta.url)), path);
  }
});

test("the sample API verifies requests of the gateway as the README shows", () => {
  const [, shown] = readme.match(/^```js\n(\/\/ Verifies a request of the gateway[\s\S]*?)^```$/m);
  const used = readFileSync(new URL("workers/bookings/gateway.mjs", import.meta.url), "utf8");
  assert.ok(used.includes(shown));
});
