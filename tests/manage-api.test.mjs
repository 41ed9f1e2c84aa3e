// The management API: whom it lets do what, lists, repeated creates, tokens.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, connect, managementApi, me, serverApp, signedIn } from "./harness/client.mjs";
import { dump, occurrences } from "./harness/dump.mjs";
import { startServer } from "./harness/server.mjs";

const [OWN, OTHER] = ["a0000000000000000000000000000001", "a0000000000000000000000000000002"];
const HOUR = 3600_000;
let server;
before(async () => {
  server = await startServer({ counting: true });
});
after(() => server?.stop());

const api = (...args) => managementApi(server, ...args);
const seconds = () => Math.floor(Date.now() / 1000);

/** RFC 9457, stored nowhere, readable by no script. */
function problem(answer, status) {
  assert.equal(answer.status, status, JSON.stringify(answer.json));
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.deepEqual([answer.json.type, answer.json.status, typeof answer.json.title], ["about:blank", status, "string"]);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
  return answer.json;
}

function made(answer, status = 201) {
  assert.equal(answer.status, status, JSON.stringify(answer.json));
  assert.equal(answer.headers.get("content-type"), "application/json");
  return answer.json;
}

/** Names that do not look like each other: i, j and l would. */
const LETTERS = [..."abcdefghkmnopqrstuvwxyz"];
let named = 0;
const name = () => `Tool ${LETTERS[Math.floor(named / LETTERS.length)]}${LETTERS[named++ % LETTERS.length]}`;
const newApp = (changes = {}, details = {}) => ({
  client_type: "confidential",
  contact: "dev@tool.example",
  ...changes,
  details: {
    name: name(),
    description: "A tool for tests of lists.",
    website: "https://tool.example/",
    redirect_uris: ["https://tool.example/cb"],
    scopes: [{ name: "bookings:read", reason: "to show them" }],
    ...details,
  },
});
const token = async (scopes, more = {}) => made(await api("POST", "/tokens", { label: "test", scopes, expires_at: 0, ...more }));

/** Every item of a list, page by page. */
async function walk(path, limit, between = () => {}) {
  const items = [];
  let cursor = "";
  for (let pages = 0; pages < 50; pages += 1) {
    const glue = path.includes("?") ? "&" : "?";
    const page = made(await api("GET", `${path}${glue}limit=${limit}${cursor && `&cursor=${cursor}`}`), 200);
    items.push(...page.items);
    assert.ok(page.items.length <= limit);
    if (page.next_cursor === null) return items;
    cursor = page.next_cursor;
    await between(pages);
  }
  throw new Error(`${path} has no end`);
}

test("a list gives everything exactly once while more is added and some is taken away", async () => {
  for (let at = 0; at < 5; at += 1) made(await api("POST", "/apps", newApp()));
  const before = (await walk("/apps", 200)).map((app) => app.client_id);
  const seen = await walk("/apps", 2, async (page) => {
    if (page === 0) made(await api("POST", "/apps", newApp()));
    if (page === 1) made(await api("DELETE", `/apps/${before[0]}`), 200); // one that was shown already
  });
  assert.deepEqual(seen.map((app) => app.client_id), before);
  for (const status of ["waiting", "pending"]) {
    const whole = (await walk(`/apps?status=${status}`, 200)).map((app) => app.client_id);
    assert.equal(whole.length, 5);
    assert.deepEqual((await walk(`/apps?status=${status}`, 2)).map((app) => app.client_id), whole);
  }
  assert.deepEqual((await walk("/apps?name=ledger", 1)).map((app) => app.client_id), ["demo-server"]);
  for (const path of ["/accounts", "/people", "/tokens", "/audit", `/accounts/${OWN}/members`]) {
    const whole = await walk(path, 200);
    assert.ok(whole.length > 0, path);
    assert.deepEqual(await walk(path, 1), whole, path);
  }
});

