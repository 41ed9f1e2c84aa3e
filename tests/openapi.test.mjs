// The description of the management API is right: it is a valid document, and whatever is sent, the Worker answers as it says.
// The requests follow from a seed; OPENAPI_SEED runs others. A change of an app that takes something away answers after
// seconds, so the operations run beside each other, each with an app of its own, and few of their requests get that far.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";
import { connect, managementApi, serverApp, signedIn } from "./harness/client.mjs";
import { dice, Requests } from "./harness/generate.mjs";
import { startServer } from "./harness/server.mjs";

const SEED = Number(process.env.OPENAPI_SEED ?? 20261124);
const ROUNDS = 40;
/** Operations that wait until copies of the app's record have run out: twice each is enough. */
const SLOW = ["approveApp", "rejectApp", "reviewApp", "suspendApp", "restoreApp", "setAppPolicy", "deleteApp", "editApp", "removeSecret", "addSecret", "deleteResourceServer", "removeServerSecret", "addServerSecret"];
const [ACCOUNT, OWNER, ADMIN] = ["a0000000000000000000000000000001", "b0000000000000000000000000000001", "b0000000000000000000000000000003"];
const image = readFileSync(new URL("../worker/src/development/demo-spa.png", import.meta.url));

let server, document, served;
const ajv = new Ajv({ strict: false, allErrors: false });
before(async () => {
  server = await startServer();
  served = await server.fetch("/openapi.json");
  const validator = new Validator();
  document = await served.clone().json();
  assert.deepEqual((await validator.validate(structuredClone(document))).errors, undefined);
  document = validator.resolveRefs();
});
after(() => server?.stop());

test("the description is a static file, and a valid OpenAPI 3.1 document", () => {
  assert.equal(served.status, 200);
  assert.match(served.headers.get("content-type"), /^application\/json/);
  assert.equal(served.headers.get("access-control-allow-origin"), null);
  assert.match(document.openapi, /^3\.1\./);
});

/** Every operation with its path and all its parameters. */
function operations() {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    ["get", "put", "post", "delete"]
      .filter((method) => item[method])
      .map((method) => {
        const operation = item[method];
        return { path, method: method.toUpperCase(), operation, item, parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])] };
      }),
  );
}

test("every operation has a name of its own, a scope, and what it may refuse", () => {
  const names = new Set();
  for (const { operation, method, path } of operations()) {
    names.add(operation.operationId);
    const [[scope]] = operation.security.map(Object.values);
    assert.equal(scope.length, 1, `${method} ${path}`);
    for (const status of [401, 403, 405, 429, 503]) assert.ok(operation.responses[status], `${method} ${path} ${status}`);
  }
  assert.equal(names.size, operations().length);
});

const api = async (...args) => {
  const answer = await managementApi(server, ...args);
  assert.ok(answer.status < 300, JSON.stringify(answer.json));
  return answer.json;
};

/** Things to send requests about: an app, a person and the like for each operation that ends them. */
async function things() {
  const names = ["Bramble", "Cedar", "Dahlia", "Fennel", "Ginger", "Hazel", "Maple", "Nettle", "Orchid", "Poppy", "Quince", "Rowan", "Sorrel", "Tansy"];
  const details = (name) => ({
    name,
    description: "Shows bookings in a garden.",
    website: "https://garden.example/",
    redirect_uris: ["https://garden.example/cb"],
    scopes: [{ name: "bookings:read", reason: "to show them" }],
  });
  const apps = await Promise.all(
    names.map((name) => api("POST", "/apps", { client_type: "confidential", contact: "g@garden.example", details: details(name) })),
  );
  const hints = await Promise.all([1, 2].map(() => api("POST", `/apps/${apps[0].client_id}/secrets`)));
  const person = (await api("POST", "/people", { email: "member@garden.example", name: "Member" })).id;
  await api("POST", `/accounts/${ACCOUNT}/members`, { person, role: "staff" });
  const leaver = (await api("POST", "/people", { email: "leaver@garden.example", name: "Leaver" })).id;
  const key = (await api("POST", `/accounts/${ACCOUNT}/keys`, { label: "k", scopes: ["bookings:read"], life_s: 0 })).id;
  const resourceServer = (name) => api("POST", "/resource-servers", { name, resource: `https://${name}.garden.example`, scopes: ["bookings:read"] });
  const servers = { addServerSecret: await resourceServer("adds"), removeServerSecret: await resourceServer("removes"), deleteResourceServer: await resourceServer("goes") };
  await api("POST", `/resource-servers/${servers.removeServerSecret.client_id}/secrets`);
  const token = (more) => api("POST", "/tokens", { label: "t", scopes: ["*"], expires_at: 0, ...more });
  await connect(server, await signedIn(server), serverApp(), { account: ACCOUNT });
  return { apps, servers, person, leaver, key, hint: hints[1].client_secret.slice(-4), revoked: await token(), own: await token({ account: ACCOUNT }), small: await token({ scopes: ["keys:read"] }) };
}

