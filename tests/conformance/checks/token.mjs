// The token endpoint: methods, bodies, how clients prove themselves, what answers look like. RFC 6749 §2.3, §3.2 and §5.
import assert from "node:assert/strict";
import { check, need, skip } from "../suite.mjs";
import { basic, brief, encoded } from "../target.mjs";

const noTokens = (answer, what) => assert.ok(answer.status !== 200 && !answer.json?.access_token, `${what}: tokens were given`);

/** The exchange's parameters with everything in the body. */
function fieldsOf(client, granted) {
  const { code, redirectUri, verifier } = granted;
  const proof = { client_id: client.id, client_secret: client.secret };
  return { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: verifier, ...proof };
}

const withMethod = (target, method) =>
  need(Object.values(target.clients).find((client) => client?.method === method), `a client with ${method}`);

const success = (target) => target.once("success", () => target.tokens(target.any));

export default [
  check("TK-01", async (target) => {
    const query = encoded(fieldsOf(target.any, await target.grant(target.any)));
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await target.send(`${target.metadata.token_endpoint}?${query}`, { method });
      noTokens(answer, method);
      assert.ok(answer.status >= 400, `${method}: HTTP ${answer.status}`);
    }
  }),
  check("TK-02", async (target) => {
    const query = encoded(fieldsOf(target.any, await target.grant(target.any)));
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    noTokens(await target.send(`${target.metadata.token_endpoint}?${query}`, { method: "POST", body: "", headers }), "everything in the address");
  }),
  check("TK-03", async (target) => {
    const client = target.any;
    const granted = await target.grant(client);
    const { code, redirectUri } = granted;
    for (const [name, value] of Object.entries({ code, redirect_uri: redirectUri, code_verifier: granted.verifier })) {
      const answer = await target.redeem(client, granted, { [name]: [value, value] });
      noTokens(answer, `${name} twice`);
    }
    const empty = client.method === "none" ? { client_secret: "" } : { scope: "" };
    const answer = await target.redeem(client, await target.grant(client), { extra: "1", "a[]": "1", ...empty });
    assert.equal(answer.status, 200, `unknown and empty parameters: ${brief(answer)}`);
  }),
  check("TK-04", async (target) => {
    const body = JSON.stringify(fieldsOf(target.any, await target.grant(target.any)));
    noTokens(await target.send(target.metadata.token_endpoint, { method: "POST", body, headers: { "content-type": "application/json" } }), "a JSON body");
  }),
  check("TK-17", async (target) => {
    const client = target.confidential;
    const granted = await target.grant(client);
    for (const secret of [undefined, "wrong"]) {
      const answer = await target.redeem({ ...client, secret, method: "client_secret_post" }, granted);
      assert.equal(answer.json?.error, "invalid_client", brief(answer));
    }
  }),
  check("TK-18", async (target) => {
    await target.tokens(withMethod(target, "client_secret_post"));
  }),
  check("TK-19", async (target) => {
    await target.tokens(withMethod(target, "client_secret_basic"));
  }),
  check("TK-20", async (target) => {
    const client = withMethod(target, "client_secret_basic");
    const { id, secret } = client;
    const answer = await target.redeem(client, await target.grant(client), { client_id: id, client_secret: secret });
    noTokens(answer, "two ways at once");
    assert.ok(["invalid_request", "invalid_client"].includes(answer.json?.error), brief(answer));
  }),
  check("TK-21", async (target) => {
    const client = withMethod(target, "client_secret_basic");
    const answer = await target.redeem(null, await target.grant(client), {}, { headers: { authorization: basic({ ...client, secret: "wrong" }) } });
    assert.equal(`${answer.status} ${answer.json?.error}`, "401 invalid_client");
    assert.match(answer.headers.get("www-authenticate") ?? "", /^Basic\b/i, "WWW-Authenticate does not name Basic");
  }),
  check("TK-24", async (target) => {
    await target.tokens(withMethod(target, "none"));
  }),
  check("TK-25", async (target) => {
    const { answer } = await success(target);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    assert.equal(typeof answer.json.access_token, "string");
    assert.match(answer.json.token_type, /^bearer$/i);
    const { expires_in: life } = answer.json;
    assert.ok(life === undefined || (Number.isInteger(life) && life > 0), `expires_in is ${life}`);
  }),
  check("TK-26", async (target) => {
    const { headers } = (await success(target)).answer;
    assert.match(headers.get("cache-control") ?? "", /no-store/, "no Cache-Control: no-store");
    assert.equal(headers.get("pragma"), "no-cache", "no Pragma: no-cache (RFC 9111 §5.4 deprecates it)");
  }),
  check("TK-29", async (target) => {
    const answer = await target.post("token_endpoint", { grant_type: "urn:example:nonsense" }, { client: target.any });
    assert.equal(answer.json?.error, "unsupported_grant_type", brief(answer));
  }),
  check("TK-30", async (target) => {
    const answer = await target.post("token_endpoint", { grant_type: "password", username: "a", password: "b" }, { client: target.any });
    assert.ok(["unsupported_grant_type", "unauthorized_client"].includes(answer.json?.error), brief(answer));
  }),
  check("TK-31", async (target) => {
    const client = need(target.clients.public, "a public client");
    noTokens(await target.post("token_endpoint", { grant_type: "client_credentials", scope: target.scope }, { client }), "client_credentials of a public client");
  }),
  check("TK-33", async (target) => {
    const { expires_in: life } = await success(target);
    assert.ok(life <= 3600, life === undefined ? "the answer does not say how long" : `${life} s`);
  }),
  check("TK-35", async (target) => {
    if (!target.triable) skip("needs an API or introspection");
    const { access_token: token } = await success(target);
    for (let part = 0; part < 8; part += 1) {
      const at = Math.floor(((part + 0.5) * token.length) / 8);
      const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
      assert.equal(await target.alive(changed), false, `character ${at} changed`);
    }
    assert.equal(await target.alive(token), true, "the token itself does not work");
  }),
  check("TK-38", async (target) => {
    const headers = { origin: "https://attacker.example", "access-control-request-method": "POST" };
    for (const method of ["OPTIONS", "POST"]) {
      const answer = await target.send(target.metadata.token_endpoint, { method, headers });
      assert.equal(answer.headers.get("access-control-allow-credentials"), null, `${method} allows credentials`);
    }
  }),
];
