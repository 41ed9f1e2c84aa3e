// The installed package in every Node that is on this machine (20 is the oldest one supported): on a
// server, where there is no page, an import must do nothing and the parts without a page must work.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { project, removeProjects, write } from "./project.mjs";

const run = promisify(execFile);
const OLDEST = 20;

async function versions() {
  const places = (process.env.PATH ?? "").split(delimiter).map((place) => join(place, "node"));
  const found = new Map();
  for (const path of [process.execPath, ...places]) {
    const version = await run(path, ["--version"]).then(({ stdout }) => stdout.trim(), () => "v0");
    const major = Number(version.slice(1).split(".")[0]);
    if (major >= OLDEST && !found.has(major)) found.set(major, { path, version });
  }
  return [...found.values()];
}

const ENTRIES = ["pkce-wasm", "pkce-wasm/slim", "pkce-wasm/js"];

// The entry is evaluated in a realm that has the language and nothing else. What a platform adds (the
// globals of Node and of a page, WebAssembly) only tells there that somebody looked.
const UNTOUCHED = `
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
const context = vm.createContext();
const language = new Set(vm.runInContext("Object.getOwnPropertyNames(globalThis)", context));
const page = ["window", "document", "self", "location", "history", "localStorage", "sessionStorage", "indexedDB", "caches"];
const platform = [...Object.getOwnPropertyNames(globalThis), ...page].filter((name) => !language.has(name));
const touched = new Set();
for (const name of [...platform, "WebAssembly", "console"]) {
  const tell = () => void touched.add(name);
  Object.defineProperty(context, name, { get: tell, set: tell });
}
const before = Object.getOwnPropertyNames(context).length;
async function load(identifier) {
  return new vm.SourceTextModule(await readFile(fileURLToPath(identifier), "utf8"), { context, identifier });
}
const entry = await load(import.meta.resolve(process.argv[2]));
await entry.link((specifier, { identifier }) => load(new URL(specifier, identifier).href));
await entry.evaluate().catch(() => {}); // who reached for something failed with it
const left = Object.getOwnPropertyNames(context).length - before;
const names = Reflect.ownKeys(entry.namespace).filter((key) => typeof key === "string");
console.log(JSON.stringify({ touched: [...touched], left, looked: platform.length, names }));
`;

const WORKS = `
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
const api = await import(process.argv[2]);
if (api.init) await api.init(await readFile(fileURLToPath(import.meta.resolve("pkce-wasm/pkce.wasm"))));
const config = {
  issuer: "https://as.example", clientId: "app", redirectUri: "https://app.example/callback",
  authorizationEndpoint: "https://as.example/authorize", tokenEndpoint: "https://as.example/token",
};
const failure = (work) => work().then(String, (error) => error.code);
const { codeVerifier, codeChallenge } = api.generatePkce();
const { url, state, flow, codeVerifier: verifier } = api.createAuthorizationRequest(config, { scope: "read" });
const answer = new URLSearchParams({ code: "c", state, iss: config.issuer });
const session = api.createSession(config);
session.onChange(() => {});
console.log(JSON.stringify({
  pkce: createHash("sha256").update(codeVerifier).digest("base64url") === codeChallenge,
  url,
  same: api.parseCallback(config, config.redirectUri + "?" + answer, flow).codeVerifier === verifier,
  nothing: await api.handleCallback(config),
  storage: await failure(() => api.startLogin(config)),
  token: await failure(() => session.getAccessToken()),
}));
`;

const nodes = await versions();
let folder;
before(async () => {
  folder = await project("imports");
  await write(folder, { "untouched.js": UNTOUCHED, "works.js": WORKS });
});
after(removeProjects);

async function answerOf(path, script, entry) {
  const flags = ["--experimental-vm-modules", "--no-warnings"];
  // A process that a session kept alive would never end: a build that renders pages would hang.
  const { stdout } = await run(path, [...flags, script, entry], { cwd: folder, timeout: 20_000 });
  return JSON.parse(stdout);
}

for (const { path, version } of nodes) {
  describe(`Node ${version}`, { concurrency: 2 }, () => {
    for (const entry of ENTRIES) {
      test(`importing ${entry} touches no global and leaves none`, async () => {
        const { touched, left, looked, names } = await answerOf(path, "untouched.js", entry);
        assert.deepEqual(touched, []);
        assert.equal(left, 0);
        assert.ok(looked > 50 && names.includes("startLogin"));
      });

      test(`${entry} does on a server what needs no page`, async () => {
        const { pkce, url, same, nothing, storage, token } = await answerOf(path, "works.js", entry);
        assert.ok(pkce);
        assert.match(url, /^https:\/\/as\.example\/authorize\?response_type=code&.*&code_challenge_method=S256$/);
        assert.ok(same);
        assert.equal(nothing, null);
        assert.equal(storage, "storage_unavailable");
        assert.equal(token, "login_required");
      });
    }
  });
}

