// What the Worker serves, found out without the table: every word of the routes' source is tried as an address behind
// every prefix that the table knows, and whatever answers PATCH with `Allow` is there. The arms of the dispatch that
// match more than a literal are given as they are written, so that one that nobody thought of is noticed too.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROUTES = fileURLToPath(new URL("../../worker/src/routes/", import.meta.url));
const files = readdirSync(ROUTES, { recursive: true }).filter((name) => name.endsWith(".rs"));
const isManage = (text) => text.startsWith("manage/") || text.startsWith("/manage/");

/** Words of the pages' source, or of the management API's, that can be a path or a part of one. */
function words(manage) {
  const sources = files.filter((name) => isManage(name) === manage).map((name) => readFileSync(join(ROUTES, name), "utf8"));
  const found = sources.flatMap((text) => [...text.matchAll(/"(\/?[a-z][a-z0-9./-]{0,40})"/g)].map(([, word]) => word));
  return new Set(found.map((word) => word.replace(/^\/|\/$/g, "")).filter(Boolean));
}

/** Patterns of the dispatch that are no literal path: constants, and guards as they are written. */
function dispatchArms() {
  const main = readFileSync(join(ROUTES, "mod.rs"), "utf8");
  const bodies = [...main.matchAll(/match \(path, method\) \{\n([\s\S]*?)\n {4}\};?\n/g)].map(([, body]) => body);
  if (bodies.length === 0) throw new Error("routes/mod.rs has no dispatch that is understood here");
  const arms = [...bodies.join("\n").matchAll(/^ {8}\((.*?), (?:_|method|Method::[\w| :]+)\)(?: if (.*?))? => /gm)];
  return new Set(arms.flatMap(([, path, guard]) => (guard ? [guard] : path.startsWith('"') || path === "path" ? [] : [path])));
}

/** The methods in a path's `Allow`, without what follows from others. */
async function methodsAt(server, path, token) {
  const answer = await server.fetch(path, { method: "PATCH", headers: { authorization: `Bearer ${token}` } });
  await answer.body?.cancel();
  const allow = answer.headers.get("allow") ?? "";
  return allow.split(", ").filter((method) => method && !["HEAD", "OPTIONS"].includes(method));
}

/** A path without the names of what the test makes. */
const unnamed = (path) => path.replace(/\{\w+\}/g, "{}");

/** Prefixes behind which an address may be: of what has something below it, and of everything that was made. */
function prefixes(paths) {
  const found = new Set([""]);
  for (const path of paths) {
    const parts = path.split("/").slice(1);
    const most = path.endsWith("}") ? parts.length : parts.length - 1;
    for (let length = 1; length <= most; length += 1) found.add(`/${parts.slice(0, length).join("/")}`);
  }
  return [...found].filter((prefix) => !prefix.startsWith("/logo"));
}

/** Every address that is served, with `{}` for what the test made, and the arms of the dispatch. */
export async function served(server, world, rows) {
  const paths = new Map(rows.map(({ path }) => [unnamed(path), path]));
  // Where anything may stand, a word is nothing else.
  const patterns = [...paths.keys()].filter((path) => path.includes("{}")).map((path) => new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("{}", "[^/]+")}$`));
  const isAnything = (path) => patterns.some((pattern) => pattern.test(path));
  for (const prefix of prefixes([...paths.values()]))
    for (const word of words(isManage(`${prefix}/`))) {
      const path = `${prefix}/${word}`;
      if (!paths.has(unnamed(path)) && !isAnything(unnamed(path))) paths.set(unnamed(path), path);
    }
  const addresses = new Set();
  const queue = [...paths];
  const work = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [address, path] = next;
      const things = await world.things({ request: path, method: "PATCH", path }, false);
      for (const method of await methodsAt(server, things.path, world.bearer.token)) addresses.add(`${method} ${address}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return { addresses, arms: dispatchArms() };
}

/** The operations of the published description, as the table names them. */
export async function described(server) {
  const { paths } = await (await server.fetch("/openapi.json")).json();
  const methods = (item) => Object.keys(item).filter((name) => ["get", "post", "put", "patch", "delete"].includes(name));
  return Object.entries(paths).flatMap(([path, item]) =>
    methods(item).map((method) => `${method.toUpperCase()} ${unnamed(path.startsWith("/manage/") ? path : `/manage/v1${path}`)}`),
  );
}
