// Authorization server metadata, RFC 8414: complete, true and readable from anywhere.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorize, exchange, signedIn, spa } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

const PATH = "/.well-known/oauth-authorization-server";
let server, answer, metadata;
before(async () => {
  server = await startServer();
  answer = await server.fetch(PATH);
  metadata = await answer.json();
});
after(() => server.stop());

test("MD-01, MD-12: it is JSON, cacheable, and any origin may read it", () => {
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type"), /^application\/json/);
  assert.match(answer.headers.get("cache-control"), /max-age=\d+/);
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
});

test("MD-02, IS-03, IS-04: the issuer is the origin, byte for byte what redirects carry", async () => {
  assert.equal(metadata.issuer, server.issuer);
  const { iss } = await authorize(await signedIn(server), spa(server));
  assert.equal(iss, metadata.issuer);
});

test("MD-04, MD-06 to MD-09, MD-14, IS-05: it says what is served", () => {
  const at = (path) => `${server.issuer}${path}`;
  assert.equal(metadata.authorization_endpoint, at("/oauth/authorize"));
  assert.equal(metadata.token_endpoint, at("/oauth/token"));
  assert.equal(metadata.revocation_endpoint, at("/oauth/revoke"));
  assert.equal(metadata.introspection_endpoint, at("/oauth/introspect"));
  assert.deepEqual(metadata.introspection_endpoint_auth_methods_supported, ["client_secret_basic", "client_secret_post"]);
  assert.deepEqual(metadata.response_types_supported, ["code"]);
  assert.deepEqual(metadata.response_modes_supported ?? ["query"], ["query"]);
  assert.deepEqual([...metadata.grant_types_supported].sort(), ["authorization_code", "refresh_token"]);
  const methods = ["client_secret_basic", "client_secret_post", "none"];
  assert.deepEqual([...metadata.token_endpoint_auth_methods_supported].sort(), methods);
  assert.deepEqual([...metadata.revocation_endpoint_auth_methods_supported].sort(), methods);
  assert.deepEqual(metadata.code_challenge_methods_supported, ["S256"]);
  assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  assert.deepEqual([...metadata.scopes_supported].sort(), ["account:read", "bookings:read", "bookings:write", "customers:read"]);
});

test("MD-05: no member is null or empty", () => {
  for (const [name, value] of Object.entries(metadata)) {
    assert.notEqual(value, null, name);
    assert.notEqual(value, "", name);
    if (Array.isArray(value)) assert.ok(value.length > 0, name);
  }
});

test("MD-10: every address in it answers, and nothing is named that is not there", async () => {
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== "string" || !value.startsWith(server.issuer) || name === "issuer") continue;
    const { status } = await server.fetch(value);
    assert.notEqual(status, 404, `${name}: ${value}`);
    assert.ok(status < 500, `${name}: ${status}`);
  }
  assert.equal(metadata.registration_endpoint, undefined);
});

test("MD-10: a client that knows nothing but the metadata gets tokens", async () => {
  const redirect = await authorize(await signedIn(server), spa(server));
  assert.equal((await exchange(server, spa(server), redirect)).status, 200);
});

test("MD-01: other methods are refused, HEAD and OPTIONS work as for any resource", async () => {
  assert.equal((await server.fetch(PATH, { method: "POST" })).status, 405);
  const preflight = await server.fetch(PATH, {
    method: "OPTIONS",
    headers: { origin: "https://x.example", "access-control-request-method": "GET" },
  });
  assert.ok([200, 204].includes(preflight.status));
  assert.equal(preflight.headers.get("access-control-allow-credentials"), null);
});
