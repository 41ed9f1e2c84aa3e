// Protected resource metadata (RFC 9728), the way there from a refusal, and what every resource does (RFC 6750).
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { connect, me, revoke, SCOPES, serverApp, signedIn, spa } from "./harness/client.mjs";
import { invalidToken } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const HERE = "/.well-known/oauth-protected-resource";
let server, owner, app;
before(async () => {
  server = await startServer();
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());
afterEach(() => server.clock(0));

const document = async (on, path) => {
  const answer = await on.fetch(`${HERE}${path}`);
  return { status: answer.status, headers: answer.headers, json: await answer.json() };
};

test("PR-01, PR-02, PR-04: the issuer and every resource below the API have a document with their very identifier", async () => {
  for (const path of ["", "/api/v1/me", "/api/v1/bookings", "/api/v1/bookings/17", "/api/v1/me/", "/api/x%20y"]) {
    const { status, headers, json } = await document(server, path);
    assert.equal(status, 200, path);
    assert.match(headers.get("content-type"), /^application\/json/);
    assert.deepEqual(json, {
      resource: `${server.issuer}${path}`,
      authorization_servers: [server.issuer],
      scopes_supported: SCOPES.split(" "),
      bearer_methods_supported: ["header"],
      resource_name: "Edgegrant",
    });
  }
});

test("PR-01: what is no resource has none", async () => {
  for (const path of ["/", "/login", "/oauth/token", "/oauth/introspect", "/account/apps", "/manage/v1/apps", "x", "/apiary", "x/api/v1/me", "/.well-known/oauth-protected-resource", "/whatever"]) {
    assert.equal((await document(server, path)).status, 404, path);
  }
});

test("PR-02: under a preset that has moved me, the document has moved with it", async () => {
  const other = await startServer({ preset: "cal-v2" });
  try {
    const { status, json } = await document(other, other.routes.me);
    assert.equal(`${status} ${json.resource}`, `200 ${other.issuer}${other.routes.me}`);
    assert.equal(json.scopes_supported.length, 42);
    const refused = await other.fetch(other.routes.me);
    assert.match(refused.headers.get("www-authenticate"), new RegExp(`resource_metadata="${other.issuer}${HERE}${other.routes.me}"$`));
  } finally {
    await other.stop();
  }
});

test("PR-05: no member is null or empty", async () => {
  for (const [name, value] of Object.entries((await document(server, "")).json)) {
    assert.ok(typeof value === "string" ? value !== "" : value.length > 0, name);
  }
});

test("the document is readable anywhere, may be kept for five minutes, and takes GET, HEAD and OPTIONS", async () => {
  const origin = "https://spa.example";
  const get = await server.fetch(`${HERE}/api/v1/me`, { headers: { origin } });
  assert.equal(get.headers.get("access-control-allow-origin"), "*");
  assert.equal(get.headers.get("access-control-allow-credentials"), null);
  assert.equal(get.headers.get("cache-control"), "public, max-age=300");
  const head = await server.fetch(HERE, { method: "HEAD" });
  assert.equal(`${head.status} ${await head.text()}`, "200 ");
  const preflight = await server.fetch(HERE, { method: "OPTIONS", headers: { origin, "access-control-request-method": "GET" } });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    const answer = await server.fetch(`${HERE}/api/v1/me`, { method });
    assert.equal(`${answer.status} ${answer.headers.get("allow")}`, "405 GET, HEAD, OPTIONS", method);
  }
});

const metadataOf = (answer) => answer.headers.get("www-authenticate")?.match(/resource_metadata="([^"]*)"/g) ?? [];

