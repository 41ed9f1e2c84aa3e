// The process that runs one Worker on workerd. `server.mjs` starts it as a child with a process group of its own, so
// that everything it does can be captured, and killed as a power cut would.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
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

/** The built modules; the counting entry goes in front of them when it is asked for. */
function modules() {
  const built = builtModules();
  const counting = [
    { type: "ESModule", path: "counting.mjs", contents: harness("counting.mjs") },
    { type: "ESModule", path: "proxies.mjs", contents: harness("proxies.mjs") },
  ];
  return options.counting ? [...counting, ...built] : built;
}

const object = (className) => ({ className, useSQLite: true });

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: options.port,
    log: new Log(LogLevel.WARN),
    cf: false,
    telemetry: { enabled: false },
    resourcePersistencePath: options.storage,
    unsafeInspectDurableObjects: true,
    name: NAME,
    modules: modules(),
    modulesRoot: "/",
    compatibilityDate: "2026-11-01",
    compatibilityFlags: ["global_fetch_strictly_public"],
    bindings: options.vars,
    kvNamespaces: { CODES: "codes" },
    d1Databases: { DB: "edgegrant" },
    durableObjects: { GRANT: object("Grant"), APP: object("App"), RATE_LIMITER: object("RateLimiter") },
    ratelimits: { UNPROVEN: { namespace_id: "1001", simple: { limit: options.unprovenLimit, period: 60 } } },
    ...(options.analytics && { analyticsEngineDatasets: { METRICS: { dataset: "edgegrant" } } }),
    ...(options.email && {
      email: { send_email: [{ name: "EMAIL", ...options.email }] },
      resourceTmpPath: join(options.storage, "sent"),
    }),
    assets: { directory: join(options.built, "assets"), routerConfig: { has_user_worker: true } },
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
