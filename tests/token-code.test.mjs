// Redeeming a code at the token endpoint.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { authorize, basic, connect, exchange, me, pkce, post, refresh, SCOPES, serverApp, signedIn, spa } from "./harness/client.mjs";
import { invalidToken, json, notStored, oauthError, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
const confidential = serverApp();
before(async () => {
  server = await startServer();
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());
afterEach(() => server.clock(0));

const alive = async (answer) => assert.equal((await me(server, answer.access_token)).status, 200);

test("TK-18, TK-25 to TK-27, TK-32: a code gives tokens, to the public app and to the one with a secret in the body", async () => {
  for (const client of [app, confidential]) {
    const answer = tokens(await exchange(server, client, await authorize(owner, client)));
    assert.deepEqual(answer.scope.split(" ").sort(), SCOPES.split(" ").sort());
    assert.equal(answer.expires_in, 3600);
    await alive(answer);
  }
});

test("TK-27: the scope of the answer is what was asked for", async () => {
  const answer = tokens(await exchange(server, app, await authorize(owner, app, { scope: "bookings:read account:read" })));
  assert.deepEqual(answer.scope.split(" ").sort(), ["account:read", "bookings:read"]);
});

test("TK-19: a secret in the Authorization header works, percent-encoded or as it is", async () => {
  for (const header of [
    basic(confidential.id, confidential.secret),
    `Basic ${btoa(`${confidential.id}:${confidential.secret}`)}`,
    basic("demo%2Dserver".replace("%2D", "-"), confidential.secret).replace("Basic", "basic"),
  ]) {
    const redirect = await authorize(owner, confidential);
    tokens(
      await post(
        server,
        "/oauth/token",
        { grant_type: "authorization_code", code: redirect.code, redirect_uri: confidential.redirectUri, code_verifier: redirect.verifier },
        { authorization: header },
      ),
    );
  }
  const redirect = await authorize(owner, confidential);
  const encoded = `Basic ${btoa("demo%2Dserver:demo%2Dserver%2Dsecret")}`;
  tokens(
    await post(
      server,
      "/oauth/token",
      { grant_type: "authorization_code", code: redirect.code, redirect_uri: confidential.redirectUri, code_verifier: redirect.verifier },
      { authorization: encoded },
    ),
  );
});

test("TK-01: only POST; other methods are 405 with Allow", async () => {
  for (const method of ["GET", "PUT", "DELETE", "PATCH", "HEAD"]) {
    const answer = await server.fetch("/oauth/token?grant_type=authorization_code", { method });
    assert.equal(answer.status, 405, method);
    assert.match(answer.headers.get("allow"), /POST/);
    notStored(answer);
  }
});

test("TK-02: credentials and parameters in the query do not count", async () => {
  const { code, verifier } = await authorize(owner, app);
  const query = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    code_verifier: verifier,
    redirect_uri: app.redirectUri,
    client_id: app.id,
  });
  const answer = await post(server, `/oauth/token?${query}`, {});
  assert.ok([400, 401].includes(answer.status));
  json(answer);
  const { code: second, verifier: its } = await authorize(owner, confidential);
  const inQuery = await exchange(server, { ...confidential, secret: undefined }, { code: second, verifier: its });
  oauthError(inQuery, 401, "invalid_client");
  const withSecret = await post(server, "/oauth/token?client_secret=demo-server-secret", {
    grant_type: "authorization_code",
    code: second,
    code_verifier: its,
    redirect_uri: confidential.redirectUri,
    client_id: confidential.id,
  });
  assert.notEqual(withSecret.status, 200);
});

test("TK-03: unknown parameters are ignored, empty ones are left out, doubled ones are refused", async () => {
  const redirect = await authorize(owner, app);
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code: redirect.code,
    redirect_uri: app.redirectUri,
    code_verifier: redirect.verifier,
    client_id: app.id,
  });
  for (const [name, value] of body) {
    const doubled = new URLSearchParams(body);
    doubled.append(name, value);
    const answer = await server.fetch("/oauth/token", { method: "POST", body: doubled });
    assert.equal(answer.status, 400, name);
    assert.equal((await answer.json()).error, "invalid_request", name);
  }
  tokens(await exchange(server, app, redirect, { client_secret: "", extra: "x", "a[]": "1" }));
});

