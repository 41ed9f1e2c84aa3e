// Rotation of DATA_KEYS and HASH_KEYS: a day after a new key came in front, the old one can be dropped.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { authorize, Browser, OWNER, signedIn, spa } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

const key = () => randomBytes(32).toString("base64url");
const [DATA_1, DATA_2, HASH_1, HASH_2] = [key(), key(), key(), key()];
const FROM = { "cf-connecting-ip": "203.0.113.9" };
const MANAGEMENT = { authorization: "Bearer demo-management-token", "content-type": "application/json" };
const CONTACT = "contact@app.example";

let server;
before(async () => {
  server = await startServer({ vars: { DATA_KEYS: `1:${DATA_1}`, HASH_KEYS: `1:${HASH_1}` } });
});
after(() => server?.stop());

/** Starts the same storage with other keys. */
async function withKeys(data, hash) {
  Object.assign(server.options.vars, { DATA_KEYS: data, HASH_KEYS: hash });
  await server.restart();
}
const sweep = async () => assert.equal((await server.fetch("/__dev/sweep", { method: "POST" })).status, 200);
/** Ids of the keys that have sealed a column's values. */
async function keysOf(table, column) {
  const rows = await server.sql(`SELECT ${column} AS sealed FROM ${table} WHERE ${column} IS NOT NULL`);
  assert.ok(rows.length > 0, `${table}.${column} has values`);
  return [...new Set(rows.map(({ sealed }) => Buffer.from(sealed, "base64url")[0]))].sort();
}
const COLUMNS = [
  ["users", "email_sealed"],
  ["users", "name_sealed"],
  ["apps", "contact_sealed"],
  ["audit", "place_sealed"],
];

test("what an old key has sealed is sealed anew by the daily sweep, and opens when only the new key is left", async () => {
  const owner = await signedIn(server);
  const fetch = server.fetch;
  server.fetch = (path, init = {}) => fetch.call(server, path, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), ...FROM } });
  await authorize(owner, spa(server));
  server.fetch = fetch;
  const scope = { name: "account:read", reason: "to show whose bookings these are" };
  const details = {
    name: "Rota Wall",
    description: "Shows who works when, on one page.",
    website: "https://rota.example/",
    install_url: "",
    logo: null,
    redirect_uris: ["https://rota.example/callback"],
    scopes: [scope],
  };
  const body = JSON.stringify({ developer: "Rota Ltd", client_type: "confidential", contact: CONTACT, details });
  const app = await server.fetch("/manage/v1/apps", { method: "POST", headers: MANAGEMENT, body });
  assert.equal(app.status, 201, await app.text());
  for (const [table, column] of COLUMNS) assert.deepEqual(await keysOf(table, column), [1], column);

  await sweep();
  for (const [table, column] of COLUMNS) assert.deepEqual(await keysOf(table, column), [1], "one key: nothing to do");
  // Somebody without a password, and somebody of an identity provider, whose name is made of no address.
  await server.sql("UPDATE users SET password_hash = '' WHERE id LIKE 'b%2'");
  await server.sql("INSERT INTO identities (issuer, subject_lookup, user_id, created_at) SELECT 'https://id.example', 'x', id, 0 FROM users WHERE id LIKE 'b%3'");
  const lookups = await server.sql("SELECT email_lookup FROM users ORDER BY id");

  await withKeys(`2:${DATA_2},1:${DATA_1}`, `2:${HASH_2},1:${HASH_1}`);
  assert.equal((await new Browser(server).signIn()).status, 303, "before the sweep both keys serve");
  await sweep();
  for (const [table, column] of COLUMNS) assert.deepEqual(await keysOf(table, column), [2], column);
  const renamed = await server.sql("SELECT email_lookup FROM users ORDER BY id");
  const [owner1, staff1, admin1] = lookups.map((row) => row.email_lookup);
  const [owner2, staff2, admin2] = renamed.map((row) => row.email_lookup);
  assert.ok(owner1 !== owner2 && staff1 !== staff2, "look-up names are made anew");
  assert.equal(admin1, admin2);
  assert.match(server.log, /personal data is under the newest data key/);
  assert.match(server.log, /addresses are under the newest hash key/);

  await withKeys(`2:${DATA_2}`, `2:${HASH_2}`);
  const again = await signedIn(server, OWNER);
  const profile = await again.page("/account/profile");
  assert.match(profile.text, /Olivia Owner/);
  assert.match(profile.text, /owner@demo\.example/);
  const copy = await (await again.fetch("/account/profile/export")).json();
  assert.ok(
    copy.activity.some((entry) => entry.action === "allowed" && entry.from === "203.0.113.9"),
    JSON.stringify(copy.activity),
  );
  const [before] = await server.sql("SELECT email_sealed FROM users WHERE id LIKE 'b%1'");
  await sweep();
  const [after] = await server.sql("SELECT email_sealed FROM users WHERE id LIKE 'b%1'");
  assert.equal(after.email_sealed, before.email_sealed, "what is under the newest key is left alone");
});

test("a value that no key opens stays as it is, stops nothing, and the log says that something is left", async () => {
  await withKeys(`3:${DATA_1},2:${DATA_2}`, `2:${HASH_2}`);
  const lost = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; // of key 1, which is gone
  await server.sql("UPDATE apps SET contact_sealed = ?1 WHERE number = 1", lost);
  await sweep();
  const rows = await server.sql("SELECT contact_sealed AS sealed FROM apps WHERE contact_sealed IS NOT NULL ORDER BY number");
  assert.equal(rows[0].sealed, lost);
  assert.equal(Buffer.from(rows[1].sealed, "base64url")[0], 3);
  assert.match(server.log, /personal data is left under an older data key/);
});
