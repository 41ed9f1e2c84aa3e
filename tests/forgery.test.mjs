// A thief who has an edge key: it signs what the edge believes, and no object does.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { connect, me, refresh, revoke, serverApp, signedIn } from "./harness/client.mjs";
import { invalidToken, oauthError, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const client = serverApp();
const key = randomBytes(32);
let server, held;
before(async () => {
  server = await startServer({ vars: { EDGE_KEYS: `1:${key.toString("base64url")}` } });
  held = await connect(server, await signedIn(server), client);
});
after(() => server.stop());

const PREFIX = "eg_at_".length;
const PAYLOAD = 37;
const TAG = 16;

/** `payload ‖ family tag`, changed by `change`, under a right edge tag. */
function forged(token, change) {
  const bytes = Buffer.from(token.slice(PREFIX), "base64url").subarray(0, PAYLOAD + TAG);
  change(bytes);
  const mac = createHmac("sha256", key);
  for (const part of ["edgegrant/1/edge-tag", server.issuer, bytes.subarray(0, PAYLOAD), bytes.subarray(PAYLOAD)]) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.byteLength(part)));
    mac.update(length).update(part);
  }
  return token.slice(0, PREFIX) + Buffer.concat([bytes, mac.digest().subarray(0, TAG)]).toString("base64url");
}

// Where the parts of a payload are.
const changes = {
  "a later end": (bytes) => bytes.writeUInt32BE(bytes.readUInt32BE(33) + 3600, 33),
  "another number": (bytes) => bytes.writeUInt32BE(bytes.readUInt32BE(26) + 1, 26),
  "another scope": (bytes) => bytes.writeUInt16BE(1, 30),
  "another family": (bytes) => bytes.writeUInt8(bytes.readUInt8(25) ^ 1, 25),
  "another grant": (bytes) => bytes.writeUInt8(bytes.readUInt8(6) ^ 1, 6),
  "another family tag": (bytes) => bytes.writeUInt8(bytes.readUInt8(PAYLOAD) ^ 1, PAYLOAD),
};

test("a token that is signed again without a change is the token: the forgery below is well made", async () => {
  assert.equal(forged(held.access_token, () => {}), held.access_token);
});

test("with an edge key alone nothing is forged, ended or made", async () => {
  for (const [what, change] of Object.entries(changes)) {
    invalidToken(await me(server, forged(held.access_token, change)));
    const token = forged(held.refresh_token, change);
    oauthError(await refresh(server, client, token), 400, "invalid_grant");
    assert.equal((await revoke(server, client, token)).status, 200, what);
    assert.equal((await me(server, held.access_token)).status, 200, `${what}: the family lives`);
  }
  tokens(await refresh(server, client, held.refresh_token));
});
