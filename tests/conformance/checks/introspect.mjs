// Introspection, RFC 7662, where it is offered.
import assert from "node:assert/strict";
import { check, need, skip } from "../suite.mjs";
import { brief } from "../target.mjs";

async function active(target, client = target.any) {
  const held = await target.tokens(client);
  const answer = await target.introspect(held.access_token);
  assert.equal(answer.json?.active, true, brief(answer));
  return { held, answer };
}

export default [
  check("IN-01", async (target) => {
    if (!target.metadata.introspection_endpoint) skip("not offered: no introspection_endpoint in the metadata");
    const { access_token: token } = await target.tokens(target.any);
    const strangers = [undefined, target.introspector && { ...target.introspector, secret: "wrong" }];
    for (const client of strangers) {
      const answer = await target.post("introspection_endpoint", { token }, { client });
      assert.notEqual(answer.json?.active, true, "whoever asks is told of a token");
      assert.ok([400, 401, 403].includes(answer.status), brief(answer));
    }
  }),
  check("IN-02", async (target) => {
    const { held } = await active(target);
    for (const hint of ["refresh_token", "garbage"]) {
      const answer = await target.introspect(held.access_token, { token_type_hint: hint });
      assert.equal(answer.json?.active, true, `with the hint ${hint}: ${brief(answer)}`);
    }
  }),
  check("IN-03", async (target) => {
    const answer = await target.introspect("garbage");
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { active: false });
  }),
  check("IN-04", async (target) => {
    const { held } = await active(target);
    if (!target.metadata.revocation_endpoint) skip("needs revocation");
    await target.revoke(target.any, held.access_token);
    assert.deepEqual((await target.introspect(held.access_token)).json, { active: false });
  }),
  check("IN-06", async (target) => {
    const { answer } = await active(target);
    assert.match(answer.headers.get("cache-control") ?? "", /no-store/, "no Cache-Control: no-store");
    assert.ok(Number.isInteger(answer.json.exp), `exp is ${answer.json.exp}`);
  }),
  check("IN-07", async (target) => {
    const { json } = (await active(target)).answer;
    for (const name of ["scope", "client_id"]) assert.equal(typeof json[name], "string", name);
    for (const name of ["exp", "iat"]) assert.ok(json[name] === undefined || Number.isInteger(json[name]), name);
  }),
  check("IN-08", async (target) => {
    const { held } = await active(target);
    const client = need(target.introspector, "a client that may introspect");
    const authorization = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString("base64")}`;
    const answer = await target.send(`${target.metadata.introspection_endpoint}?token=${held.access_token}`, { headers: { authorization } });
    assert.notEqual(answer.json?.active, true, "a token in the address is looked up");
  }),
];
