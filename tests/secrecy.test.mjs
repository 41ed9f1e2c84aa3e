// What a copy of the storage, the logs and the deployed module give away: nothing usable, nobody's name.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import {
  authorize,
  authorizePath,
  basic,
  Browser,
  connect,
  exchange,
  me,
  OWNER,
  PASSWORD,
  pkce,
  post,
  redirectParams,
  refresh,
  revoke,
  serverApp,
  signedIn,
  spa,
  STAFF,
} from "./harness/client.mjs";
import { dump, occurrences } from "./harness/dump.mjs";
import { startServer } from "./harness/server.mjs";

const PEOPLE = [OWNER, STAFF, "admin@demo.example", "nobody@demo.example"];
const NAMES = ["Olivia", "Sam Staff", "Ada Admin"];
const ADDRESS = "203.0.113.77";
const DEVELOPMENT = [
  "demo-password",
  "demo-server-secret",
  "demo-management-token",
  "demo.example",
  "Demo Salon",
  "/__dev/",
  "demo-spa",
  "demo-resource",
  "demo-pending",
  "Demo Store",
  "INSERT INTO mail",
  "Demo Team",
];

let server, app;
const confidential = serverApp();
/** Every secret of the run: codes, tokens, verifiers, challenges, cookies, passwords, client secrets, states. */
const secrets = new Map();
const keep = (kind, value) => value && secrets.set(value, kind);
const keepAll = (kind, answer) => {
  for (const member of ["access_token", "refresh_token"]) keep(`${kind} ${member}`, answer.json?.[member]);
  return answer;
};

/** A run with everything in it that people and apps do, the wrong things included. */
before(async () => {
  server = await startServer();
  const send = server.fetch.bind(server);
  server.fetch = (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("cf-connecting-ip", ADDRESS);
    return send(path, { ...init, headers });
  };
  app = spa(server);
  const owner = await signedIn(server);
  await new Browser(server).signIn(OWNER, "wrong-password-in-the-log");
  await new Browser(server).signIn("nobody@demo.example", "wrong-password-in-the-log");
  keep("password", "wrong-password-in-the-log");
  keep("password", PASSWORD);
  keep("client secret", confidential.secret);
  keep("management token", "demo-management-token");

  for (const client of [app, confidential]) {
    const state = `state-${crypto.randomUUID()}`;
    const redirect = await authorize(owner, client, { state, login_hint: STAFF });
    keep("code", redirect.code);
    keep("verifier", redirect.verifier);
    keep("state", state);
    keep("consent field", redirect.form.values("consent")[0]);
    const held = keepAll("first", await exchange(server, client, redirect)).json;
    const next = keepAll("second", await refresh(server, client, held.refresh_token)).json;
    keepAll("retry", await refresh(server, client, held.refresh_token));
    await me(server, next.access_token);
    keepAll("narrow", await refresh(server, client, next.refresh_token, { scope: "account:read" }));
    await me(server, `${next.access_token}x`);
    await exchange(server, client, redirect); // replay
    const last = await connect(server, owner, client);
    for (const member of ["access_token", "refresh_token", "code", "verifier"]) keep(`last ${member}`, last[member]);
    await revoke(server, client, last.access_token);
  }
  const unused = await authorize(owner, app);
  keep("unused code", unused.code);
  keep("unused verifier", unused.verifier);
  const header = basic(confidential.id, "a-wrong-secret-in-the-log");
  keep("wrong secret", "a-wrong-secret-in-the-log");
  await post(
    server,
    "/oauth/token",
    { grant_type: "refresh_token", refresh_token: "a-made-up-token-in-the-log" },
    { authorization: header },
  );
  keep("made-up token", "a-made-up-token-in-the-log");
  const denied = await authorize(owner, app, { decision: "deny" });
  assert.equal(redirectParams(denied.location).error, "access_denied");
  await owner.page(authorizePath(app, { code_challenge: pkce().challenge, scope: "nope" }));
  await server.fetch("/api/v1/me?access_token=a-token-in-the-address-12345");
  keep("token in the address", "a-token-in-the-address-12345");
  for (const path of ["/oauth/token", "/account", "/manage/v1/apps", "/nowhere"]) await server.fetch(`${path}/a-token-in-the-path-12345`);
  keep("token in the path", "a-token-in-the-path-12345");
  for (const [name, value] of owner.cookies) keep(`cookie ${name}`, value);
});
after(() => server.stop());

