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
afterEach(() => {
  Object.defineProperties(WebAssembly, real);
  delete globalThis.location;
  delete globalThis.history;
});

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

const QUESTIONS = {
  generatePkce: (api) => api.generatePkce(),
  begin: (api) => api.createAuthorizationRequest(CONFIG),
  land: (api) => api.parseCallback(CONFIG, `${CONFIG.redirectUri}?code=c&state=s`, "state=s&verifier=v"),
  clean(api) {
    const href = `${CONFIG.redirectUri}?code=c&state=s`;
    Object.assign(globalThis, { location: { href }, history: { replaceState() {} } });
    api.parseCallback(CONFIG, href, "");
  },
  __wbindgen_malloc: (api) => api.createAuthorizationRequest(CONFIG),
};

for (const [broken, question] of Object.entries(QUESTIONS)) {
  test(`an instance whose ${broken} trapped is replaced: the next call works`, async () => {
    let instances = 0;
    let armed = true;
    replace("Instance", (...args) => {
      instances += 1;
      const { exports } = new Instance(...args);
      // After its trap this instance is of no use: whatever is asked of it fails.
      let poisoned = false;
      const guard = (name, work) => (...values) => {
        if (armed && name === broken) {
          armed = false;
          poisoned = true;
        }
        return poisoned ? trap() : work(...values);
      };
      const wrapped = Object.entries(exports).map(([name, value]) => [name, typeof value === "function" ? guard(name, value) : value]);
      return { exports: Object.fromEntries(wrapped) };
    });
    const api = await fresh("index.js");
    try {
      question(api);
    } catch (error) {
      assert.equal(error.name, "PkceError", error.stack);
      assert.match(error.code, /unsupported|state_unknown/); // the second where the call was tried again
    }
    assert.equal(armed, false, `${broken} is no export of the module any more`);
    works(api);
    works(api);
    assert.equal(api.createAuthorizationRequest(CONFIG).state.length, 32);
    assert.equal(instances, 2);
  });
}

test("a module that trapped keeps no state in JavaScript: texts of any length pass afterwards", async () => {
  let armed = true;
  replace("Instance", (...args) => {
    const { exports } = new Instance(...args);
    if (!armed) return { exports };
    armed = false;
    const land = () => {
      new Uint8Array(exports.memory.buffer).fill(0xff);
      trap();
    };
    return { exports: { ...exports, land } };
  });
  const api = await fresh("index.js");
  const question = () => api.parseCallback(CONFIG, `${CONFIG.redirectUri}?code=c&state=s&x=${"é".repeat(200_000)}`, "");
  assert.throws(question, { code: /unsupported|state_unknown/ });
  assert.throws(question, { code: "state_unknown" });
  works(api);
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
  assert.throws(
    () => api.generatePkce(),
    (error) => error.code === "unsupported" && /\binit\b/.test(`${error.message} ${error.cause?.message}`),
  );
  await api.init(WASM);
  works(api);
});

test("./slim: after an init that failed another one can succeed", async () => {
  const api = await fresh("slim.js");
  for (const path of ["/missing.wasm", "/broken.wasm"]) {
    await assert.rejects(api.init(server.origin + path), { name: "PkceError" });
    assert.throws(() => api.generatePkce(), { code: "unsupported" });
  }
  await api.init(`${server.origin}/pkce.wasm`);
  works(api);
});
