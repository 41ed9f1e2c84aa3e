// The commands of the repository: what they need, what they say, and that `npm run dev` serves a working system.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import { connect, me, signedIn, spa } from "./harness/client.mjs";
import { dev, listener } from "./harness/dev.mjs";
import { migrationStatements } from "./harness/migrations.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const tool = (name) => `worker/tools/${name}.mjs`;
const run = (name, args = [], env = {}) =>
  spawnSync(process.execPath, [tool(name), ...args], { cwd: root, encoding: "utf8", env: { ...process.env, ISSUER: "", ...env } });

test("a second set-up finds everything and takes no time", () => {
  const started = Date.now();
  const { status, stderr } = run("setup");
  assert.equal(status, 0, stderr);
  assert.ok(Date.now() - started < 5000);
});

test("deploying without an issuer, or with one that is no https origin, is refused before anything happens", () => {
  for (const issuer of [
    "",
    "auth.example.com",
    "http://auth.example.com",
    "https://auth.example.com/",
    "https://auth.example.com/x",
    "https://Auth.example.com",
  ]) {
    const { status, stderr, stdout } = run("deploy", [], { ISSUER: issuer });
    assert.equal(status, 1, issuer);
    assert.match(stderr, /ISSUER/);
    assert.equal(stdout, "");
  }
});

test("the secrets are complete, of 256 bits, never the same, and shown only when asked for", () => {
  const sets = [run("secrets", ["--json"]), run("secrets", ["--json"])].map(({ stdout }) => JSON.parse(stdout));
  for (const set of sets) {
    assert.deepEqual(Object.keys(set).sort(), ["DATA_KEYS", "EDGE_KEYS", "GATEWAY_KEYS", "GRANT_ID_KEY", "HASH_KEYS", "SEAL_KEYS"]);
    for (const [name, value] of Object.entries(set)) assert.match(value, name === "GRANT_ID_KEY" ? /^[\w-]{43}$/ : /^1:[\w-]{43}$/);
  }
  const all = sets.flatMap((set) => Object.values(set));
  assert.equal(new Set(all).size, all.length);
  assert.doesNotMatch(run("secrets").stdout, /[\w-]{43}/);
});

test("an environment that wrangler.toml does not have is named in a clear message", () => {
  const { status, stderr } = run("deploy", ["--env", "nowhere"], { ISSUER: "https://auth.example.com" });
  assert.equal(status, 1);
  assert.match(stderr, /no environment "nowhere"/);
});

test("A31: no migration writes a row", () => {
  const statements = migrationStatements(join(root, "worker/migrations"));
  assert.ok(statements.length > 5);
  for (const sql of statements) assert.match(sql, /^CREATE (TABLE|INDEX|UNIQUE INDEX|TRIGGER)|^ALTER TABLE|^DROP/i);
});

test("A26, A27: no environment has a second address with the real data, or lets Cloudflare log the addresses of requests", () => {
  const config = parse(readFileSync(join(root, "wrangler.toml"), "utf8"));
  for (const [name, environment] of [["", config], ...Object.entries(config.env)]) {
    const { workers_dev, preview_urls, observability } = { ...config, ...environment }; // these three are inherited
    assert.deepEqual({ workers_dev, preview_urls }, { workers_dev: false, preview_urls: false }, name);
    assert.equal(observability.logs.invocation_logs, false, name);
  }
});

test("a port in use is said at once, with the way out", async () => {
  const { port, close } = await listener();
  const { status, stderr } = run("dev", [], { PORT: String(port) });
  await close();
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`Port ${port} is used by another program.*PORT=${port + 1}`));
  assert.match(run("dev", [], { PORT: "http" }).stderr, /PORT=http is not a port number/);
});

test("npm run dev serves the seeded system with its demo page, and Ctrl-C ends it", { timeout: 120_000 }, () =>
  dev([], async (server, output) => {
    for (const part of [`${server.issuer}/demo/`, "owner@demo.example", "demo-password", "demo-server-secret"])
      assert.ok(output().includes(part), part);
    assert.equal((await server.fetch("/demo/")).status, 200);
    const held = await connect(server, await signedIn(server), spa(server));
    assert.equal((await me(server, held.access_token)).status, 200);
    const bookings = await server.fetch("/api/v1/bookings", { headers: { authorization: `Bearer ${held.access_token}` } });
    assert.equal(bookings.status, 200, "the sample API is there, behind the gateway");
    assert.ok((await bookings.json()).bookings.length > 0);
    assert.equal((await server.fetch("/api/v1/bookings")).status, 401);
    assert.ok(output().includes(`GET ${server.issuer}/api/v1/bookings   bookings:read`), output());
    assert.ok(!output().includes(held.access_token) && !output().includes(held.code), "nothing secret in its output");
  }),
);

test("npm run dev -- --env klaviyo serves that preset with data that suits it", { timeout: 120_000 }, () =>
  dev(["--env", "klaviyo"], async (server, output) => {
    for (const part of ["Edgegrant as Klaviyo", "owner of Demo Store and Second Store", "demo-pending", "/api/accounts"])
      assert.ok(output().includes(part), `${part}\n${output()}`);
    assert.match(await (await server.fetch("/login")).text(), /to your Klaviyo account/);
  }),
);
