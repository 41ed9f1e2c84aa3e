// What one stolen key gives a thief, beside tests/forgery.test.mjs: the rows of README, "Security", about single keys.
import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { authorize, authorizePath, Browser, consentForm, exchange, introspect, managementApi, pkce, refresh, signedIn, spa } from "./harness/client.mjs";
import { inactiveToken, oauthError } from "./harness/expect.mjs";
import { DEMO_SALON } from "./harness/made.mjs";
import { startServer } from "./harness/server.mjs";

const keys = { EDGE_KEYS: randomBytes(32), SEAL_KEYS: randomBytes(32), GRANT_ID_KEY: randomBytes(32) };
const OWNER_ID = "b0000000000000000000000000000001";
let server, app, owner;
before(async () => {
  const ring = (name) => `1:${keys[name].toString("base64url")}`;
  const vars = { EDGE_KEYS: ring("EDGE_KEYS"), SEAL_KEYS: ring("SEAL_KEYS"), GRANT_ID_KEY: keys.GRANT_ID_KEY.toString("base64url") };
  server = await startServer({ counting: true, vars });
  app = spa(server);
  owner = await signedIn(server);
});
after(() => server.stop());

/** HMAC-SHA256 of the label and the parts, each preceded by its length (worker/core/src/keys.rs). */
function mac(key, label, ...parts) {
  const hmac = createHmac("sha256", key);
  for (const part of [label, ...parts].map((each) => Buffer.from(each))) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(part.length));
    hmac.update(length).update(part);
  }
  return hmac.digest();
}

const derived = (purpose) => mac(keys.SEAL_KEYS, `edgegrant/1/seal/${purpose}`);

