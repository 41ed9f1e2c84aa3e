// Resource servers: registered by staff, on a page or through the management API; their secrets; their end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, connect, introspect, managementApi, serverApp, signedIn } from "./harness/client.mjs";
import { elements, text } from "./harness/html.mjs";
import { managementToken } from "./harness/made.mjs";
import { startServer } from "./harness/server.mjs";

let server, admin, token;
before(async () => {
  server = await startServer({ counting: true });
  admin = await signedIn(server, "admin@demo.example");
  token = (await connect(server, await signedIn(server), serverApp())).access_token;
});
after(() => server.stop());

const api = (method, path, body, options) => managementApi(server, method, `/resource-servers${path}`, body, options);
const address = (name = crypto.randomUUID()) => `https://${name}.example`;
const wanted = (more = {}) => ({ name: "Bookings API", resource: address(), scopes: ["bookings:read", "account:read"], ...more });
const made = async (more) => {
  const answer = await api("POST", "", wanted(more));
  assert.equal(answer.status, 201, JSON.stringify(answer.json));
  return answer.json;
};
const asks = async (id, secret) => (await introspect(server, token, {}, { id, secret })).status;
const times = (count, run) => Promise.all(Array.from({ length: count }, (_, n) => run(n)));

test("one that is registered may ask at once, with the secret that is shown once", async () => {
  const asked = wanted();
  const answer = await api("POST", "", asked);
  const { client_id, client_secret, secret_hints, created_at, ...rest } = answer.json;
  assert.equal(answer.headers.get("location"), `/manage/v1/resource-servers/${client_id}`);
  assert.match(client_id, /^[\w-]{24}$/);
  assert.match(client_secret, /^[\w-]{43}$/);
  assert.deepEqual(secret_hints, [client_secret.slice(-4)]);
  assert.deepEqual(rest, { ...asked, client_secret_expires_at: 0 });
  assert.equal(await asks(client_id, client_secret), 200);
  assert.equal(await asks(client_id, `${client_secret.slice(0, -1)}_`), 401);
  const shown = await api("GET", `/${client_id}`);
  assert.deepEqual(shown.json, { ...asked, client_id, created_at, secret_hints });
  const listed = (await api("GET", "?limit=200")).json.items;
  assert.deepEqual(listed.find((server) => server.client_id === client_id), { ...asked, client_id, created_at });
  assert.ok(listed.some((server) => server.client_id === "demo-resource"));
  for (const key of await server.sql("SELECT * FROM resource_servers")) assert.ok(!JSON.stringify(key).includes(client_secret));
});

test("a repeated create makes nothing new and does not tell the secret", async () => {
  const headers = { "idempotency-key": crypto.randomUUID() };
  const body = wanted();
  const first = await api("POST", "", body, { headers });
  const again = await api("POST", "", body, { headers });
  assert.equal(again.status, 201);
  assert.equal(again.json.client_id, first.json.client_id);
  assert.equal(again.json.client_secret, undefined);
  assert.equal(again.json.secret_shown_before, true);
});

test("what is wrong is told by field; an identifier is one resource server's", async () => {
  for (const [more, field] of [
    [{ resource: "http://api.example" }, "resource"],
    [{ resource: "https://api.example/#a" }, "resource"],
    [{ resource: "api.example" }, "resource"],
    [{ resource: "" }, "resource"],
    [{ name: "" }, "name"],
    [{ name: "a\nb" }, "name"],
    [{ scopes: [] }, "scopes"],
    [{ scopes: ["nothing"] }, "scopes"],
    [{ scopes: ["bookings:read", "bookings:read"] }, "scopes"],
  ]) {
    const answer = await api("POST", "", wanted(more));
    assert.equal(answer.status, 400, JSON.stringify(more));
    assert.deepEqual(answer.json.errors.map((error) => error.field), [field]);
  }
  assert.equal((await api("POST", "", wanted({ resource: "http://localhost:3000/api" }))).status, 201);
  const { resource, client_id } = await made();
  assert.equal((await api("POST", "", wanted({ resource }))).status, 409);
  assert.equal((await api("DELETE", `/${client_id}`)).status, 200);
  const next = await made({ resource });
  assert.notEqual(next.client_id, client_id, "numbers are not used again");
});

test("of creates of one identifier at once, one is listed", async () => {
  const body = wanted();
  const statuses = (await times(5, () => api("POST", "", body))).map((answer) => answer.status);
  for (const status of statuses) assert.ok([201, 409, 503].includes(status), `${status}`);
  assert.equal(statuses.filter((status) => status === 201).length, 1);
  const listed = (await api("GET", "?limit=200")).json.items;
  assert.equal(listed.filter(({ resource }) => resource === body.resource).length, 1);
});

test("two secrets may live; a new one works at once, and one that was revoked nowhere when that has answered", async () => {
  const { client_id, client_secret: first } = await made();
  assert.equal(await asks(client_id, first), 200);
  const second = (await api("POST", `/${client_id}/secrets`)).json.client_secret;
  assert.deepEqual(await Promise.all([first, second].map((secret) => asks(client_id, secret))), [200, 200]);
  const full = await api("POST", `/${client_id}/secrets`);
  assert.equal(full.status, 409);
  assert.match(full.json.title, /as many secrets/);
  assert.equal((await api("DELETE", `/${client_id}/secrets/none`)).status, 404);
  const revoked = await api("DELETE", `/${client_id}/secrets/${first.slice(-4)}`);
  assert.deepEqual(revoked.json, { client_id, secret_hints: [second.slice(-4)] });
  assert.deepEqual(new Set(await times(30, () => asks(client_id, first))), new Set([401]));
  assert.equal(await asks(client_id, second), 200);
  assert.equal((await api("DELETE", `/${client_id}/secrets/${second.slice(-4)}`)).status, 409, "the last one stays");
});

