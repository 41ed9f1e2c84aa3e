// Introspection (RFC 7662): who may ask, what is told, and what is never told.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import {
  authorize,
  basic,
  Browser,
  connect,
  disconnectAll,
  introspect,
  manage,
  managementApi,
  me,
  post,
  refresh,
  RESOURCE,
  revoke,
  SCOPES,
  serverApp,
  signedIn,
  spa,
} from "./harness/client.mjs";
import { activeToken as active, inactiveToken as inactive, oauthError } from "./harness/expect.mjs";
import { makeKey, revokeKey } from "./harness/keys.mjs";
import { DEMO_SALON, person } from "./harness/made.mjs";
import { startServer } from "./harness/server.mjs";

const PATH = "/oauth/introspect";
const confidential = serverApp();
let server, owner, app;
before(async () => {
  server = await startServer({ counting: true, vars: { POLICY: JSON.stringify({ refresh: { rate: { limit: 1000, window_s: 60 } } }) } });
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());
afterEach(async () => {
  await server.faults({});
  await server.clock(0);
});

const times = (count, run) => Promise.all(Array.from({ length: count }, (_, n) => run(n)));

/** A resource server of its own, which serves these scopes. */
async function resource(scopes, name = crypto.randomUUID()) {
  const made = await managementApi(server, "POST", "/resource-servers", { name, resource: `https://${name}.example`, scopes });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  return { id: made.json.client_id, secret: made.json.client_secret, resource: made.json.resource };
}

test("IN-01: without credentials of a resource server there is no answer, whatever app asks", async () => {
  const held = await connect(server, owner, confidential);
  const ask = (fields, headers) => post(server, PATH, { token: held.access_token, ...fields }, headers);
  for (const [what, answer] of Object.entries({
    nobody: await ask(),
    "the public app": await ask({ client_id: app.id }),
    "the confidential app, Basic": await ask({}, { authorization: basic(confidential.id, confidential.secret) }),
    "the confidential app, body": await ask({ client_id: confidential.id, client_secret: confidential.secret }),
    "the token itself": await ask({}, { authorization: `Bearer ${held.access_token}` }),
    "a management token": await ask({}, { authorization: "Bearer demo-management-token" }),
    "without a secret": await ask({ client_id: RESOURCE.id }),
    "a wrong secret": await ask({}, { authorization: basic(RESOURCE.id, "demo-resource-secreu") }),
    "the app's secret": await ask({}, { authorization: basic(RESOURCE.id, confidential.secret) }),
    "an unknown id": await ask({}, { authorization: basic("demo-resourcf", RESOURCE.secret) }),
  })) {
    assert.equal(`${answer.status} ${answer.json.error}`, "401 invalid_client", what);
    assert.match(answer.headers.get("www-authenticate"), /^Basic realm=/, what);
    assert.equal(answer.json.active, undefined);
  }
  oauthError(await ask({ client_secret: RESOURCE.secret }, { authorization: basic(RESOURCE.id, RESOURCE.secret) }), 400, "invalid_request");
  active(await ask({}, { authorization: basic(RESOURCE.id, RESOURCE.secret) }));
  active(await ask({ client_id: RESOURCE.id, client_secret: RESOURCE.secret }));
});

test("IN-01: a resource server is no app: it gets no code, no token, and revokes nothing", async () => {
  const held = await connect(server, owner, confidential);
  const own = await resource(["bookings:read"]);
  const objects = (await server.objects("App")).length;
  for (const { id, secret } of [RESOURCE, own]) {
    const client = { ...confidential, id, secret };
    for (const answer of [
      await refresh(server, client, held.refresh_token),
      await post(server, "/oauth/token", { grant_type: "authorization_code", code: held.code, client_id: id, client_secret: secret }),
      await revoke(server, client, held.access_token),
      await post(server, "/oauth/revoke", { token: held.access_token }, { authorization: basic(id, secret) }),
    ])
      oauthError(answer, 401, "invalid_client");
    const query = new URLSearchParams({ response_type: "code", client_id: id, redirect_uri: confidential.redirectUri, code_challenge: "a".repeat(43) });
    const page = await owner.page(`/oauth/authorize?${query}`);
    assert.equal(`${page.status} ${page.location}`, "400 null");
    assert.doesNotMatch(page.html, /Demo API/);
    assert.equal((await owner.page(`/developers/apps/${id}`)).status, 404);
    assert.equal((await managementApi(server, "GET", `/apps/${id}`)).status, 404);
    assert.equal((await managementApi(server, "POST", `/apps/${id}/secrets`)).status, 404);
    assert.equal((await managementApi(server, "POST", `/apps/${id}/suspend`)).status, 404);
  }
  const listed = JSON.stringify((await managementApi(server, "GET", "/apps?limit=200")).json);
  assert.ok(!listed.includes(own.id) && !listed.includes(RESOURCE.id));
  assert.doesNotMatch((await owner.page("/marketplace")).text, /Demo API/);
  assert.equal((await server.objects("App")).length, objects);
  active(await introspect(server, held.access_token, {}, own));
});

test("IN-01: what is not as the RFC has it is an invalid request", async () => {
  const authorization = basic(RESOURCE.id, RESOURCE.secret);
  const send = async (body, type = "application/x-www-form-urlencoded") => {
    const answer = await server.fetch(PATH, { method: "POST", body, headers: { authorization, "content-type": type } });
    return { status: answer.status, headers: answer.headers, json: await answer.json() };
  };
  oauthError(await send(""), 400, "invalid_request");
  oauthError(await send("token="), 400, "invalid_request");
  oauthError(await send("token=a&token=b"), 400, "invalid_request");
  oauthError(await send("token=a&token_type_hint=b&token_type_hint=b"), 400, "invalid_request");
  for (const count of ["1", "yes", "TRUE", "true "]) oauthError(await send(`token=a&count=${count}`), 400, "invalid_request");
  oauthError(await send('{"token":"a"}', "application/json"), 415, "invalid_request");
  oauthError(await send(`token=${"a".repeat(20_000)}`), 413, "invalid_request");
  const { access_token } = await connect(server, owner, app);
  assert.equal((await server.fetch(`${PATH}?token=${access_token}`, { method: "POST", headers: { authorization } })).status, 415);
  oauthError(await send(`x=1&count=&other=${access_token}`), 400, "invalid_request");
});

test("IN-02: the hint is optional and any value of it is ignored", async () => {
  const { access_token } = await connect(server, owner, app);
  for (const token_type_hint of [undefined, "access_token", "refresh_token", "urn:x", "ü"]) {
    active(await introspect(server, access_token, { token_type_hint }));
  }
});

test("IN-03: what is not active is exactly that, whatever the reason", async () => {
  const held = await connect(server, owner, app);
  const other = await startServer(); // the same keys, another issuer
  const redirect = await authorize(owner, app);
  try {
    const elsewhere = await connect(other, await signedIn(other), spa(other));
    const last = held.access_token.at(-1);
    for (const [what, token] of Object.entries({
      garbage: "x",
      "with a changed character": `${held.access_token.slice(0, -1)}${last === "A" ? "B" : "A"}`,
      "a refresh token": held.refresh_token,
      "a code": redirect.code,
      "a used code": held.code,
      "a management token": "demo-management-token",
      "a secret": RESOURCE.secret,
      "of another deployment": elsewhere.access_token,
      "with a space": ` ${held.access_token}`,
      long: "a".repeat(5000),
    }))
      inactive(await introspect(server, token), what);
  } finally {
    await other.stop();
  }
  const gone = await connect(server, owner, app);
  assert.equal((await revoke(server, app, gone.access_token)).status, 200);
  inactive(await introspect(server, gone.access_token), "revoked");
  const family = await connect(server, owner, app);
  assert.equal((await revoke(server, app, family.refresh_token)).status, 200);
  inactive(await introspect(server, family.access_token), "of a revoked family");
  await server.clock(3_600_000);
  inactive(await introspect(server, held.access_token), "expired");
});

test("IN-04: active means that me takes the token too: as long as it lives, and through a suspension not", async () => {
  const held = await connect(server, owner, confidential);
  await server.clock(3_590_000);
  active(await introspect(server, held.access_token));
  await server.clock(0);
  assert.equal((await manage(server, confidential.id, "suspend")).status, 200);
  const answers = await times(30, () => introspect(server, held.access_token));
  for (const answer of answers) inactive(answer, "suspended");
  assert.equal((await me(server, held.access_token)).status, 401);
  assert.equal((await manage(server, confidential.id, "restore")).status, 200);
  active(await introspect(server, held.access_token));
});

test("IN-04: a stolen refresh token that was used ends the access tokens of its family here too", async () => {
  const held = await connect(server, owner, app);
  await refresh(server, app, held.refresh_token);
  await server.clock(10_000);
  await refresh(server, app, held.refresh_token);
  inactive(await introspect(server, held.access_token));
});

test("IN-05: a resource server learns only of tokens with a scope that it serves, and only of those scopes", async () => {
  const held = await connect(server, owner, app, { scope: "bookings:read account:read" });
  const bookings = await resource(["bookings:read", "bookings:write"]);
  const customers = await resource(["customers:read"]);
  assert.equal(active(await introspect(server, held.access_token, {}, bookings)).scope, "bookings:read");
  assert.equal(active(await introspect(server, held.access_token, {}, bookings)).aud, bookings.resource);
  inactive(await introspect(server, held.access_token, {}, customers));
  assert.deepEqual(active(await introspect(server, held.access_token)).scope.split(" ").sort(), ["account:read", "bookings:read"]);
});

test("IN-05: a token that is meant for others cannot be used up by asking", async () => {
  const held = await connect(server, owner, confidential, { scope: "bookings:read" });
  const customers = await resource(["customers:read"]);
  await server.clock(120_000); // a window of its own
  const before = active(await introspect(server, held.access_token, { count: "true" })).rate_limit.remaining;
  for (const answer of await times(20, () => introspect(server, held.access_token, { count: "true" }, customers))) inactive(answer);
  assert.equal(active(await introspect(server, held.access_token, { count: "true" })).rate_limit.remaining, before - 1);
});

test("IN-05: a scope that includes one that is served reaches the resource server", async () => {
  const catalogue = [
    { name: "shop", words: "See your shop" },
    { name: "shop.all", words: "Do everything", implies: ["shop"] },
    { name: "other", words: "Something else" },
  ];
  const other = await startServer({ vars: { POLICY: JSON.stringify({ scopes: { catalogue } }) } });
  try {
    const browser = await signedIn(other);
    const registered = await managementApi(other, "POST", "/resource-servers", { name: "Shop", resource: "https://shop.example", scopes: ["shop"] });
    const shop = { id: registered.json.client_id, secret: registered.json.client_secret };
    const held = async (scope) => (await connect(other, browser, spa(other), { scope })).access_token;
    assert.equal(active(await introspect(other, await held("shop.all"), {}, shop)).scope, "shop");
    inactive(await introspect(other, await held("other"), {}, shop));
  } finally {
    await other.stop();
  }
});

test("IN-06, IN-07: an active answer says whose token it is, for whom, and until when", async () => {
  const held = await connect(server, owner, app, { account: DEMO_SALON });
  const now = Math.floor(Date.now() / 1000);
  const { iat, exp, scope, ...rest } = active(await introspect(server, held.access_token));
  assert.deepEqual(rest, {
    active: true,
    client_id: app.id,
    sub: "b0000000000000000000000000000001",
    account_id: DEMO_SALON,
    account_name: "Demo Salon",
    aud: `${server.issuer}/demo-resource`,
    iss: server.issuer,
    token_type: "Bearer",
  });
  assert.deepEqual(scope.split(" ").sort(), SCOPES.split(" ").sort());
  assert.ok(Number.isInteger(iat) && Number.isInteger(exp));
  assert.equal(exp - iat, 3600);
  assert.ok(Math.abs(iat - now) < 30, `${iat} ${now}`);
});

test("IN-07: an API key is told as one: no app, and no end when it has none", async () => {
  const { key, id } = await makeKey(owner, { scopes: ["bookings:read"], days: "0", account: DEMO_SALON });
  const { iat, ...told } = active(await introspect(server, key));
  assert.deepEqual(told, {
    active: true,
    scope: "bookings:read",
    sub: "b0000000000000000000000000000001",
    account_id: DEMO_SALON,
    account_name: "Demo Salon",
    aud: `${server.issuer}/demo-resource`,
    iss: server.issuer,
    token_type: "Bearer",
  });
  assert.ok(Math.abs(iat - Date.now() / 1000) < 30);
  const ends = await makeKey(owner, { scopes: ["bookings:read"], days: "30", account: DEMO_SALON });
  assert.ok(Number.isInteger(active(await introspect(server, ends.key)).exp));
  await revokeKey(owner, id);
  for (const answer of await times(20, () => introspect(server, key))) inactive(answer);
});

test("IN-08: only POST, and no script of another origin is let in", async () => {
  for (const method of ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]) {
    const answer = await server.fetch(PATH, { method, headers: { origin: "https://x.example", "access-control-request-method": "POST" } });
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers.get("allow"), "POST", method);
    assert.equal(answer.headers.get("access-control-allow-origin"), null, method);
  }
  const { access_token } = await connect(server, owner, app);
  const headers = { authorization: basic(RESOURCE.id, RESOURCE.secret), origin: `${server.issuer}` };
  for (const answer of [await post(server, PATH, { token: access_token }, headers), await post(server, PATH, { token: "x" }), await post(server, PATH, {}, headers)]) {
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  }
});

