// Who may do what: every cell of tests/access/table.mjs is called and compared. The role refuses, not the form: every
// form carries a token of the caller's own session. What is refused changes nothing, and every answer has the headers of its
// kind (access/headers.mjs).
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { wrongHeaders } from "./access/headers.mjs";
import { described, served } from "./access/served.mjs";
import { REQUESTS } from "./access/requests.mjs";
import { scans } from "./access/plans.mjs";
import { ARMS, OPERATIONS, PAGES, rows } from "./access/table.mjs";
import { World } from "./access/world.mjs";
import { Browser } from "./harness/client.mjs";
import { managementToken } from "./harness/made.mjs";
import { configured, hostileProvider } from "./harness/providers.mjs";
import { startServer } from "./harness/server.mjs";

const pages = rows(PAGES);
const operations = rows(OPERATIONS);
let server, world, provider;
before(async () => {
  provider = await hostileProvider();
  server = await startServer({
    counting: true, // which statements were sent
    vars: { OIDC_PROVIDERS: JSON.stringify([configured("acme", provider)]), SETUP_TOKEN: randomBytes(32).toString("base64url") },
  });
  world = await World.made(server, "acme");
});
after(async () => {
  await server?.stop();
  await provider.close();
});

const isDone = (word) => /^(2\d\d|303)$/.test(word);
const changes = (row, word) => row.method !== "GET" && isDone(word);

/** What an answer is called in the table. */
function called(answer) {
  const location = answer.headers.get("location") ?? "";
  return answer.status === 303 && location.startsWith("/login?") ? "login" : String(answer.status);
}

async function sent(row, given) {
  const made = (await REQUESTS[row.request]?.send?.(given)) ?? {};
  const path = made.query ? `${given.path}?${made.query}` : given.path;
  const method = row.method;
  if (made.json) return [path, { method, body: JSON.stringify(made.json), headers: { "content-type": "application/json" } }];
  if (made.bytes) return [path, { method, body: made.bytes, headers: { "content-type": made.type } }];
  if (method === "GET" || !given.csrf) return [path, { method }];
  const body = made.form?.append ? made.form : new URLSearchParams(made.form);
  if (made.csrf !== false) body.append("csrf", given.csrf);
  return [path, { method, body, headers: { origin: server.issuer, "sec-fetch-site": "same-origin" } }];
}