test("a limit or cursor that is none is refused", async () => {
  const bad = ["limit=0", "limit=201", "limit=x", "cursor=!", "cursor=eA", "cursor=LTE", `cursor=${"A".repeat(200)}`, "status=deleted"];
  for (const query of bad) problem(await api("GET", `/apps?${query}`), 400);
  problem(await api("GET", "/apps?status=waiting&cursor=MQ"), 400);
});

test("a create that is sent again with its key makes nothing new, and shows no secret again", async () => {
  const key = { headers: { "idempotency-key": "one create" } };
  const body = newApp();
  const first = await api("POST", "/apps", body, key);
  const again = await api("POST", "/apps", body, key);
  assert.deepEqual(made(again), made(first));
  assert.equal(again.headers.get("location"), `/manage/v1/apps/${first.json.client_id}`);
  problem(await api("POST", "/apps", newApp(), key), 422);
  // The same key at another address, or of another token, is another key.
  const secrets = `/apps/${first.json.client_id}/secrets`;
  const shown = made(await api("POST", secrets, undefined, key));
  const { client_secret, ...rest } = shown;
  assert.match(client_secret, /^[\w-]{43}$/);
  assert.deepEqual(made(await api("POST", secrets, undefined, key)), { ...rest, secret_shown_before: true });
  const other = await token(["*"]);
  assert.notEqual(made(await api("POST", secrets, undefined, { ...key, token: other.token })).client_secret, client_secret);
  const keyed = await api("POST", "/tokens", { label: "k", scopes: ["apps:read"], expires_at: 0 }, key);
  assert.match(keyed.json.token, /^eg_mgmt_/);
  const repeated = made(await api("POST", "/tokens", { label: "k", scopes: ["apps:read"], expires_at: 0 }, key));
  assert.deepEqual([repeated.id, repeated.token, repeated.secret_shown_before], [keyed.json.id, undefined, true]);
  for (const secret of [client_secret, keyed.json.token, other.token]) assert.deepEqual(occurrences(dump(server), secret), []);
});

test("of creates with one key at once, one makes something and the others wait for it", async () => {
  const key = { headers: { "idempotency-key": "at once" } };
  const count = async () => (await walk("/accounts", 200)).length;
  const before = await count();
  const answers = await Promise.all(Array.from({ length: 8 }, () => api("POST", "/accounts", { name: "Once" }, key)));
  assert.equal(await count(), before + 1);
  const ids = new Set(answers.filter(({ status }) => status === 201).map(({ json }) => json.id));
  assert.equal(ids.size, 1);
  for (const answer of answers.filter(({ status }) => status !== 201)) {
    problem(answer, 409);
    assert.match(answer.headers.get("retry-after"), /^[12]$/);
  }
  assert.deepEqual([made(await api("POST", "/accounts", { name: "Once" }, key)).id], [...ids]);
});

test("a key is free again when nothing was made, and a day after something was", async () => {
  const key = (text) => ({ headers: { "idempotency-key": text } });
  problem(await api("POST", "/accounts", { name: "" }, key("free")), 400);
  const first = made(await api("POST", "/accounts", { name: "Now" }, key("free")));
  await server.faults({ d1: "throw" });
  problem(await api("POST", "/accounts", { name: "Later" }, key("fault")), 503);
  await server.faults({});
  made(await api("POST", "/accounts", { name: "Later" }, key("fault")));
  try {
    await server.clock(23 * HOUR);
    assert.equal(made(await api("POST", "/accounts", { name: "Now" }, key("free"))).id, first.id);
    await server.clock(25 * HOUR);
    assert.notEqual(made(await api("POST", "/accounts", { name: "Now" }, key("free"))).id, first.id);
  } finally {
    await server.clock(0);
  }
  // One whose Worker died while it ran is told to wait, then runs.
  await server.sql("UPDATE idempotency SET status = 0, expires_at = ?1", seconds() + 60);
  problem(await api("POST", "/accounts", { name: "Later" }, key("fault")), 409);
  await server.sql("UPDATE idempotency SET expires_at = ?1", seconds() - 1);
  made(await api("POST", "/accounts", { name: "Later" }, key("fault")));
  for (const bad of ["", "x".repeat(256), "ü"]) problem(await api("POST", "/accounts", { name: "No" }, key(bad)), 400);
});