test("after revocation, disconnection or an API key's end has answered, of 60 questions at once none says active", async () => {
  for (const end of [
    (held) => revoke(server, app, held.access_token),
    (held) => revoke(server, app, held.refresh_token),
    async () => ({ status: (await disconnectAll(owner)) > 0 ? 200 : 500 }),
  ]) {
    const held = await connect(server, owner, app);
    const resources = [RESOURCE, await resource(["bookings:read"])];
    const asking = times(30, (n) => introspect(server, held.access_token, {}, resources[n % 2]));
    assert.equal((await end(held)).status, 200);
    for (const answer of await times(60, (n) => introspect(server, held.access_token, {}, resources[n % 2]))) inactive(answer);
    for (const answer of await asking) assert.equal(answer.status, 200);
  }
});

test("a part that does not answer is 503, never an inactive token", async () => {
  const held = await connect(server, owner, app);
  const { key } = await makeKey(owner, { account: DEMO_SALON });
  active(await introspect(server, held.access_token));
  const unavailable = (answer) => {
    assert.equal(answer.status, 503, JSON.stringify(answer.json));
    assert.ok(Number(answer.headers.get("retry-after")) >= 1);
    assert.equal(answer.json.active, undefined);
    assert.equal(answer.json.error, "temporarily_unavailable");
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  };
  await server.faults({ object: "throw", objectOnly: ["GRANT"] });
  for (const token of [held.access_token, key]) for (const count of ["true", "false"]) unavailable(await introspect(server, token, { count }));
  await server.clock(20_000); // the leases have run out
  await server.faults({ object: "throw", objectOnly: ["APP"] });
  unavailable(await introspect(server, held.access_token));
  await server.faults({});
  active(await introspect(server, held.access_token));
});