/** What a thief of the seal key reads in a cookie or form (worker/core/src/seal.rs). */
function opened(purpose, text) {
  const bytes = Buffer.from(text, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", derived(purpose), bytes.subarray(1, 13)).setAAD(Buffer.from(server.issuer));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(13, -16)), decipher.final()]);
}

/** What it seals. */
function sealed(purpose, plain) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", derived(purpose), nonce).setAAD(Buffer.from(server.issuer));
  return Buffer.concat([Buffer.from([1]), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

const cookieOf = (browser) => browser.cookies.get("edgegrant_session");
/** A browser with this session, its owner's in all but what `change` does to the ids in it. */
function withSession(change) {
  const browser = new Browser(server);
  browser.cookies.set("edgegrant_session", sealed("session", Buffer.from(change(opened("session", cookieOf(owner)).toString("latin1")), "latin1")));
  return browser;
}
const sessionOf = (browser) => opened("session", cookieOf(browser)).toString("latin1").slice(34, 66);

test("with the seal key alone nobody is somebody else: the session must be in D1, and be that person's", async () => {
  assert.equal((await withSession((text) => text).page("/account/apps")).status, 200, "the forgery below is well made");
  const [{ id, user_id }] = await server.sql("SELECT id, user_id FROM sessions ORDER BY created_at DESC LIMIT 1");
  assert.deepEqual([id, user_id], [sessionOf(owner), OWNER_ID]);
  const staff = await signedIn(server, "staff@demo.example");
  for (const forge of [
    (text) => text.replace(sessionOf(owner), randomBytes(16).toString("hex")), // a made-up session of the owner
    (text) => text.replace(sessionOf(owner), sessionOf(staff)), // the thief's own session, as the owner
  ]) {
    const answer = await withSession(forge).page("/account/apps");
    assert.equal(answer.status, 303);
    assert.match(answer.location, /^\/login\?/);
  }
});

test("with the seal key alone a consent of another session decides nothing, and one's own nothing in accounts of others", async () => {
  const page = await owner.page(authorizePath(app, { code_challenge: pkce().challenge }));
  const [consent] = consentForm(page).values("consent");
  const form = opened("consent", consent).toString("latin1");
  const staff = await signedIn(server, "staff@demo.example");
  const [{ user_id: staffId }] = await server.sql("SELECT user_id FROM sessions WHERE id = ?1", sessionOf(staff));
  const decide = (browser, text) => {
    const body = new URLSearchParams({ consent: sealed("consent", Buffer.from(text, "latin1")), account: DEMO_SALON, decision: "allow" });
    return browser.page("/oauth/authorize/decision", { method: "POST", body, headers: { origin: server.issuer } });
  };
  const before = await server.sql("SELECT * FROM installs");
  assert.equal((await decide(staff, form)).status, 403, "the owner's form in the thief's browser");
  const own = form.replace(sessionOf(owner), sessionOf(staff)).replace(OWNER_ID, staffId);
  assert.notEqual(own, form);
  assert.equal((await decide(staff, own)).status, 403, "the thief's own form, in an account where its role may not");
  assert.deepEqual(await server.sql("SELECT * FROM installs"), before);
  assert.equal((await decide(owner, form)).status, 303, "the forms are well made");
});

test("with the grant id key alone made-up clients and management tokens are looked up and refused", async () => {
  const clientId = (number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return Buffer.concat([bytes, mac(keys.GRANT_ID_KEY, "edgegrant/1/client-id", bytes).subarray(0, 14)]).toString("base64url");
  };
  for (const secret of [undefined, "made-up"]) oauthError(await refresh(server, { id: clientId(77_777), secret }, "x"), 401, "invalid_client");
  oauthError(await introspect(server, "x", {}, { id: clientId(0x8000_0777), secret: "made-up" }), 401, "invalid_client");
  const random = randomBytes(32);
  const tag = mac(keys.GRANT_ID_KEY, "edgegrant/1/management-token", random).subarray(0, 16);
  const token = `eg_mgmt_${Buffer.concat([random, tag]).toString("base64url")}`;
  const { value, cost } = await server.counted(() => managementApi(server, "GET", "/apps", undefined, { token }));
  assert.deepEqual([value.status, cost.d1Statements, cost.objectRequests], [401, 1, 0]);
});

test("with an edge key alone a made-up code is looked up and refused, and the real one goes on", async () => {
  const redirect = await authorize(owner, app);
  const bytes = Buffer.from(redirect.code, "base64url").subarray(0, 47);
  const signed = (body) => Buffer.concat([body, mac(keys.EDGE_KEYS, "edgegrant/1/code", server.issuer, body).subarray(0, 16)]).toString("base64url");
  assert.equal(signed(bytes), redirect.code, "the forgery below is well made");
  const other = Buffer.from(bytes);
  other[46] ^= 1;
  const { value, cost } = await server.counted(() => exchange(server, app, redirect, { code: signed(other) }));
  oauthError(value, 400, "invalid_grant");
  assert.deepEqual([cost.kvGet, cost.d1Statements, cost.rowsWritten], [1, 1, 0]);
  const held = await exchange(server, app, redirect);
  assert.equal(held.status, 200);
  inactiveToken(await introspect(server, held.json.refresh_token), "a refresh token is none for APIs");
});

test("README, Security: each test and module that it names is there", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, section] = readme.match(/^## Security\n([\s\S]*?)^## /m);
  const there = (path) => existsSync(new URL(`../${path}`, import.meta.url));
  const tests = [...section.matchAll(/^\|.*\| ([^|]*) \|$/gm)].flatMap(([, cell]) => (/^(`[\w-]+`(, )?)+$/.test(cell) ? [...cell.matchAll(/`([\w-]+)`/g)] : []));
  assert.ok(tests.length > 40, `${tests.length}`);
  for (const [, name] of tests) assert.ok(there(`tests/${name}.test.mjs`), name);
  const modules = [...section.matchAll(/`([a-z]+\/[a-z_]+)`/g)];
  assert.ok(modules.length > 10, `${modules.length}`);
  const places = (name) => ["worker/src", "worker/core/src"].flatMap((root) => [`${root}/${name}.rs`, `${root}/${name}/mod.rs`]);
  for (const [, name] of modules) assert.ok(places(name).some(there), name);
});
