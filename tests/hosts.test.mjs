// Which host names and paths the Worker answers, and what headers of the outside cannot change.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, signedIn, spa } from "./harness/client.mjs";
import { rawFetch } from "./harness/raw.mjs";
import { startServer } from "./harness/server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.stop());

test("IS-06: any other host is 421, whatever the path", async () => {
  for (const host of ["attacker.example", `127.0.0.1:${server.port}`, "localhost", `localhost:${server.port + 1}`]) {
    for (const path of ["/.well-known/oauth-authorization-server", "/oauth/authorize", "/login", "/api/v1/me"]) {
      const answer = await rawFetch(server.port, path, { headers: { host } });
      assert.equal(answer.status, 421, `${host}${path}`);
      const text = await answer.text();
      assert.ok(text.includes(`href="${server.issuer}"`), "the page leads to the right host");
      assert.ok(!text.replaceAll(server.issuer, "").includes(host));
    }
  }
});

test("TK-39: forwarded headers change no URL, no cookie and no issuer", async () => {
  const forwarded = {
    "x-forwarded-host": "attacker.example",
    "x-forwarded-proto": "https",
    forwarded: "host=attacker.example;proto=https",
    "x-original-url": "/x",
  };
  const host = `localhost:${server.port}`;
  const metadata = await rawFetch(server.port, "/.well-known/oauth-authorization-server", { headers: { host, ...forwarded } });
  assert.equal((await metadata.json()).issuer, server.issuer);
  const login = await rawFetch(server.port, "/login", { headers: { host, ...forwarded } });
  const sent = JSON.stringify([...login.headers]) + (await login.text());
  assert.ok(!sent.includes("attacker.example") && !sent.includes("Secure"));
});

test("unknown paths are 404 with a page that says nothing of the inside; no protocol path falls through", async () => {
  for (const path of [
    "/nowhere",
    "/oauth",
    "/oauth/token/x",
    "/oauth/authorize/",
    "/api/v1",
    "/.well-known/nothing",
    "/__dev",
    "/__dev/nothing",
  ]) {
    const answer = await server.fetch(path);
    assert.equal(answer.status, 404, path);
    assert.doesNotMatch(await answer.text(), /panick|rust|\.rs:|wasm|stack/i);
  }
});

test("a path, method or body that makes no sense never makes the Worker fail", async () => {
  const { access_token } = await connect(server, await signedIn(server), spa(server));
  const bodies = ["", "%", "%zz", "a=%ff%fe", "=&=&=", "&".repeat(5000), `a=${"x".repeat(200_000)}`, "\u0000", "{", "[]"];
  const paths = [
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/authorize",
    "/oauth/authorize/decision",
    "/login",
    "/logout",
    "/account/apps/disconnect",
    "/api/v1/me",
    "/manage/v1/apps/demo-spa/suspend",
  ];
  for (const path of paths) {
    for (const body of bodies) {
      for (const type of ["application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", ""]) {
        // On a connection of its own: a body that nobody reads makes the server close it.
        const headers = { host: `localhost:${server.port}`, "content-type": type };
        const answer = await rawFetch(server.port, path, { method: "POST", body, headers });
        assert.ok(
          answer.status < 500,
          `${answer.status} at ${path} for ${JSON.stringify(body.slice(0, 20))} ${type}: ${await answer.text()}`,
        );
      }
    }
  }
  for (const query of ["?%", "?%ff=%fe", `?${"a&".repeat(3000)}`, "?client_id=%00", "?client_id=\u00e9"]) {
    assert.ok((await server.fetch(`/oauth/authorize${query}`)).status < 500, query);
  }
  // The isolate lives: what was issued before still works.
  assert.equal((await server.fetch("/api/v1/me", { headers: { authorization: `Bearer ${access_token}` } })).status, 200);
});

test("RFC 9110 §9.1: HEAD answers like GET, without a body", async () => {
  for (const path of ["/login", "/oauth/authorize", "/account/apps", "/api/v1/me", "/nothing", "/.well-known/oauth-authorization-server"]) {
    const [get, head] = [await server.fetch(path), await server.fetch(path, { method: "HEAD" })];
    assert.equal(head.status, get.status, path);
    assert.equal(head.headers.get("content-type"), get.headers.get("content-type"), path);
    assert.equal(await head.text(), "");
  }
});
