// People, accounts and management tokens that a test makes for itself: rows of the local database, sealed and hashed
// with the published keys of development as the Worker does it (worker/core/src/keys.rs, seal.rs).
import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

const source = readFileSync(new URL("../../worker/src/development/keys.rs", import.meta.url), "utf8");
const key = (name) => {
  const [, id, text] = source.match(new RegExp(`"${name}" => "(?:(\\d+):)?([\\w-]+)"`));
  return { id: Number(id), bytes: Buffer.from(text, "base64url") };
};

/** HMAC-SHA256 of the label and the parts, each preceded by its length. */
function mac(bytes, label, ...parts) {
  const hmac = createHmac("sha256", bytes);
  for (const part of [label, ...parts].map((each) => Buffer.from(each))) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(part.length));
    hmac.update(length).update(part);
  }
  return hmac.digest();
}

const lookupName = (purpose, value) => mac(key("HASH_KEYS").bytes, "edgegrant/1/lookup", purpose, value).toString("base64url");

function seal(context, plain) {
  const { id, bytes } = key("DATA_KEYS");
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", mac(bytes, "edgegrant/1/seal/personal-data"), nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([Buffer.from([id]), nonce, sealed]).toString("base64url");
}

export const DEMO_SALON = "a0000000000000000000000000000001";
export const SECOND_SALON = "a0000000000000000000000000000002";
const newId = () => randomBytes(16).toString("hex");
const now = () => Math.floor(Date.now() / 1000);

/** A new account's id. */
export async function account(server, name) {
  const id = newId();
  await server.sql("INSERT INTO accounts (id, name, created_at) VALUES (?1, ?2, ?3)", id, name, now());
  return id;
}

/** A new person with the password of all development people; `roles` is `{ account: role }`. */
export async function person(server, email, { name = "Somebody New", roles = {}, staff = false } = {}) {
  const id = newId();
  await server.sql(
    `INSERT INTO users (id, email_lookup, email_sealed, name_sealed, password_hash, platform_admin, created_at)
     SELECT ?1, ?2, ?3, ?4, password_hash, ?5, ?6 FROM users WHERE id = 'b0000000000000000000000000000001'`,
    id,
    lookupName("email", email),
    seal(`users/${id}/email`, email),
    seal(`users/${id}/name`, name),
    Number(staff),
    now(),
  );
  for (const [account, role] of Object.entries(roles))
    await server.sql("INSERT INTO members (account_id, user_id, role) VALUES (?1, ?2, ?3)", account, id, role);
  return id;
}

/** A new management token: of the platform, or of an account. */
export async function managementToken(server, scope, { account = null, expiresAt = 0, label = "test" } = {}) {
  const random = randomBytes(32);
  const tag = mac(key("GRANT_ID_KEY").bytes, "edgegrant/1/management-token", random).subarray(0, 16);
  const token = `eg_mgmt_${Buffer.concat([random, tag]).toString("base64url")}`;
  await server.sql(
    "INSERT INTO management_tokens (hash, label, scope, account_id, expires_at, id, created_at) VALUES (?1, ?7, ?2, ?3, ?4, ?5, ?6)",
    lookupName("management token", token),
    scope,
    account,
    expiresAt,
    newId(),
    now(),
    label,
  );
  return token;
}
