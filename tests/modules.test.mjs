// What a deployment uploads: two modules in one Worker. Everything works across them, from nobody being there to an app that
// is suspended; and the portal's module is loaded only when one of its pages is asked for.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Browser, connect, consentForm, exchange, me, refresh } from "./harness/client.mjs";
import { elements, text } from "./harness/html.mjs";
import { addSecret, CALLBACK, fillIn, formTo, registered, sendForm } from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const RELEASE = join(root, ".build/release");
const UPLOADED = join(root, ".build/uploaded");
const LOADED = "the portal's module is evaluated";
const key = () => randomBytes(32).toString("base64url");
const SETUP_TOKEN = key();
const [EMAIL, PASSWORD] = ["first@deployment.example", "twelve-chars"];
const ACCOUNT = "a".repeat(32);
const scope = "bookings:read";

/** The release variant as wrangler bundles it for the upload. The portal's module says so when it is evaluated. */
function bundle() {
  rmSync(UPLOADED, { recursive: true, force: true });
  mkdirSync(UPLOADED, { recursive: true });
  for (const name of ["assets", "migrations"]) cpSync(join(RELEASE, name), join(UPLOADED, name), { recursive: true });
  cpSync(join(RELEASE, "worker"), join(UPLOADED, "source"), { recursive: true });
  const portal = join(UPLOADED, "source/portal/index.js");
  writeFileSync(portal, `console.error(${JSON.stringify(LOADED)});${readFileSync(portal, "utf8")}`);
  const config = readFileSync(join(root, "wrangler.toml"), "utf8")
    .replace(/^\[env\.[^]*/m, "")
    .replace(/^\[(build|assets)\]\n(.+\n)+/gm, "")
    .replace(/^main = .*/m, 'main = "source/index.js"');
  writeFileSync(join(UPLOADED, "wrangler.toml"), config);
  const args = [join(root, "node_modules/wrangler/bin/wrangler.js"), "deploy", "--dry-run", "--outdir", join(UPLOADED, "worker"), "--config", join(UPLOADED, "wrangler.toml")];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: UPLOADED, encoding: "utf8", env });
  assert.equal(status, 0, stdout + stderr);
}

let server, browser, app, held;
before(async () => {
  bundle();
  const secrets = { EDGE_KEYS: `1:${key()}`, HASH_KEYS: `1:${key()}`, SEAL_KEYS: `1:${key()}`, DATA_KEYS: `1:${key()}`, GATEWAY_KEYS: `1:${key()}` };
  const vars = { ...secrets, GRANT_ID_KEY: key(), SETUP_TOKEN };
  server = await startServer({ variant: "uploaded", seed: false, vars });
  browser = new Browser(server);
});
after(() => {
  rmSync(UPLOADED, { recursive: true, force: true });
  return server?.stop();
});

const loads = () => server.log.split(LOADED).length - 1;
const step = (page, name) => page.forms.find((form) => form.action === `${app.page}/try` && form.values("step")[0] === name);
const blocks = (page) => [...elements(page.tree, "pre")].map(text);

test("both modules are uploaded, and the entry has the addresses of the portal", () => {
  const wasm = readdirSync(join(UPLOADED, "worker")).filter((name) => name.endsWith(".wasm"));
  assert.equal(wasm.length, 2);
  const [, list] = readFileSync(join(RELEASE, "worker/index.js"), "utf8").match(/^const PORTAL = (.*);$/m);
  const source = readFileSync(join(root, "worker/src/routes/portal.txt"), "utf8").trim().split("\n");
  assert.deepEqual(JSON.parse(list), source);
  assert.ok(source.every((path) => /^\/[a-z./]*[a-z]$/.test(path)));
});

test("requests of apps, consent and signing in load one module; the first page of the portal loads the other, once", async () => {
  for (const [path, status, init] of [
    ["/.well-known/oauth-authorization-server", 200],
    ["/oauth/authorize?client_id=x", 400],
    ["/login", 200],
    ["/login/nobody", 404],
    ["/account/apps", 303],
    ["/account/profile", 303],
    ["/api/v1/me", 401],
    ["/oauth/token", 401, { method: "POST", body: new URLSearchParams({ grant_type: "authorization_code", code: "x", client_id: "x" }) }],
    ["/administrator", 404],
  ])
    assert.equal((await server.fetch(path, init)).status, status, path);
  assert.equal(loads(), 0);
  const paths = ["/marketplace", "/.well-known/oauth-authorization-server", "/developers", "/login", "/manage/v1/apps", "/admin/setup"];
  const statuses = await Promise.all(Array.from({ length: 10 }, () => paths.map(async (path) => (await server.fetch(path)).status)).flat());
  for (const [n, status] of statuses.entries()) assert.equal(status, [200, 200, 303, 200, 401, 200][n % 6], paths[n % 6]);
  assert.equal(loads(), 1);
});