test("each address asks for its scope, and no token does what its scopes do not say", async () => {
  const none = "f".repeat(32);
  const [id, app] = [`/accounts/${none}`, "/apps/none"];
  const table = {
    "apps:read": [["GET", "/apps"], ["GET", app]],
    "apps:write": [["POST", "/apps"], ["PUT", app], ["DELETE", app], ["PUT", `${app}/logo`], ["POST", `${app}/secrets`], ["DELETE", `${app}/secrets/x`]],
    review: [...["approve", "reject", "review", "suspend", "restore"].map((verb) => ["POST", `${app}/${verb}`]), ["PUT", `${app}/policy`]],
    "accounts:read": [["GET", "/accounts"], ["GET", id], ["GET", `${id}/members`]],
    "accounts:write": [["POST", "/accounts"], ["POST", `${id}/members`], ["DELETE", `${id}/members/${none}`]],
    "installs:read": [["GET", `${id}/installs`]],
    "installs:write": [["DELETE", `${id}/installs/none`]],
    "people:read": [["GET", "/people"], ["GET", `/people/${none}`]],
    "people:write": [["POST", "/people"], ["DELETE", `/people/${none}`]],
    "keys:read": [["GET", `${id}/keys`]],
    "keys:write": [["POST", `${id}/keys`], ["DELETE", `${id}/keys/${none}`]],
    "audit:read": [["GET", "/audit"]],
    tokens: [["GET", "/tokens"], ["POST", "/tokens"], ["DELETE", `/tokens/${none}`]],
  };
  for (const [scope, requests] of Object.entries(table)) {
    const others = Object.keys(table).filter((name) => name !== scope);
    const [having, lacking] = [await token([scope]), await token(others)];
    for (const [method, path] of requests) {
      const refused = await api(method, path, undefined, { token: lacking.token });
      assert.match(problem(refused, 403).title, new RegExp(`scope ${scope}$`), `${method} ${path}`);
      assert.match(refused.headers.get("www-authenticate"), /error="insufficient_scope"/);
      const passed = await api(method, path, undefined, { token: having.token });
      assert.ok([200, 400, 404].includes(passed.status), `${method} ${path}: ${passed.status}`);
    }
  }
});