test("TK-04, A23: a body of any other type is 415 as JSON, and the code is still good", async () => {
  const redirect = await authorize(owner, app);
  const fields = {
    grant_type: "authorization_code",
    code: redirect.code,
    redirect_uri: app.redirectUri,
    code_verifier: redirect.verifier,
    client_id: app.id,
  };
  for (const [type, body] of [
    ["application/json", JSON.stringify(fields)],
    ["text/plain", new URLSearchParams(fields).toString()],
    ["multipart/form-data; boundary=x", "--x--"],
    ["application/x-www-form-urlencoded-x", new URLSearchParams(fields).toString()],
  ]) {
    const answer = await server.fetch("/oauth/token", { method: "POST", body, headers: { "content-type": type } });
    assert.equal(answer.status, 415, type);
    assert.equal((await answer.json()).error, "invalid_request");
  }
  tokens(await exchange(server, app, redirect));
});

test("TK-05, TK-22: a code is bound to its client, and another client's attempt uses nothing up", async () => {
  const mine = await authorize(owner, app);
  oauthError(await exchange(server, confidential, mine, { redirect_uri: app.redirectUri }), 400, "invalid_grant");
  tokens(await exchange(server, app, mine));
  const theirs = await authorize(owner, confidential);
  oauthError(await exchange(server, app, theirs, { redirect_uri: confidential.redirectUri }), 400, "invalid_grant");
  tokens(await exchange(server, confidential, theirs));
  const anonymous = await exchange(server, app, await authorize(owner, app), { client_id: undefined });
  assert.ok([400, 401].includes(anonymous.status));
});

test("TK-06, TK-08 to TK-11, TK-16: redirect URI and verifier must be right; failed tries use nothing up", async () => {
  const redirect = await authorize(owner, app);
  const wrong = [
    { redirect_uri: `${app.redirectUri}?computer_says=no` },
    { redirect_uri: "https://attacker.example/" },
    { code_verifier: undefined },
    { code_verifier: "" },
    { code_verifier: "abc" },
    { code_verifier: "a".repeat(42) },
    { code_verifier: "a".repeat(129) },
    { code_verifier: pkce().verifier },
    { code_verifier: redirect.verifier.slice(0, -1) + (redirect.verifier.endsWith("A") ? "B" : "A") },
    { code_verifier: `${redirect.verifier} ` },
    { code_verifier: redirect.verifier.replace(/.$/, "+") },
  ];
  for (const changes of wrong) oauthError(await exchange(server, app, redirect, changes), 400, "invalid_grant");
  tokens(await exchange(server, app, redirect));
});

test("TK-09: the challenge itself is not a verifier", async () => {
  const { challenge } = pkce();
  const redirect = await authorize(owner, app, { code_challenge: challenge });
  oauthError(await exchange(server, app, redirect, { code_verifier: challenge }), 400, "invalid_grant");
});

test("TK-07: the redirect URI may be left out, the verifier still decides", async () => {
  const redirect = await authorize(owner, app);
  const without = { redirect_uri: undefined };
  oauthError(await exchange(server, app, redirect, { ...without, code_verifier: pkce().verifier }), 400, "invalid_grant");
  tokens(await exchange(server, app, redirect, without));
});

test("TK-13, TK-14: a second valid use is refused and ends what the first produced", async () => {
  const redirect = await authorize(owner, app);
  const first = tokens(await exchange(server, app, redirect));
  oauthError(await exchange(server, app, redirect), 400, "invalid_grant");
  invalidToken(await me(server, first.access_token));
  oauthError(await refresh(server, app, first.refresh_token), 400, "invalid_grant");
});