/** Calls a page or form as one of the callers. */
async function visit(row, caller, own, install) {
  const [browser, csrf] = await world.somebody(caller, REQUESTS[row.request]?.alone);
  const given = { ...(await world.things(row, own)), browser, csrf, install };
  // The form of a sign-in has a token of its own: a forged one was made in another browser.
  if (caller === "forged") given.browser = new Browser(server);
  const [path, init] = await sent(row, given);
  if (!world.bearer[caller]) return browser.fetch(path, init);
  return server.fetch(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${world.bearer[caller]}` } });
}

/** Calls an operation with one of the tokens. */
async function operate(row, token, own, install) {
  const given = { ...(await world.things(row, own)), install };
  const [path, init] = await sent(row, given);
  return server.fetch(path, { ...init, headers: { ...init.headers, ...token } });
}

/** Runs a case; tells what is not as the table says. */
async function compare(row, who, word, call) {
  const run = async (install) => {
    const answer = await call(install);
    const text = await answer.text();
    const was = called(answer);
    const headers = wrongHeaders(new URL(answer.url).pathname, answer).map((wrong) => `${row.request} as ${who}: ${wrong}`);
    return was === word ? headers : [`${row.request} as ${who}: ${was}, not ${word}${answer.status >= 500 ? ` ${text.slice(0, 300)}` : ""}`];
  };
  return REQUESTS[row.request]?.install ? world.withInstall(run) : run();
}

/** Runs cases, some at a time, and gathers what is wrong. */
async function all(cases, atOnce = 24) {
  const wrong = [];
  const queue = [...cases];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) wrong.push(...(await next()));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return wrong;
}

/** What is in one list and not in the other. */
const without = (list, other) => [...list].filter((entry) => !other.has(entry));

/** What has changed between two states, in short. */
function changed(before, after) {
  const lines = (state) => new Set(Object.entries(state).flatMap(([name, rows]) => [rows].flat().map((row) => `${name} ${JSON.stringify(row)}`)));
  const [old, now] = [lines(before), lines(after)];
  return [...without(old, now).map((line) => `- ${line}`), ...without(now, old).map((line) => `+ ${line}`)].slice(0, 20);
}

test("every page, form and operation that the Worker serves is a row of the table, and no row is of another", async () => {
  const name = (row) => `${row.method} ${row.path.replace(/\{\w+\}/g, "{}")}`;
  const has = new Set([...pages, ...operations].map(name));
  const { addresses, arms } = await served(server, world, [...pages, ...operations]);
  assert.deepEqual(without(arms, new Set(Object.keys(ARMS))), [], "arms of the dispatch that table.mjs does not know");
  assert.deepEqual(without(addresses, has), [], "served without a row");
  const outside = /^\w+ (\/$|\/platform\.css|\/openapi\.json|\/oauth|\/api)/; // files, what this preset has not, the policy's addresses
  assert.deepEqual(without(has, addresses).filter((row) => !outside.test(row)), [], "rows that nothing serves");
  assert.deepEqual(new Set(await described(server)), new Set(operations.map(name)), "the description of the management API");
});

test("whom a page, a form or an endpoint is not for is refused, and nothing changes", async () => {
  const before = await world.state();
  const wrong = await all(
    pages.flatMap((row) =>
      Object.entries(row.cells)
        .filter(([, word]) => word !== "-" && !changes(row, word))
        .map(([caller, word]) => () => compare(row, caller, word, (install) => visit(row, caller, false, install))),
    ),
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(changed(before, await world.state()), []);
});

test("whom a form is for gets it done", async () => {
  const wrong = await all(
    pages.flatMap((row) =>
      Object.entries(row.cells)
        .filter(([, word]) => changes(row, word))
        .map(([caller, word]) => () => compare(row, caller, word, (install) => visit(row, caller, true, install))),
    ),
  );
  assert.deepEqual(wrong, []);
});

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const scopes = [...new Set(operations.map((row) => row.cells.scope))];

test("no operation is open to a caller without a token, to a cookie, to an app or to a token that has expired", async () => {
  const before = await world.state();
  const { cookies } = world.browsers.staff;
  const callers = {
    nobody: {},
    "the cookie of staff": { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "), origin: server.issuer },
    "an app": bearer(world.bearer.app),
    "an expired token": bearer(world.bearer.expired),
    "a token as password": { authorization: `Basic ${Buffer.from(`${world.bearer.platform}:`).toString("base64")}` },
  };
  const wrong = await all(
    operations.flatMap((row) =>
      Object.entries(callers).map(([who, headers]) => () => compare(row, who, "401", () => operate(row, headers, false, "none"))),
    ),
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(changed(before, await world.state()), []);
});

test("a token without the scope, or of another account, is refused, and nothing changes", async () => {
  const tokens = Object.fromEntries(await Promise.all(scopes.map(async (scope) => [scope, await managementToken(server, scope)])));
  const before = await world.state();
  const wrong = await all(
    operations.flatMap((row) => [
      ...scopes
        .filter((scope) => scope !== row.cells.scope)
        .map((scope) => () => compare(row, `only ${scope}`, "403", () => operate(row, bearer(tokens[scope]), false, "none"))),
      ...["platform", "ours", "theirs"]
        .filter((caller) => row.cells[caller] !== "-" && !changes(row, row.cells[caller]))
        .map((caller) => () => compare(row, caller, row.cells[caller], (install) => operate(row, bearer(world.bearer[caller]), false, install))),
    ]),
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(changed(before, await world.state()), []);
});

test("a token that may do an operation gets it done; one scope is enough", async () => {
  const tokens = { ...world.bearer };
  for (const scope of scopes) tokens[scope] = await managementToken(server, scope);
  const wrong = await all(
    operations.flatMap((row) =>
      ["platform", "ours", "theirs", row.cells.scope]
        .map((caller) => [caller, row.cells[caller] ?? row.cells.platform])
        .filter(([, word]) => changes(row, word))
        .map(([caller, word]) => () => compare(row, caller, word, (install) => operate(row, bearer(tokens[caller]), true, install))),
    ),
  );
  assert.deepEqual(wrong, []);
});

/** Steps that may read from the beginning of a table or an index, and why. */
const WHOLE = [
  [/USING (COVERING )?INDEX (apps_in_marketplace|apps_by_submission|users_of_staff)/, "an index of these alone, in the order of the list"],
  [/json_each/, "what the statement brings along"],
  [/EXISTS \(SELECT 1 FROM users\)/, "the first row says it"],
  [/instr\(lower\(name\)/, "staff looks for a part of a name, in the order of the list"],
];

test("none of all these statements reads a whole table, except where it has to", async () => {
  await server.fetch("/__dev/sweep", { method: "POST" });
  const found = (await scans(server)).filter(([sql, step]) => !WHOLE.some(([known]) => known.test(step) || known.test(sql)));
  assert.equal(found.map(([sql, step]) => `${step}: ${sql}`).join("\n"), "");
});
