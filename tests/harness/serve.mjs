// The process that runs one Worker on workerd. `server.mjs` starts it as a child with a process group of its own, so
// that everything it does can be captured, and killed as a power cut would.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { migrationStatements } from "./migrations.mjs";

const NAME = "edgegrant";
const options = JSON.parse(process.env.EDGEGRANT_TEST_SERVER);

const harness = (name) => readFileSync(new URL(name, import.meta.url), "utf8");

/** Every module that was built, the entry first. */
function builtModules() {
  const folder = join(options.built, "worker");
  const names = readdirSync(folder, { recursive: true }).filter((name) => /\.(js|wasm)$/.test(name));
  names.sort((a, b) => (b === "index.js") - (a === "index.js"));
  return names.map((name) => {
    const bytes = readFileSync(join(folder, name));
    const path = `built/${name}`;
    return name.endsWith(".js") ? { type: "ESModule", path, contents: bytes.toString() } : { type: "CompiledWasm", path, contents: bytes };
  });
}

/** In front of the built modules: workerd writes what is logged to its standard output before it goes on. */
const QUIET = `import built from "./built/index.js";
export * from "./built/index.js";
export default built;
console.log = () => {};
`;

/** The built modules; the counting entry goes in front of them when it is asked for. */
function modules() {
  const built = builtModules();
  const counting = [
    { type: "ESModule", path: "counting.mjs", contents: harness("counting.mjs") },
    { type: "ESModule", path: "proxies.mjs", contents: harness("proxies.mjs") },
  ];
  if (options.bare && !options.logged && !options.counting) return [{ type: "ESModule", path: "quiet.mjs", contents: QUIET }, ...built];
  return options.counting ? [...counting, ...built] : built;
}

const object = (className) => ({ className, useSQLite: true });

const compatibility = { compatibilityDate: "2026-11-01", compatibilityFlags: ["global_fetch_strictly_public"] };

const edgegrant = {
  name: NAME,
  modules: modules(),
  modulesRoot: "/",
  ...compatibility,
  bindings: options.vars,
  kvNamespaces: { CODES: "codes" },
  d1Databases: { DB: "edgegrant" },
  durableObjects: { GRANT: object("Grant"), APP: object("App"), RATE_LIMITER: object("RateLimiter") },
  ratelimits: { UNPROVEN: { namespace_id: "1001", simple: { limit: options.unprovenLimit, period: 60 } } },
  serviceBindings: options.services,
  ...(options.analytics && { analyticsEngineDatasets: { METRICS: { dataset: "edgegrant" } } }),
  ...(options.direct && { unsafeDirectSockets: [{ host: "127.0.0.1", port: options.direct }] }),
  ...(options.email && { email: { send_email: [{ name: "EMAIL", ...options.email }] } }),
  ...(options.bare
    ? { unsafeDirectSockets: [{ host: "127.0.0.1", port: options.port }] }
    : { assets: { directory: join(options.built, "assets"), routerConfig: { has_user_worker: true } } }),
};

/** A Worker beside Edgegrant, bundled from its source, with an address of its own. */
function further({ name, script, port, vars, services, platform }) {
  const bundle = { entryPoints: [script], bundle: true, write: false, format: "esm", target: "es2024", external: ["cloudflare:*"] };
  const [{ text }] = buildSync({ ...bundle, conditions: ["workerd", "worker", "browser"] }).outputFiles;
  return {
    name,
    modules: [{ type: "ESModule", path: "index.mjs", contents: text }],
    ...compatibility,
    bindings: vars,
    serviceBindings: services,
    ...platform,
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
  };
}

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: options.bare ? 0 : options.port,
    ...(options.inspector && { inspectorPort: options.inspector }),
    ...(options.bare && { handleStructuredLogs() {} }),
    log: new Log(LogLevel.WARN),
    cf: false,
    telemetry: { enabled: false },
    resourcePersistencePath: options.storage,
    unsafeInspectDurableObjects: true,
    ...(options.email && { resourceTmpPath: join(options.storage, "sent") }),
    workers: [edgegrant, ...options.workers.map(further)],
  }),
);

async function migrate() {
  const db = await miniflare.getD1Database("DB");
  for (const sql of migrationStatements(join(options.built, "migrations"))) await db.prepare(sql).run();
}

const commands = {
  /** Drops objects from memory; what they had not stored is gone. */
  async evict({ className }) {
    const ids = await miniflare.listDurableObjectIds(className);
    for (const id of ids) {
      await miniflare.unsafeEvictDurableObject(NAME, className, { id }).catch((error) => {
        if (!/not currently running/.test(error.message)) throw error;
      });
    }
    return ids.length;
  },
  objects: ({ className }) => miniflare.listDurableObjectIds(className),
  async sql({ query, values }) {
    const db = await miniflare.getD1Database("DB");
    return (
      await db
        .prepare(query)
        .bind(...(values ?? []))
        .all()
    ).results;
  },
  async keys() {
    const codes = await miniflare.getKVNamespace("CODES");
    return (await codes.list()).keys.map((key) => key.name);
  },
  /** Runs what runs daily. */
  async scheduled() {
    return (await (await miniflare.getWorker(NAME)).scheduled({})).outcome;
  },
  /** The process of workerd, where the system says (Linux). */
  runtime() {
    const children = `/proc/${process.pid}/task/${process.pid}/children`;
    const pids = existsSync(children) ? readFileSync(children, "utf8").trim().split(" ") : [];
    return pids.map(Number).find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("workerd"));
  },
  async stop() {
    await miniflare.dispose();
    setImmediate(() => process.exit(0));
  },
};

process.on("message", async ({ id, command, ...args }) => {
  try {
    process.send({ id, value: await commands[command](args) });
  } catch (error) {
    process.send({ id, error: error.stack });
  }
});
process.on("disconnect", () => process.exit(1)); // the tests are gone

await miniflare.ready;
if (options.migrate) await migrate();
process.send({ id: "ready" });