test("one that was deleted gets no answer any more when that has answered, and is not found", async () => {
  const { client_id, client_secret } = await made();
  assert.equal(await asks(client_id, client_secret), 200);
  assert.deepEqual((await api("DELETE", `/${client_id}`)).json, { client_id, status: "deleted" });
  assert.deepEqual(new Set(await times(30, () => asks(client_id, client_secret))), new Set([401]));
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/secrets"],
  ])
    assert.equal((await api(method, `/${client_id}${path}`)).status, 404, `${method} ${path}`);
});

test("a list goes on with its cursor, newest first", async () => {
  for (let n = 0; n < 3; n += 1) await made();
  const all = (await api("GET", "?limit=200")).json.items.map((server) => server.client_id);
  const seen = [];
  for (let cursor = ""; cursor !== null; ) {
    const { json } = await api("GET", `?limit=2&cursor=${cursor}`);
    seen.push(...json.items.map((server) => server.client_id));
    cursor = json.next_cursor;
  }
  assert.deepEqual(seen, all);
  assert.equal(seen.at(-1), "demo-resource");
});

test("only platform tokens with the scope reach it", async () => {
  const ask = async (scope, account) => (await api("GET", "", undefined, { token: await managementToken(server, scope, { account }) })).status;
  assert.equal(await ask("resource_servers:read"), 200);
  assert.equal(await ask("resource_servers:write"), 403);
  assert.equal(await ask("*", "a0000000000000000000000000000001"), 403);
});

test("a part that does not answer is 503, and asking again registers it", async () => {
  const body = wanted();
  for (const faults of [{ object: "throw", objectOnly: ["APP"] }, { d1: "throw" }]) {
    await server.faults(faults);
    assert.equal((await api("POST", "", body)).status, 503);
    await server.faults({});
  }
  assert.equal((await api("POST", "", body)).status, 201);
});

const codes = (page) => [...elements(page.tree, "code")].map((node) => text(node));
const formTo = (page, action) => page.forms.find((form) => form.action === action);

test("staff registers one on its pages, adds and revokes a secret, deletes it; the history says so", async () => {
  const resource = address("on-pages");
  const form = formTo(await admin.page("/admin/resource-servers/new"), "/admin/resource-servers/new");
  const wrong = await admin.submit(form, { name: "Pages API", resource: "http://api.example" });
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /use https/);
  assert.match(wrong.text, /choose at least one scope/);
  const data = form.data({ name: "Pages API", resource });
  data.append("scopes", "bookings:read");
  const shown = await admin.page("/admin/resource-servers/new", { method: "POST", body: data, headers: { origin: server.issuer } });
  assert.equal(shown.status, 200, shown.text);
  const [client_id, first] = codes(shown);
  assert.equal(await asks(client_id, first), 200);

  const here = `/admin/resource-servers/${client_id}`;
  assert.match((await admin.page("/admin/resource-servers")).text, /Pages API/);
  const one = await admin.page(here);
  assert.ok(one.text.includes(`…${first.slice(-4)}`) && one.text.includes(resource) && !one.html.includes(first));
  const added = await admin.submit(formTo(one, `${here}/secrets`));
  const second = codes(added)[1];
  assert.equal(await asks(client_id, second), 200);

  const ask = await admin.page(`${here}/revoke?hint=${first.slice(-4)}`);
  const revoked = await admin.submit(formTo(ask, `${here}/revoke`));
  assert.equal(revoked.location, `${here}?done=revoked`);
  assert.deepEqual([await asks(client_id, first), await asks(client_id, second)], [401, 200]);
  assert.match((await admin.page(revoked.location)).text, /works nowhere any more/);

  const deleted = await admin.submit(formTo(await admin.page(`${here}/delete`), `${here}/delete`));
  assert.equal(deleted.location, "/admin/resource-servers?done=deleted");
  assert.equal(await asks(client_id, second), 401);
  assert.equal((await admin.page(here)).status, 404);
  assert.doesNotMatch((await admin.page("/admin/resource-servers")).text, /Pages API/);

  const history = (await admin.page("/admin/activity")).text;
  for (const words of ["registered the resource server “Pages API”", "added a secret of the resource server “Pages API”", "revoked the secret of the resource server “Pages API”", "deleted the resource server “Pages API”"])
    assert.ok(history.includes(words), words);
  assert.ok(!server.log.includes(second) && !history.includes(second));
});

test("to others the pages are not there, and a form of another site does nothing", async () => {
  const owner = await signedIn(server);
  for (const path of ["", "/new", "/demo-resource", "/demo-resource/delete"]) {
    assert.equal((await owner.page(`/admin/resource-servers${path}`)).status, 404, path);
    assert.equal((await new Browser(server).page(`/admin/resource-servers${path}`)).status, 303, path);
  }
  const forged = await admin.page("/admin/resource-servers/demo-resource/delete", { method: "POST", body: new URLSearchParams({ csrf: "x" }) });
  assert.equal(forged.status, 403);
  assert.equal((await api("GET", "/demo-resource")).status, 200);
});