test("the run has secrets to look for, and the scan finds what is stored readably", () => {
  assert.ok(secrets.size >= 25, `${secrets.size}`);
  const files = [{ name: "x", bytes: Buffer.from("....eg_at_AAAA-BBBB-CCCC....") }];
  assert.equal(occurrences(files, "eg_at_AAAA-BBBB-CCCC").length >= 1, true);
  const files2 = [{ name: "x", bytes: Buffer.concat([Buffer.from("pad"), Buffer.from("A".repeat(92), "base64url")]) }];
  assert.ok(occurrences(files2, `eg_rt_${"A".repeat(92)}`).length >= 1, "the bytes of a token without its text");
  // The scan reads the right files: what is public and stored must be found.
  const stored = dump(server);
  assert.ok(
    stored.some(({ bytes }) => bytes.includes("account:read")),
    "scopes are readable in the dump",
  );
  assert.ok(
    stored.some(({ name }) => name.includes("Grant")) &&
      stored.some(({ name }) => name.startsWith("kv")) &&
      stored.some(({ name }) => name.startsWith("d1")),
  );
});

test("RT-18, invariant 7: no code, token, key or secret can be read from a dump of KV, D1 and the objects", () => {
  const files = dump(server);
  const found = [...secrets]
    .filter(([, kind]) => kind !== "state")
    .flatMap(([secret, kind]) => occurrences(files, secret).map(({ name, form }) => `${kind} in ${name} (form ${form})`));
  assert.deepEqual(found, []);
});

test("invariant 7: nobody's name or e-mail address is readable in a dump, nor in names of objects and keys", async () => {
  const files = dump(server);
  for (const person of PEOPLE) {
    for (const text of [person, person.split("@")[0] + "@", person.toUpperCase()]) {
      const found = files.filter(({ name, bytes }) => bytes.includes(text) || name.includes(text)).map(({ name }) => name);
      assert.deepEqual(found, [], text);
    }
  }
  for (const name of NAMES) assert.equal(files.some(({ bytes }) => bytes.includes(name)), false, name);
  // Miniflare keeps the counters of the rate-limit binding in files of its own; Cloudflare keeps them in memory.
  const stored = files.filter(({ name }) => !name.startsWith("ratelimit/"));
  assert.deepEqual(
    stored.filter(({ bytes }) => bytes.includes(ADDRESS)).map(({ name }) => name),
    [],
    "addresses",
  );
  for (const key of await server.kvKeys()) assert.match(key, /^code:[\w-]{43}$|^code:[0-9a-f]{64}$/);
});

test("RT-17, invariant 8: no code, token, secret, verifier or password is in any log", () => {
  const found = [...secrets].filter(([secret]) => server.log.includes(secret)).map(([, kind]) => kind);
  assert.deepEqual(found, []);
  for (const person of [...PEOPLE, ADDRESS]) assert.ok(!server.log.includes(person), person);
  assert.ok(!/[?&](code|state|access_token|login_hint|refresh_token)=/.test(server.log));
});

test("invariant 9: nothing panicked or failed on the way", () => {
  assert.doesNotMatch(server.log, /panicked|RuntimeError|unreachable|Critical|Uncaught|hung/);
});

const RELEASE = new URL("../.build/release/worker/", import.meta.url);
/** The modules that are deployed. */
function released() {
  const files = readdirSync(RELEASE, { recursive: true }).filter((name) => /\.(js|wasm)$/.test(name));
  assert.deepEqual(files.sort(), ["access.js", "index.js", "portal/index.js", "portal/index_bg.wasm", "protocol/index.js", "protocol/index_bg.wasm"]);
  return files;
}

test("A31: the module that is deployed has none of the development data and routes", () => {
  for (const file of released()) {
    const bytes = readFileSync(new URL(file, RELEASE));
    for (const text of DEVELOPMENT) assert.equal(bytes.includes(text), false, `${text} in ${file}`);
  }
  const development = readFileSync(new URL("../.build/development/worker/index_bg.wasm", import.meta.url));
  assert.ok(development.includes("demo-server-secret") || development.includes("demo-password"), "the search would find them");
});

test("what is deployed names no folder of the machine that built it: with them its bytes would be this machine's own", () => {
  const { HOME, CARGO_HOME, CARGO_TARGET_DIR, RUSTUP_HOME } = process.env;
  const own = [HOME, CARGO_HOME, CARGO_TARGET_DIR, RUSTUP_HOME, process.cwd(), tmpdir()].filter((folder) => folder?.length > 1);
  // Paths of Linux, macOS and Windows; sources of crates and of Rust have names that are the same everywhere.
  const elsewhere = ["/home/", "/root/", "/Users/", "/tmp/", "/.cargo/", "/rustup/", "/.rustup/", ":\\Users\\", "/target/release/"];
  for (const file of released()) {
    const bytes = readFileSync(new URL(file, RELEASE));
    for (const folder of [...own, ...elsewhere]) assert.equal(bytes.includes(folder), false, `${folder} in ${file}`);
  }
  const module = readFileSync(new URL("protocol/index_bg.wasm", RELEASE));
  assert.ok(module.includes("/rustc/") || module.includes("cargo/registry") || module.includes("core/src/"), "the search would find paths");
});
