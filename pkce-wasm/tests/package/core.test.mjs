// The module behind the entries: which bytes run, that it starts late and once, and what happens
// after a trap. Each test imports an entry anew (`?n`), because an instance lives as long as its module.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { startServer } from "../server.mjs";
import { DIST } from "./project.mjs";

const WASM = readFileSync(join(DIST, "pkce.wasm"));
let imported = 0;
const fresh = (name) => import(`${join(DIST, name)}?${(imported += 1)}`);

const { Module, Instance } = WebAssembly;
const real = { ...Object.getOwnPropertyDescriptors(WebAssembly) };
afterEach(() => Object.defineProperties(WebAssembly, real));

// Replaces constructors of WebAssembly for one test.
function replace(name, construct) {
  const value = new Proxy(WebAssembly[name], { construct: (target, args) => construct(...args) });
  Object.defineProperty(WebAssembly, name, { ...real[name], value });
}

function works({ generatePkce }) {
  const { codeVerifier, codeChallenge } = generatePkce();
  assert.equal(createHash("sha256").update(codeVerifier).digest("base64url"), codeChallenge);
}

const CONFIG = {
  issuer: "https://as.example",
  clientId: "app",
  redirectUri: "https://app.example/callback",
  authorizationEndpoint: "https://as.example/authorize",
  tokenEndpoint: "https://as.example/token",
};

test("the inlined module is pkce.wasm, byte for byte, made once and at the first call", async () => {
  const given = [];
  replace("Module", (bytes) => {
    given.push(Buffer.from(new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength)));
    return new Module(bytes);
  });
  const api = await fresh("index.js");
  assert.equal(given.length, 0);
  works(api);
  works(api);
  assert.equal(given.length, 1);
  assert.ok(given[0].equals(WASM), "other bytes");
});

// (module (func (export "trap") unreachable)): a real trap, as a panic of the core would be one.
const TRAP = "0061736d010000000104016000000302010007080104747261700000" + "0a05010300000b";
function trap() {
  const { exports } = new Instance(new Module(Buffer.from(TRAP, "hex")));
  exports.trap();
}

// An instance whose export `broken` traps at its `turn`th call is of no use from then on: whatever is
// asked of it traps. Gives how many instances were made.
function breaking(broken, turn, times = 1) {
  const made = { instances: 0 };
  replace("Instance", (...args) => {
    made.instances += 1;
    const { exports } = new Instance(...args);
    if (made.instances > times) return { exports };
    let calls = 0;
    let poisoned = false;
    const guard = ([name, value]) => {
      if (typeof value !== "function") return [name, value];
      const guarded = (...values) => {
        calls += name === broken ? 1 : 0;
        if (calls === turn && !poisoned) {
          poisoned = true;
          new Uint8Array(exports.memory.buffer).fill(0xff);
        }
        return poisoned ? trap() : value(...values);
      };
      return [name, guarded];
    };
    return { exports: Object.fromEntries(Object.entries(exports).map(guard)) };
  });
  return made;
}

const FUNCTIONS = WebAssembly.Module.exports(new Module(WASM)).filter(({ kind }) => kind === "function");

for (const { name } of FUNCTIONS) {
  for (const entry of ["index.js", "slim.js"]) {
    test(`${entry}: an instance whose ${name} trapped is replaced, and nobody notices`, async () => {
      const made = breaking(name, 2);
      const api = await fresh(entry);
      await api.init?.(WASM);
      for (let round = 0; round < 3; round += 1) works(api);
      const { flow, state } = api.createAuthorizationRequest(CONFIG);
      const answer = new URLSearchParams({ code: "c", state, iss: CONFIG.issuer, extra: "é".repeat(100_000) });
      assert.equal(api.parseCallback(CONFIG, `${CONFIG.redirectUri}?${answer}`, flow).code, "c");
      assert.equal(made.instances, 2);
    });
  }
}

test("./js takes texts that are larger than its memory was", async () => {
  const api = await fresh("js.js");
  const { flow, state } = api.createAuthorizationRequest(CONFIG);
  const answer = new URLSearchParams({ code: "c", state, iss: CONFIG.issuer, extra: "é".repeat(100_000) });
  assert.equal(api.parseCallback(CONFIG, `${CONFIG.redirectUri}?${answer}`, flow).code, "c");
  works(api);
});

test("a core that traps again and again is an error, and a later call starts anew", async () => {
  const made = breaking("ask", 1, 2);
  const api = await fresh("index.js");
  assert.throws(() => api.generatePkce(), { name: "PkceError", code: "unsupported", retry: "no" });
  assert.equal(made.instances, 2);
  works(api);
  assert.equal(made.instances, 3);
});

const server = await startServer();
server.answer("/pkce.wasm", { headers: { "content-type": "application/wasm" }, text: WASM });
server.answer("/plain.wasm", { headers: { "content-type": "application/octet-stream" }, text: WASM });
server.answer("/broken.wasm", { headers: { "content-type": "application/wasm" }, text: "no module" });
after(() => server.close());

const INPUTS = {
  "an address": () => `${server.origin}/pkce.wasm`,
  "a URL": () => new URL("/pkce.wasm", server.origin),
  "a response": () => fetch(`${server.origin}/pkce.wasm`).then((response) => ({ response })),
  "the promise of a response": () => fetch(`${server.origin}/pkce.wasm`),
  "a response of another type": () => fetch(`${server.origin}/plain.wasm`),
  "an array of bytes": () => new Uint8Array(WASM),
  "a view into a larger buffer": () => new Uint8Array([0, ...WASM, 0]).subarray(1, -1),
  "a buffer": () => new Uint8Array(WASM).buffer,
  "a module": () => new Module(WASM),
};

for (const [name, input] of Object.entries(INPUTS)) {
  test(`./slim starts from ${name}`, async () => {
    const api = await fresh("slim.js");
    const given = input();
    const response = name === "a response" ? (await given).response : undefined;
    await api.init(response ?? given);
    works(api);
  });
}

test("./slim: init may run often and twice at a time; the module is fetched once", async () => {
  const before = server.requests.length;
  const api = await fresh("slim.js");
  const address = `${server.origin}/pkce.wasm`;
  await Promise.all([api.init(address), api.init(address)]);
  await api.init(address);
  assert.equal(server.requests.length - before, 1);
  works(api);
});

test("./slim: a call before init is refused with the word", async () => {
  const api = await fresh("slim.js");
  assert.throws(() => api.generatePkce(), { name: "PkceError", code: "not_initialized", message: /\binit\b/ });
  await api.init(WASM);
  works(api);
});

test("./slim: after an init that failed another one can succeed", async () => {
  const api = await fresh("slim.js");
  for (const [path, code] of [
    ["/missing.wasm", "network"],
    ["/broken.wasm", "unsupported"],
  ]) {
    await assert.rejects(api.init(server.origin + path), { name: "PkceError", code });
    assert.throws(() => api.generatePkce(), { code: "not_initialized" });
  }
  await api.init(`${server.origin}/pkce.wasm`);
  works(api);
});