test("TK-15: a second use that is not valid ends nothing", async () => {
  const redirect = await authorize(owner, app);
  const first = tokens(await exchange(server, app, redirect));
  const invalid = [
    [app, { code_verifier: undefined }],
    [app, { code_verifier: pkce().verifier }],
    [app, { redirect_uri: "https://x.example/" }],
    [confidential, {}],
  ];
  for (const [client, changes] of invalid) oauthError(await exchange(server, client, redirect, changes), 400, "invalid_grant");
  await alive(first);
  tokens(await refresh(server, app, first.refresh_token));
});

test("a replayed code ends only its own family, not other tokens of the same grant", async () => {
  const other = await connect(server, owner, app);
  const redirect = await authorize(owner, app);
  tokens(await exchange(server, app, redirect));
  oauthError(await exchange(server, app, redirect), 400, "invalid_grant");
  await alive(other);
});

test("AZ-35: a code lives 60 seconds", async () => {
  const inTime = await authorize(owner, app);
  await server.clock(58_000);
  tokens(await exchange(server, app, inTime));
  const late = await authorize(owner, app);
  await server.clock(58_000 + 61_000);
  oauthError(await exchange(server, app, late), 400, "invalid_grant");
});

test("TK-13: a code that was used is refused as long as it could be tried, and replay is still noticed", async () => {
  const redirect = await authorize(owner, app);
  const first = tokens(await exchange(server, app, redirect));
  await server.clock(30_000);
  oauthError(await exchange(server, app, redirect), 400, "invalid_grant");
  invalidToken(await me(server, first.access_token));
});

test("TK-17, TK-21: a confidential app must prove itself; in the header the answer says how; the code survives", async () => {
  const redirect = await authorize(owner, confidential);
  for (const secret of [undefined, "", "wrong", "demo-server-secre", "demo-server-secret ", "x".repeat(5000)]) {
    oauthError(await exchange(server, { ...confidential, secret }, redirect), 401, "invalid_client");
  }
  const fields = {
    grant_type: "authorization_code",
    code: redirect.code,
    redirect_uri: confidential.redirectUri,
    code_verifier: redirect.verifier,
  };
  for (const header of [
    basic(confidential.id, "wrong"),
    basic("nope", "x"),
    "Basic !!!",
    "Basic",
    "Bearer x",
    `Basic ${btoa("no colon")}`,
  ]) {
    const answer = await post(server, "/oauth/token", fields, { authorization: header });
    assert.ok([400, 401].includes(answer.status), header);
    if (answer.status === 401) assert.match(answer.headers.get("www-authenticate"), /^Basic realm=/);
  }
  tokens(await exchange(server, confidential, redirect));
});

test("TK-20: two ways of authentication at once are refused", async () => {
  const redirect = await authorize(owner, confidential);
  const answer = await exchange(server, confidential, redirect).then(() => authorize(owner, confidential));
  const both = await post(
    server,
    "/oauth/token",
    {
      grant_type: "authorization_code",
      code: answer.code,
      redirect_uri: confidential.redirectUri,
      code_verifier: answer.verifier,
      client_id: confidential.id,
      client_secret: confidential.secret,
    },
    { authorization: basic(confidential.id, confidential.secret) },
  );
  oauthError(both, 400, "invalid_request");
});

test("TK-24: a secret proves nothing for the public app, and unknown clients are told so", async () => {
  const redirect = await authorize(owner, app);
  for (const id of ["nope", "", "demo-spa\u0000"]) {
    const answer = await exchange(server, { ...app, id }, redirect);
    assert.ok(["invalid_client", "invalid_request"].includes(answer.json.error), `${id}: ${JSON.stringify(answer.json)}`);
    assert.ok([400, 401].includes(answer.status));
  }
  const withSecret = await exchange(server, { ...app, secret: "anything" }, redirect);
  oauthError(withSecret, 401, "invalid_client");
  tokens(await exchange(server, app, redirect));
});

