// The platform's own endpoint: a management token, and nothing else, stops an app.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, manage, manageWith, me, post, serverApp, signedIn } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

const client = serverApp();
let server, owner, held;
before(async () => {
  server = await startServer();
  owner = await signedIn(server, "admin@demo.example");
  held = await connect(server, await signedIn(server), client);
});
after(() => server.stop());

/** RFC 9457, readable by no script. */
function problem(answer, status) {
  assert.equal(answer.status, status, JSON.stringify(answer.json));
  assert.match(answer.headers.get("content-type"), /^application\/problem\+json/);
  assert.equal(answer.json.status, status);
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
  if (status === 401) assert.match(answer.headers.get("www-authenticate"), /^Bearer realm=/);
}
const PATH = `/manage/v1/apps/${client.id}/suspend`;
const alive = async () => assert.equal((await me(server, held.access_token)).status, 200);

test("without a management token, or with another credential, nothing is changed", async () => {
  const cookie = [...owner.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  for (const headers of [
    {},
    { cookie, origin: server.issuer },
    { authorization: "Bearer wrong" },
    { authorization: "Bearer " },
    { authorization: "Basic ZGVtby1tYW5hZ2VtZW50LXRva2VuOg==" },
    { authorization: `Bearer ${held.access_token}` },
    { authorization: `Bearer ${client.secret}` },
  ]) {
    problem(await post(server, PATH, {}, headers), 401);
  }
  problem(await post(server, `${PATH}?access_token=demo-management-token`, { access_token: "demo-management-token" }), 401);
  await alive();
});

test("a management token ends when it says so", async () => {
  await server.sql("UPDATE management_tokens SET expires_at = ?1", Math.floor(Date.now() / 1000) - 1);
  problem(await manage(server, client.id, "suspend"), 401);
  await alive();
  await server.sql("UPDATE management_tokens SET expires_at = 0");
});

test("an unknown app or verb is not found", async () => {
  problem(await manage(server, "nope", "suspend"), 404);
  problem(await manage(server, client.id, "delete"), 404);
  await alive();
});

test("deleting takes the very address of the app; what comes near it changes nothing", async () => {
  for (const path of [`${client.id}/`, `${client.id}/secrets/`, `${client.id}/secrets/..`, `${client.id}/secrets/nope`, `${client.id}//`])
    problem(await manageWith(server, "DELETE", path), 404);
  const answer = await server.fetch(`/manage/v1/apps/${client.id}`, { method: "DELETE" });
  assert.equal(answer.status, 401);
  for (const method of ["POST", "PATCH", "OPTIONS", "PROPFIND"]) {
    const refused = await manageWith(server, method, client.id, method === "OPTIONS" ? undefined : {});
    problem(refused, 405);
    assert.equal(refused.headers.get("allow"), "GET, HEAD, PUT, DELETE");
  }
  await alive();
});

test("the knobs of an app are a JSON object; nothing else is taken for one", async () => {
  for (const body of [[], "x", 1, null, { "api.rate": [5, 60, 7] }, { "access.life_s": 60 }]) {
    problem(await manageWith(server, "PUT", `${client.id}/policy`, body ?? "null"), 400);
  }
  await alive();
});