test("a client library that knows only the standards introspects", async () => {
  const held = await connect(server, owner, app);
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(server.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure }));
  const client = { client_id: RESOURCE.id };
  for (const authentication of [oauth.ClientSecretBasic(RESOURCE.secret), oauth.ClientSecretPost(RESOURCE.secret)]) {
    const ask = async (token) =>
      oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, authentication, token, insecure));
    const told = await ask(held.access_token);
    assert.equal(`${told.active} ${told.client_id} ${told.iss}`, `true ${app.id} ${server.issuer}`);
    assert.deepEqual(await ask("garbage"), { active: false });
  }
});

test("the address is the policy's, and form bodies and the RFC's errors are there under every preset", async () => {
  const other = await startServer({ preset: "klippa", vars: { POLICY: JSON.stringify({ routes: { introspect: ["/v1/whose", "/v0/whose"] } }) } });
  try {
    assert.equal(other.routes.introspect, "/v1/whose");
    for (const path of ["/v1/whose", "/v0/whose"]) {
      inactive(await post(other, path, { token: "x" }, { authorization: basic(RESOURCE.id, RESOURCE.secret) }));
      oauthError(await post(other, path, { token: "x" }), 401, "invalid_client");
    }
    const metadata = await (await other.fetch("/.well-known/oauth-authorization-server")).json();
    assert.equal(metadata.introspection_endpoint, `${other.issuer}/v1/whose`);
    assert.equal((await new Browser(other).fetch("/oauth/introspect", { method: "POST" })).status, 404);
  } finally {
    await other.stop();
  }
});

test("no log line holds a token or a secret of a resource server", async () => {
  const own = await resource(["bookings:read"]);
  const email = "introspect@demo.example";
  await person(server, email, { roles: { [DEMO_SALON]: "owner" } });
  const held = await connect(server, await signedIn(server, email), confidential);
  await introspect(server, held.access_token, {}, own);
  await introspect(server, held.access_token, {}, { ...own, secret: `${own.secret}x` });
  for (const secret of [held.access_token, own.secret, RESOURCE.secret]) assert.ok(!server.log.includes(secret));
});