test("an account's token reaches its account and nothing else, and nothing of the staff's", async () => {
  const { token: own } = await token(["*"], { account: OWN });
  const as = { token: own };
  const key = made(await api("POST", `/accounts/${OTHER}/keys`, { label: "k", scopes: ["bookings:read"], life_s: 0 })).id;
  const foreign = made(await api("POST", "/apps", newApp({ account: OTHER })));
  const platforms = made(await api("POST", "/apps", newApp({ developer: "The Platform" })));
  const mine = made(await api("POST", "/apps", newApp(), as));
  assert.deepEqual([mine.account, mine.developer, platforms.developer, platforms.account], [OWN, "Demo Salon", "The Platform", null]);
  const listed = made(await api("GET", "/apps", undefined, as), 200).items;
  assert.ok(listed.length >= 3 && listed.every((app) => app.account === OWN));
  assert.deepEqual(made(await api("GET", "/accounts", undefined, as), 200).items.map((account) => account.id), [OWN]);
  const person = "b0000000000000000000000000000001";
  for (const { client_id } of [foreign, platforms]) {
    for (const [method, path] of [["GET", ""], ["PUT", ""], ["DELETE", ""], ["POST", "/secrets"], ["PUT", "/policy"], ["POST", "/approve"], ["PUT", "/logo"]])
      problem(await api(method, `/apps/${client_id}${path}`, method === "PUT" ? { details: newApp().details } : undefined, as), 404);
  }
  problem(await api("POST", "/apps", newApp({ account: OTHER }), as), 404);
  problem(await api("GET", `/audit?account=${OTHER}`, undefined, as), 404);
  for (const [method, path, body] of [
    ["GET", `/accounts/${OTHER}`],
    ["GET", `/accounts/${OTHER}/members`],
    ["POST", `/accounts/${OTHER}/members`, { person, role: "owner" }],
    ["DELETE", `/accounts/${OTHER}/members/${person}`],
    ["GET", `/accounts/${OTHER}/installs`],
    ["DELETE", `/accounts/${OTHER}/installs/demo-server`],
    ["GET", `/accounts/${OTHER}/keys`],
    ["POST", `/accounts/${OTHER}/keys`, { label: "k", scopes: ["bookings:read"], life_s: 0 }],
    ["DELETE", `/accounts/${OTHER}/keys/${key}`],
    ["DELETE", `/accounts/${OWN}/keys/${key}`],
  ])
    problem(await api(method, path, body, as), 404);
  for (const [method, path, body] of [
    ["POST", `/apps/${mine.client_id}/approve`],
    ["PUT", `/apps/${mine.client_id}/policy`, {}],
    ["POST", "/accounts", { name: "Mine" }],
    ["POST", `/accounts/${OWN}/members`, { person, role: "owner" }],
    ["DELETE", `/accounts/${OWN}/members/${person}`],
    ["GET", "/people"],
    ["GET", `/people/${person}`],
    ["DELETE", `/people/${person}`],
    ["POST", "/people", { email: "x@y.example", name: "X" }],
    ["GET", "/tokens"],
    ["POST", "/tokens", { label: "x", scopes: ["*"], expires_at: 0 }],
    ["DELETE", `/tokens/${"0".repeat(32)}`],
  ])
    problem(await api(method, path, body, as), 403);
  const record = made(await api("GET", "/audit?limit=200", undefined, as), 200).items;
  assert.ok(record.every((entry) => entry.account === OWN));
  const ofApp = made(await api("GET", `/audit?client_id=${mine.client_id}`, undefined, as), 200).items;
  assert.deepEqual(ofApp.map((entry) => entry.action), ["app registered"]);
  assert.deepEqual(made(await api("GET", `/audit?client_id=${foreign.client_id}`, undefined, as), 200).items, []);
});

test("a token ends when it says so, and at once when it is revoked", async () => {
  const until = await token(["apps:read"], { expires_at: seconds() + 3600 });
  const held = await token(["apps:read"]);
  const works = async ({ token: text }) => (await api("GET", "/apps", undefined, { token: text })).status;
  assert.deepEqual([await works(until), await works(held)], [200, 200]);
  await server.clock(2 * HOUR);
  problem(await api("GET", "/apps", undefined, { token: until.token }), 401);
  assert.equal(await works(held), 200);
  await server.clock(0);
  made(await api("DELETE", `/tokens/${held.id}`), 200);
  problem(await api("GET", "/apps", undefined, { token: held.token }), 401);
  problem(await api("DELETE", `/tokens/${held.id}`), 404);
});

test("no token makes one that may do more than itself", async () => {
  const { token: small } = await token(["tokens", "apps:read"]);
  const wanted = (scopes) => api("POST", "/tokens", { label: "more", scopes, expires_at: 0 }, { token: small });
  for (const scopes of [["*"], ["apps:read", "review"]]) problem(await wanted(scopes), 403);
  made(await wanted(["apps:read"]));
  const { token: people } = await token(["people:write"]);
  const staff = { email: "staff-to-be@demo.example", name: "S", staff: true };
  problem(await api("POST", "/people", staff, { token: people }), 403);
  for (const bad of [{ scopes: [] }, { scopes: ["apps"] }, { scopes: ["review", "review"] }, { expires_at: 5 }, { label: "" }, { account: "x" }])
    problem(await api("POST", "/tokens", { label: "bad", scopes: ["review"], expires_at: 0, ...bad }), 400);
});

