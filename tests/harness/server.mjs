// Starts the built Worker on workerd with local KV, D1 and Durable Objects, for one test file or one test.
import { fork } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rawFetch } from "./raw.mjs";

const root = resolve(fileURLToPath(new URL("../..", import.meta.url)));
const serve = fileURLToPath(new URL("serve.mjs", import.meta.url));
const START_LIMIT_MS = 60_000;
const running = new Set();

/** A port nobody listens on. The redirect URI of the demo page holds it, so it must be known before the start. */
function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.on("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/**
 * @param {object} [options]
 * @param {object} [options.vars]      further vars of the Worker, for example POLICY, or another ISSUER
 * @param {boolean} [options.counting] put the counting entry in front: `server.count()` and faults work
 * @param {boolean} [options.seed]     false: the database has its tables and nobody in them
 * @param {string} [options.preset]    the preset; its addresses are in `server.routes`
 * @param {string} [options.variant]   "development" unless said otherwise
 * @param {object} [options.email]     binds EMAIL, Miniflare's local mail service, with these restrictions
 * @param {object[]} [options.workers]  Workers beside it: `{ name, script, vars, services, platform }`, the script below
 *                                      tests/, `platform` being further options of Miniflare; the address of each is in
 *                                      `server.workers[name]`
 * @param {boolean} [options.direct]   a second port, `server.direct`, straight to the Worker: Miniflare's own tidies addresses up
 *                                     and compresses anew
 * @param {object} [options.services]  service bindings of Edgegrant to these Workers, such as `{ API: "bookings" }`
 * @param {boolean} [options.analytics] binds METRICS; with the counting entry `count().points` has what was written
 * @param {boolean} [options.bare]     straight from workerd, without Miniflare's entry and static assets in between, and without the
 *                                      log of requests unless `logged`
 * @param {number} [options.unprovenLimit]  figure of the rate-limit binding; high by default, tests are one address
 */
export async function startServer(options = {}) {
  const built = join(root, ".build", options.variant ?? "development");
  if (!existsSync(join(built, "worker/index.js"))) {
    throw new Error(`The Worker is not built: ${built} is missing. Run: node worker/tools/build.mjs`);
  }
  const server = new Server(built, await freePort(), options);
  if (options.direct) server.direct = await freePort();
  for (const worker of options.workers ?? []) server.beside(worker, await freePort());
  try {
    await server.start();
  } catch (error) {
    await server.stop(); // or its process would keep the tests from ending
    throw error;
  }
  if (options.preset) {
    const { authorize, token, refresh, revoke, introspect, me } = await (await server.fetch("/__dev/platform")).json();
    server.routes = { authorize, token, refresh, revoke, introspect, me: me.path };
  }
  return server;
}

export class Server {
  /** Where a preset has its endpoints; undefined for the default one. */
  routes;
  /** What the processes of this server printed so far, workerd's included. */
  log = "";
  /** The port that leads straight to the Worker, where it was asked for. */
  direct;
  /** Addresses of the Workers beside it, by name. */
  workers = {};
  #beside = [];
  #child;
  #calls = new Map();
  #migrated = false;
  #storage = mkdtempSync(join(tmpdir(), "edgegrant-test-"));

  constructor(built, port, options) {
    this.built = built;
    this.options = options;
    this.port = port;
    this.address = `http://localhost:${port}`;
    this.issuer = options.vars?.ISSUER ?? this.address;
  }

  /** Adds a Worker before the start. */
  beside(worker, port) {
    this.#beside.push({ ...worker, script: join(root, "tests", worker.script), port });
    this.workers[worker.name] = `http://127.0.0.1:${port}`;
  }

  /** The process whose child workerd is. */
  get pid() {
    return this.#child.pid;
  }

  /** The folder with everything that KV, D1 and the objects have stored. */
  get storage() {
    return this.#storage;
  }

  async start() {
    const config = {
      built: this.built,
      port: this.port,
      storage: this.#storage,
      counting: this.options.counting ?? false,
      bare: this.options.bare ?? false,
      logged: this.options.logged,
      inspector: this.options.inspector,
      email: this.options.email ?? null,
      analytics: this.options.analytics ?? false,
      unprovenLimit: this.options.unprovenLimit ?? 1_000_000,
      migrate: !this.#migrated,
      direct: this.direct,
      workers: this.#beside,
      services: this.options.services ?? {},
      vars: { ISSUER: this.issuer, PRESET: this.options.preset ?? "default", ...this.options.vars },
    };
    const child = fork(serve, [], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, EDGEGRANT_TEST_SERVER: JSON.stringify(config), NODE_OPTIONS: "" },
    });
    this.#child = child;
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (this.log += text));
    child.on("message", ({ id, value, error }) => {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error) call?.failed(new Error(error));
      else call?.done(value);
    });
    child.on("exit", (code, signal) => {
      running.delete(child);
      for (const call of this.#calls.values()) call.failed(new Error(`the server ended (${signal ?? code})\n${this.log}`));
      this.#calls.clear();
    });
    await this.#reply("ready", START_LIMIT_MS);
    if (!this.#migrated && this.options.variant !== "release" && this.options.seed !== false) await this.seed();
    this.#migrated = true;
  }

  async seed() {
    const answer = await this.fetch("/__dev/seed", { method: "POST" });
    if (!answer.ok) throw new Error(`seeding: HTTP ${answer.status} ${await answer.text()}\n${this.log}`);
  }

  #reply(id, limit = 20_000) {
    return new Promise((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`no answer from the server process to ${id}\n${this.log}`)), limit);
      const settle = (how) => (value) => {
        clearTimeout(timer);
        how(value);
      };
      this.#calls.set(id, { done: settle(done), failed: settle(failed) });
    });
  }

  #call(command, args = {}) {
    const id = crypto.randomUUID();
    const reply = this.#reply(id);
    this.#child.send({ id, command, ...args });
    return reply;
  }

  /** A request to this server; redirects are never followed. */
  fetch(path, init = {}) {
    const url = new URL(path, this.issuer);
    if (url.origin === this.address) return fetch(url, { redirect: "manual", ...init });
    const headers = new Headers(init.headers);
    headers.set("host", url.host);
    return rawFetch(this.port, url.pathname + url.search, { ...init, headers });
  }

  /** Shifts the clock of the Worker and its objects; the offset counts from the real time, not from the last shift. */
  async clock(offsetMs) {
    const body = new URLSearchParams({ offset_ms: String(offsetMs) });
    const answer = await this.fetch("/__dev/clock", { method: "POST", body });
    if (!answer.ok) throw new Error(`clock: HTTP ${answer.status}`);
  }

  /** Storage operations since the last reset, see counting.mjs; waits for what goes on after an answer. */
  async count() {
    for (;;) {
      const counts = await (await this.fetch("/__count")).json();
      if (counts.pending === 0) return counts;
    }
  }
  async resetCount() {
    await this.count();
    await this.fetch("/__count", { method: "POST", body: JSON.stringify({ reset: true }) });
  }
  /** The lines of JSON in the log, as far as they are complete; of an event if one is named. */
  lines(event) {
    const lines = this.log.split("\n").slice(0, -1).filter((line) => line.startsWith('{"'));
    const parsed = lines.map((line) => JSON.parse(line));
    return event ? parsed.filter((line) => line.event === event) : parsed;
  }

  /** The line of a request with these members; what workerd prints may come a moment after the answer. */
  async line(members) {
    const found = () => this.lines("request").find((line) => Object.entries(members).every(([name, value]) => line[name] === value));
    for (let tries = 0; !found() && tries < 100; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    if (!found()) throw new Error(`no line with ${JSON.stringify(members)} in the log:\n${this.log}`);
    return found();
  }

  /** Runs an action and returns what it cost. */
  async counted(action) {
    await this.resetCount();
    const value = await action();
    return { value, cost: await this.count() };
  }
  /** Switches faults on: `{ kvGet: "miss" | "throw", d1: "throw", object: "throw" ... }`; `{}` switches all off. */
  async faults(faults) {
    await this.fetch("/__count", { method: "POST", body: JSON.stringify({ faults }) });
  }

  evict = (className) => this.#call("evict", { className });
  objects = (className) => this.#call("objects", { className });
  sql = (query, ...values) => this.#call("sql", { query, values });
  /** Runs what runs daily; "ok" when it ended without an error. */
  scheduled = () => this.#call("scheduled");
  /** The id of workerd's process; undefined where the system does not say. */
  runtime = () => this.#call("runtime");
  kvKeys = () => this.#call("keys");

  /** Ends workerd and everything around it at once, as a power cut would. */
  async kill() {
    const ended = new Promise((done) => this.#child.once("exit", done));
    process.kill(-this.#child.pid, "SIGKILL");
    await ended;
  }

  async restart() {
    if (running.has(this.#child)) await this.kill();
    await this.start();
  }

  async stop() {
    if (running.has(this.#child)) {
      const ended = new Promise((done) => this.#child.once("exit", done));
      await this.#call("stop").catch(() => {});
      await ended;
    }
    rmSync(this.#storage, { recursive: true, force: true });
  }
}

process.on("exit", () => {
  for (const child of running) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // ended by itself in the meantime
    }
  }
});