test("TK-28 to TK-30: grant types that are not served, and requests without one", async () => {
  for (const type of ["password", "implicit", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code", "Authorization_Code"]) {
    const answer = await post(server, "/oauth/token", {
      grant_type: type,
      client_id: confidential.id,
      client_secret: confidential.secret,
      username: "a",
      password: "b",
    });
    oauthError(answer, 400, "unsupported_grant_type");
  }
  oauthError(await post(server, "/oauth/token", { client_id: app.id }), 400, "invalid_request");
  oauthError(await post(server, "/oauth/token", { grant_type: "authorization_code", client_id: app.id }), 400, "invalid_request");
});

test("TK-35: a code with any changed character is refused", async () => {
  const redirect = await authorize(owner, app);
  const { code } = redirect;
  for (let at = 0; at < code.length; at += 1) {
    const other = code[at] === "A" ? "B" : "A";
    oauthError(await exchange(server, app, redirect, { code: code.slice(0, at) + other + code.slice(at + 1) }), 400, "invalid_grant");
  }
  for (const changed of [`${code}=`, `${code}A`, code.slice(0, -1), code.slice(1), ` ${code}`, `${code}\n`, "", "x", "€"]) {
    assert.equal((await exchange(server, app, redirect, { code: changed })).status, 400);
  }
  tokens(await exchange(server, app, redirect));
});

test("TK-38, A23: preflights are answered without credentials; a foreign origin is refused before anything is claimed", async () => {
  const preflight = await server.fetch("/oauth/token", {
    method: "OPTIONS",
    headers: { origin: "https://spa.example", "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
  });
  assert.ok([200, 204].includes(preflight.status));
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.equal(preflight.headers.get("access-control-allow-credentials"), null);
  assert.match(preflight.headers.get("access-control-allow-methods"), /POST/);
  const redirect = await authorize(owner, app);
  const body = (origin) =>
    post(
      server,
      "/oauth/token",
      {
        grant_type: "authorization_code",
        code: redirect.code,
        redirect_uri: app.redirectUri,
        code_verifier: redirect.verifier,
        client_id: app.id,
      },
      { origin },
    );
  for (const origin of ["https://attacker.example", "null"]) {
    const refused = await body(origin);
    oauthError(refused, 403, "unauthorized_client");
    assert.equal(refused.headers.get("access-control-allow-origin"), "*", "nothing was proven that a script should not see");
  }
  const answer = await body(server.issuer);
  tokens(answer);
  assert.ok(["*", server.issuer].includes(answer.headers.get("access-control-allow-origin")));
  assert.match(answer.headers.get("access-control-expose-headers") ?? "", /retry-after/i);
});

test("A23: the answer to an app with a secret is for no script, not even one of its own origin", async () => {
  const { code, verifier } = await authorize(owner, confidential);
  const fields = { grant_type: "authorization_code", code, code_verifier: verifier, client_id: confidential.id };
  const { origin } = new URL(confidential.redirectUri);
  const answer = await post(server, "/oauth/token", { ...fields, client_secret: confidential.secret }, { origin });
  tokens(answer);
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
});

test("A22, UI-11: a suspended app gets unauthorized_client, nothing is consumed, and restoring brings everything back", async () => {
  const { manage } = await import("./harness/client.mjs");
  const held = await connect(server, owner, app);
  const redirect = await authorize(owner, app);
  assert.deepEqual((await manage(server, app.id, "suspend")).json, { client_id: app.id, status: "suspended" });
  oauthError(await exchange(server, app, redirect), 400, "unauthorized_client");
  oauthError(await refresh(server, app, held.refresh_token), 400, "unauthorized_client");
  invalidToken(await me(server, held.access_token));
  assert.equal((await manage(server, app.id, "restore")).status, 200);
  tokens(await exchange(server, app, redirect));
  await alive(held);
  tokens(await refresh(server, app, held.refresh_token));
});