test("PR-03, RS-04: 401, 400 and 403 of a resource lead to its document, once", async () => {
  const { access_token } = await connect(server, owner, app);
  const twice = { method: "POST", body: new URLSearchParams({ access_token }), headers: { authorization: `Bearer ${access_token}` } };
  for (const [status, answer] of [
    [401, await server.fetch("/api/v1/me")],
    [401, await me(server, "garbage")],
    [400, await server.fetch("/api/v1/me", twice)],
    [401, await server.fetch("/api/v1/me?access_token=x")],
  ]) {
    assert.equal(answer.status, status);
    assert.deepEqual(metadataOf(answer), [`resource_metadata="${server.issuer}${HERE}/api/v1/me"`]);
    assert.match(answer.headers.get("access-control-expose-headers").toLowerCase(), /www-authenticate/);
  }
  assert.doesNotMatch((await server.fetch("/api/v1/me")).headers.get("www-authenticate"), /error=/);
});

test("PR-03: a challenge of the token endpoint or of the management API names no resource", async () => {
  for (const [path, method] of [
    ["/oauth/token", "POST"],
    ["/oauth/introspect", "POST"],
    ["/manage/v1/apps", "GET"],
  ]) {
    const body = method === "POST" ? new URLSearchParams({ token: "x" }) : undefined;
    const answer = await server.fetch(path, { method, body });
    assert.equal(answer.status, 401, path);
    assert.deepEqual(metadataOf(answer), [], path);
  }
});

test("RS-05: an expired, a revoked and a malformed token are invalid; each attribute is there once, in its alphabet", async () => {
  const held = await connect(server, owner, app);
  const gone = await connect(server, owner, app);
  await revoke(server, app, gone.access_token);
  const answers = [await me(server, gone.access_token), await me(server, "garbage")];
  await server.clock(3_600_000);
  answers.push(await me(server, held.access_token));
  for (const answer of answers) {
    invalidToken(answer);
    const attributes = [...answer.headers.get("www-authenticate").matchAll(/(\w+)="([\x20-\x21\x23-\x5B\x5D-\x7E]*)"/g)];
    assert.deepEqual(attributes.map(([, name]) => name).sort(), ["error", "error_description", "realm", "resource_metadata"]);
    assert.equal(answer.headers.get("www-authenticate"), `Bearer ${attributes.map(([whole]) => whole).join(", ")}`);
  }
});

test("RS-06: a token without the scope is 403 with the scope that is missing", async () => {
  const other = await startServer({ vars: { POLICY: JSON.stringify({ me: { scope: "account:read" } }) } });
  try {
    const browser = await signedIn(other);
    const narrow = await connect(other, browser, spa(other), { scope: "bookings:read" });
    const answer = await me(other, narrow.access_token);
    assert.equal(answer.status, 403);
    assert.match(answer.headers.get("www-authenticate"), /^Bearer .*error="insufficient_scope".*scope="account:read"/);
    assert.deepEqual(metadataOf(answer), [`resource_metadata="${other.issuer}${HERE}/api/v1/me"`]);
    assert.equal((await me(other, (await connect(other, browser, spa(other))).access_token)).status, 200);
  } finally {
    await other.stop();
  }
});

test("RS-11: of 200 tokens none is taken once its revocation has answered", async () => {
  const held = await connect(server, owner, serverApp());
  assert.equal((await me(server, held.access_token)).status, 200);
  for (let round = 0; round < 20; round += 1) {
    const all = await Promise.all(Array.from({ length: 10 }, () => connect(server, owner, app)));
    const late = await Promise.all(
      all.map(async ({ access_token, refresh_token }, n) => {
        await revoke(server, app, n % 2 ? access_token : refresh_token);
        return (await me(server, access_token)).status;
      }),
    );
    assert.deepEqual(new Set(late), new Set([401]));
  }
});

test("a client library that knows nothing but the resource finds its authorization server", async () => {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const resource = new URL("/api/v1/me", server.issuer);
  const refused = await oauth.protectedResourceRequest("garbage", "GET", resource, undefined, undefined, insecure).catch((error) => error);
  const [{ parameters }] = refused.cause;
  const found = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, insecure));
  assert.equal(found.resource, resource.href);
  assert.deepEqual(found, await (await server.fetch(parameters.resource_metadata)).json());
  const issuer = new URL(found.authorization_servers[0]);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure }));
  assert.equal(as.issuer, server.issuer);
});