test("garbage costs no storage operation; cookies and other credentials count nothing", async () => {
  const held = await token(["*"]);
  const forged = `${held.token.slice(0, -1)}${held.token.endsWith("A") ? "B" : "A"}`;
  for (const garbage of ["x", "eg_mgmt_x", forged, `eg_mgmt_${"A".repeat(64)}`]) {
    const { value, cost } = await server.counted(() => api("GET", "/apps", undefined, { token: garbage }));
    problem(value, 401);
    assert.deepEqual([cost.d1Statements, cost.kvGet, cost.objectRequests], [0, 0, 0], JSON.stringify(cost));
  }
  const { cost } = await server.counted(() => api("GET", "/apps", undefined, { token: held.token }));
  assert.equal(cost.d1Statements, 2, "the token and the list");
  const staff = await signedIn(server, "admin@demo.example");
  const cookie = [...staff.cookies].map(([known, value]) => `${known}=${value}`).join("; ");
  problem(await api("GET", "/apps", undefined, { token: null, headers: { cookie, origin: server.issuer } }), 401);
  assert.match((await api("GET", "/apps", undefined, { token: null })).headers.get("www-authenticate"), /^Bearer realm="manage"$/);
});

test("people and members: made, listed, taken out; one person for one address", async () => {
  const person = { email: "New.Person@demo.example", name: "Nora New", password: "a long password" };
  const { id } = made(await api("POST", "/people", person));
  for (let round = 0; round < 5; round += 1) {
    const same = { email: `twice${round}@demo.example`, name: "Twice" };
    const all = await Promise.all([1, 2, 3, 4].map(() => api("POST", "/people", same)));
    assert.deepEqual(all.map(({ status }) => status).sort(), [201, 409, 409, 409]);
  }
  problem(await api("POST", "/people", { ...person, email: "new.person@DEMO.example " }), 409);
  const listed = (await walk("/people", 200)).find((item) => item.id === id);
  assert.deepEqual([listed.email, listed.name, listed.staff], [person.email, "Nora New", false]);
  for (const text of [person.email, "Nora New", person.password]) assert.deepEqual(occurrences(dump(server), text), []);
  made(await api("POST", `/accounts/${OTHER}/members`, { person: id, role: "staff" }));
  made(await api("POST", `/accounts/${OTHER}/members`, { person: id, role: "owner" }));
  const members = await walk(`/accounts/${OTHER}/members`, 200);
  assert.deepEqual(members.find((member) => member.person === id).role, "owner");
  assert.equal((await new Browser(server).signIn(person.email, person.password)).status, 303);
  made(await api("DELETE", `/accounts/${OTHER}/members/${id}`), 200);
  problem(await api("DELETE", `/accounts/${OTHER}/members/${id}`), 404);
  problem(await api("POST", `/accounts/${OTHER}/members`, { person: "0".repeat(32), role: "owner" }), 400);
  const copy = made(await api("GET", `/people/${id}`), 200);
  assert.deepEqual([copy.profile.email, copy.profile.has_password], [person.email, true]);
  made(await api("DELETE", `/people/${id}`), 200);
  problem(await api("GET", `/people/${id}`), 404);
  assert.equal((await new Browser(server).signIn(person.email, person.password)).status, 401);
  const errors = problem(await api("POST", "/people", { email: "x", name: "", password: "short" }), 400).errors;
  assert.deepEqual(errors.map(({ field }) => field), ["email", "name", "password"]);
});

test("an account's token sees and cuts what is connected to its account", async () => {
  const held = await connect(server, await signedIn(server), serverApp(), { account: OWN });
  const { token: own } = await token(["installs:read", "installs:write", "audit:read"], { account: OWN });
  const as = { token: own };
  const find = async () => (await api("GET", `/accounts/${OWN}/installs`, undefined, as)).json.items.find((item) => item.client_id === "demo-server");
  const { status, allowed_by, scope } = await find();
  assert.deepEqual([status, allowed_by], ["connected", "b0000000000000000000000000000001"]);
  assert.match(scope, /bookings:read/);
  made(await api("DELETE", `/accounts/${OWN}/installs/demo-server`, undefined, as), 200);
  assert.equal((await me(server, held.access_token)).status, 401);
  assert.equal((await find()).status, "ended");
  problem(await api("DELETE", `/accounts/${OWN}/installs/nope`, undefined, as), 404);
  const [entry] = made(await api("GET", "/audit", undefined, as), 200).items;
  assert.deepEqual([entry.action, entry.client_id, entry.account], ["disconnected", "demo-server", OWN]);
  assert.match(entry.actor, /^token:[0-9a-f]{32}$/);
});