test("from nobody to a connected app: set up, register, review, connect, exchange, call", async () => {
  assert.equal((await fillIn(browser, "/admin/setup", { token: SETUP_TOKEN, email: EMAIL, password: PASSWORD })).status, 200);
  assert.equal((await browser.signIn(EMAIL, PASSWORD)).status, 303);
  await server.sql("INSERT INTO accounts (id, name, created_at) VALUES (?, 'Salon', 0)", ACCOUNT);
  await server.sql("INSERT INTO members (account_id, user_id, role) SELECT ?, id, 'owner' FROM users", ACCOUNT);
  app = await registered(browser, { account: ACCOUNT });
  app.secret = await addSecret(browser, app);
  const version = formTo(await browser.page(app.admin), `${app.admin}/approve`).values("version")[0];
  assert.equal((await sendForm(browser, `${app.admin}/approve`, { version })).location, "/admin?done=decided");
  held = await connect(server, browser, app, { scope });
  const called = await me(server, held.access_token);
  assert.equal(called.status, 200);
  assert.equal(called.json.app.client_id, app.id);
});

test("Try it asks the protocol's module, and shows its answers", async () => {
  const begun = await fillIn(browser, `${app.page}/try`, { redirect_uri: CALLBACK, scopes: [scope] });
  const addresses = [...elements(begun.tree, "a")].map(({ attrs }) => attrs.find(({ name }) => name === "href").value);
  const { pathname, search } = new URL(addresses.find((href) => href.includes("response_type=code")));
  const { location } = await browser.submit(consentForm(await browser.page(pathname + search)), {}, { decision: "allow" });
  const exchanged = await browser.submit(formTo(begun, `${app.page}/try`), { answer: location, secret: app.secret });
  assert.match(exchanged.text, /It worked/);
  assert.match(blocks(exchanged)[1], /^HTTP 200\s+content-type: application\/json/);
  const called = await browser.submit(step(exchanged, "call"));
  assert.match(blocks(called)[1], new RegExp(`HTTP 200.*${app.id}`));
  const revoked = await browser.submit(step(called, "revoke"));
  const refused = await browser.submit(step(revoked, "call"));
  assert.match(blocks(refused)[1], /HTTP 401.*www-authenticate: Bearer .*invalid_token/);
});

test("a request that failed is in the developer's log at once, and from outside nothing reaches that memory", async () => {
  assert.equal((await exchange(server, { ...app, secret: "wrong" }, { code: "x", verifier: "x" })).status, 401);
  const page = await browser.page(`${app.page}/failures`);
  assert.match(page.text, /POST \/oauth\/token.*invalid_client/);
  assert.match(page.text, /GET \/api\/v1\/me.*invalid_token/, "and the refused one of the trial");
  for (const path of ["/failures_of", "/PROTOCOL", "/failures"]) assert.equal((await server.fetch(path)).status, 404);
});

test("staff sees what both modules have counted, just now", async () => {
  const { text } = await browser.page("/admin/metrics");
  assert.match(text, /codes exchanged: 2/, "of the protocol's module");
  assert.match(text, /done: \d+/);
  assert.match(text, /nothing proven: [1-9]/);
  for (const path of ["/flush_counters", "/flush"]) assert.equal((await server.fetch(path)).status, 404);
});

test("the portal suspends what the protocol then refuses", async () => {
  const answer = await fillIn(browser, `${app.admin}/suspend`, { reason: "It misbehaves." });
  assert.equal(answer.status, 303, answer.text);
  assert.equal((await me(server, held.access_token)).status, 401);
  assert.notEqual((await refresh(server, app, held.refresh_token)).status, 200);
});

test("what runs daily runs", async () => {
  assert.equal(await server.scheduled(), "ok");
  assert.equal(loads(), 1);
  assert.doesNotMatch(server.log, /panicked|RuntimeError|Critical|Uncaught|hung/);
});
