// Revocation, RFC 7009.
import assert from "node:assert/strict";
import { check, skip } from "../suite.mjs";
import { brief } from "../target.mjs";

const ok = (answer) => assert.equal(answer.status, 200, brief(answer));

async function dead(target, client, held) {
  const answer = await target.refresh(client, held.refresh_token);
  assert.equal(answer.json?.error, "invalid_grant", `the refresh token still works: ${brief(answer)}`);
}

async function held(target, client = target.any) {
  if (!target.metadata.revocation_endpoint) skip("not offered: no revocation_endpoint in the metadata");
  return target.refreshable(client);
}

const triable = (target) => target.triable ?? skip("needs an API or introspection");

export default [
  check("RV-01", async (target) => {
    const tokens = await held(target);
    ok(await target.revoke(target.any, tokens.refresh_token));
    await dead(target, target.any, tokens);
  }),
  check("RV-02", async (target) => {
    triable(target);
    const tokens = await held(target);
    const answer = await target.revoke(target.any, tokens.access_token);
    if (answer.json?.error === "unsupported_token_type") skip("not offered: unsupported_token_type");
    ok(answer);
    assert.equal(await target.alive(tokens.access_token), false, "the access token still works");
  }),
  check("RV-03", async (target) => {
    for (const hint of ["access_token", "garbage"]) {
      const tokens = await held(target);
      ok(await target.revoke(target.any, tokens.refresh_token, { token_type_hint: hint }));
      await dead(target, target.any, tokens);
    }
  }),
  check("RV-04", async (target) => {
    triable(target);
    const tokens = await held(target);
    ok(await target.revoke(target.any, tokens.refresh_token));
    assert.equal(await target.alive(tokens.access_token), false, "the access token still works");
  }),
  check("RV-06", async (target) => {
    const client = target.confidential;
    const tokens = await held(target, client);
    for (const wrong of [{ ...client, method: "none" }, { ...client, secret: "wrong" }]) {
      const answer = await target.revoke(wrong, tokens.refresh_token);
      assert.equal(answer.json?.error, "invalid_client", brief(answer));
    }
    ok(await target.refresh(client, tokens.refresh_token));
  }),
  check("RV-07", async (target) => {
    const client = target.any;
    const tokens = await held(target);
    const answer = await target.revoke(target.other(client), tokens.refresh_token);
    const own = await target.refresh(client, tokens.refresh_token);
    assert.equal(own.status, 200, "another client's request has revoked it");
    assert.ok(answer.status >= 400, `the client is not told: ${brief(answer)}`);
  }),
  check("RV-08", async (target) => {
    const tokens = await held(target);
    ok(await target.revoke(target.any, "garbage"));
    for (let n = 0; n < 2; n += 1) ok(await target.revoke(target.any, tokens.refresh_token));
  }),
  check("RV-10", async (target) => {
    const answer = await target.revoke(target.any, undefined);
    assert.ok(answer.status === 400 && answer.json?.error, brief(answer));
  }),
  check("RV-13", async (target) => {
    const tokens = await held(target);
    const { href } = new URL(target.metadata.revocation_endpoint);
    await target.send(`${href}?${new URLSearchParams({ token: tokens.refresh_token, client_id: target.any.id })}`);
    ok(await target.refresh(target.any, tokens.refresh_token));
  }),
  check("RV-15", async (target) => {
    for (let round = 0; round < 3; round += 1) {
      const tokens = await held(target);
      ok(await target.revoke(target.any, tokens.refresh_token));
      const answers = await Promise.all(Array.from({ length: 5 }, () => target.refresh(target.any, tokens.refresh_token)));
      for (const answer of answers) assert.notEqual(answer.status, 200, "a refresh after the answer was served");
    }
  }),
];