test("an API key is made, shown once, and works until it is revoked", async () => {
  const { token: own } = await token(["keys:read", "keys:write"], { account: OWN });
  const again = { token: own, headers: { "idempotency-key": "a key" } };
  const wanted = { label: "cash desk", scopes: ["account:read"], life_s: 0 };
  const { id, key, hint } = made(await api("POST", `/accounts/${OWN}/keys`, wanted, again));
  const repeated = made(await api("POST", `/accounts/${OWN}/keys`, wanted, again));
  assert.deepEqual([repeated.id, repeated.key, repeated.secret_shown_before], [id, undefined, true]);
  assert.equal((await me(server, key)).status, 200);
  const listed = async () => (await api("GET", `/accounts/${OWN}/keys`)).json.items.find((item) => item.id === id);
  assert.deepEqual([(await listed()).status, (await listed()).hint], ["live", hint]);
  const { errors } = problem(await api("POST", `/accounts/${OWN}/keys`, { label: "", scopes: ["no"], life_s: 1e12 }), 400);
  assert.deepEqual(errors.map(({ field }) => field), ["label", "scopes", "life_s"]);
  made(await api("DELETE", `/accounts/${OWN}/keys/${id}`, undefined, { token: own }), 200);
  assert.equal((await me(server, key)).status, 401);
  assert.equal((await listed()).status, "ended");
});

test("an app's way: registered, edited, decided about by what was looked at, given a logo, deleted", async () => {
  const { client_id, version, details } = made(await api("POST", "/apps", newApp()));
  const at = `/apps/${client_id}`;
  const changed = made(await api("PUT", at, { details: { ...details, description: "It says more about itself now." } }), 200);
  assert.notEqual(changed.version, version);
  assert.match(problem(await api("POST", `${at}/approve`, { version }), 409).title, /look at it again/);
  made(await api("POST", `${at}/approve`, { version: changed.version }), 200);
  const renamed = made(await api("PUT", at, { details: { ...changed.details, name: name() } }), 200);
  assert.deepEqual([renamed.details.name, renamed.status], [details.name, "approved"]);
  assert.notEqual(renamed.revision.name, details.name);
  assert.ok((await walk("/apps?status=waiting", 200)).some((app) => app.client_id === client_id));
  const logo = (bytes) => server.fetch(`/manage/v1${at}/logo`, { method: "PUT", body: bytes, headers: { authorization: "Bearer demo-management-token" } });
  assert.equal((await logo("GIF89a")).status, 400);
  assert.equal((await logo(Buffer.alloc(70_000))).status, 413);
  made(await api("DELETE", at), 200);
  problem(await api("GET", at), 404);
  const errors = problem(await api("POST", "/apps", newApp({ contact: "x" }, { name: "x", website: "http://x", scopes: [] })), 400).errors;
  assert.deepEqual(errors.map(({ field }) => field), ["name", "website", "scopes", "contact"]);
});

test("what is not served says what is, and HEAD answers as GET", async () => {
  for (const [method, path, allow] of [
    ["DELETE", "/apps", "GET, HEAD, POST"],
    ["GET", "/apps/x/approve", "POST"],
    ["PATCH", `/accounts/${OWN}`, "GET, HEAD"],
    ["PROPFIND", "/audit", "GET, HEAD"],
    ["OPTIONS", "/tokens/x", "DELETE"],
  ]) {
    const answer = await api(method, path);
    problem(answer, 405);
    assert.equal(answer.headers.get("allow"), allow, path);
  }
  for (const path of ["", "/", "/nope", "/apps/", "/apps/x/nope", "/accounts/x/y/z/z", "/people/", "/tokens/x/y"]) problem(await api("GET", path), 404);
  const head = await server.fetch("/manage/v1/apps", { method: "HEAD", headers: { authorization: "Bearer demo-management-token" } });
  assert.deepEqual([head.status, head.headers.get("content-type"), await head.text()], [200, "application/json", ""]);
});