/** What is known by name to the requests of one operation. */
function knownTo(operationId, path, all, app) {
  const client_id =
    { endInstall: "demo-server", restoreApp: "demo-spa", removeSecret: all.apps[0].client_id, listAudit: "demo-server" }[operationId] ??
    (path.startsWith("/resource-servers") ? (all.servers[operationId]?.client_id ?? "demo-resource") : app.client_id);
  const person = { removeMember: all.person, deletePerson: all.leaver }[operationId] ?? OWNER;
  const id = operationId === "revokeKey" ? all.key : all.revoked.id;
  const hint = operationId === "removeServerSecret" ? all.servers.removeServerSecret.secret_hints[0] : all.hint;
  const known = { client_id, account: ACCOUNT, person, id, hint, image };
  return (name) => (name === "id" && !path.includes("{id}") ? undefined : known[name]);
}

const checks = new Map();
function conforms(schema, value) {
  if (!checks.has(schema)) checks.set(schema, ajv.compile(schema));
  const check = checks.get(schema);
  return check(value) ? null : ajv.errorsText(check.errors);
}

/** Sends one request and holds the answer to the description. */
async function sent(item, operation, request, token) {
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...request.headers };
  if (/[^\x20-\x7e]/.test(headers["idempotency-key"] ?? "")) headers["idempotency-key"] = Buffer.from(headers["idempotency-key"]).toString("latin1");
  const answer = await server.fetch(`/manage/v1${request.path}`, { method: request.method, headers, body: request.body });
  const text = await answer.text();
  const told = `seed ${SEED}: ${request.method} ${request.path} ${JSON.stringify(request.headers ?? {})} ${String(request.body).slice(0, 600)}\n-> ${answer.status} ${text.slice(0, 600)}`;
  assert.ok(answer.status < 500, told);
  const described_there = item[request.method === "HEAD" ? "get" : request.method.toLowerCase()];
  const at = described_there ?? operation;
  if (!described_there) assert.ok([401, 404, 405, 429].includes(answer.status), told);
  const described = at.responses[answer.status];
  assert.ok(described, `this status is not described\n${told}`);
  const media = answer.headers.get("content-type");
  const schema = described.content?.[media]?.schema;
  assert.ok(schema, `this content type is not described\n${told}`);
  for (const name of ["WWW-Authenticate", "Allow"]) if (described.headers?.[name]) assert.ok(answer.headers.get(name), `${name}\n${told}`);
  if (request.method !== "HEAD") assert.equal(conforms(schema, JSON.parse(text)), null, told);
  return { status: answer.status, told };
}

async function drive({ path, method, operation, item, parameters }, at, all) {
  const name = operation.operationId;
  const known = knownTo(name, path, all, all.apps[at % all.apps.length]);
  const ids = [ACCOUNT, OWNER, ADMIN, "demo-spa", all.apps[1].client_id, all.own.id, "0".repeat(32)];
  const requests = new Requests({ path, method, operation, parameters, seed: SEED + at * 1000, known, ids });
  const roll = dice(SEED + at);
  const body = operation.requestBody?.content["application/json"]?.schema;
  const statuses = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (SLOW.includes(name) && statuses.filter((status) => status < 300).length === 2) break;
    const request = round === 0 ? requests.good() : requests.wild();
    const whole = round === 0 || roll.chance(0.85);
    const token = whole ? "demo-management-token" : roll.one([undefined, "garbage", all.own.token, all.small.token]);
    const { status, told } = await sent(item, operation, request, token);
    statuses.push(status);
    if (request.method === method && request.sent !== undefined && conforms(body, request.sent) !== null)
      assert.ok(status >= 400, `what the description forbids was taken\n${told}`);
    if (round === 0) assert.ok(status < 300, `a good request was refused\n${told}`);
  }
  return statuses;
}

test("whatever is sent, each operation answers as it is described, and does what it is for", async () => {
  const all = await things();
  const list = operations();
  // Those that change an app come first: each gets one of its own.
  const changes = ({ operation: { operationId } }) => Number(SLOW.includes(operationId) || operationId === "setAppLogo");
  list.sort((a, b) => changes(b) - changes(a));
  const statuses = await Promise.all(list.map((one, at) => drive(one, at + 2, all)));
  const seen = new Set(statuses.flat());
  for (const status of [200, 201, 400, 401, 403, 404, 405, 409, 413]) assert.ok(seen.has(status), `no request was answered with ${status}`);
  assert.doesNotMatch(server.log, /panicked|RuntimeError/);
});
