// Histories: who sees what happened, in which words, how far back, and as a file; what is recorded for security.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import {
  authorize, Browser, connect, disconnectAll, exchange, manageWith, OWNER, PASSWORD, post, refresh, serverApp, signedIn, spa, STAFF,
} from "./harness/client.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const ADMIN = "admin@demo.example";
const FIRST = "a0000000000000000000000000000001";
const SECOND = "a0000000000000000000000000000002";
const PLACE = "203.0.113.60";

let server;
before(async () => (server = await startServer({ counting: true })));
after(() => server?.stop());
afterEach(() => server.clock(0));

/** The server as somebody at an address sees it. */
function from(address) {
  const fetch = (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("cf-connecting-ip", address);
    return server.fetch(path, { ...init, headers });
  };
  return { issuer: server.issuer, routes: server.routes, fetch };
}
async function file(browser, path) {
  const answer = await browser.fetch(path);
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, rows: answer.status === 200 ? parse(text) : [] };
}
/** RFC 4180. */
function parse(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  rows.pop();
  const [head, ...lines] = rows;
  return lines.map((line) => Object.fromEntries(head.map((name, at) => [name, line[at]])));
}
const insert = (action, { actor = "x", account = null, app = null, detail = "" } = {}) =>
  server.sql("INSERT INTO audit (at, actor, action, account_id, app, detail) VALUES (1000, ?1, ?2, ?3, ?4, ?5)", actor, action, account, app, detail);

test("an owner sees what happened to the account: what, by whom, when, from where", async () => {
  const owner = new Browser(from(PLACE));
  await owner.signIn();
  await server.sql("DELETE FROM audit");
  await authorize(owner, spa(server));
  await disconnectAll(owner);
  const page = await owner.page(`/account/activity?account=${FIRST}`);
  safePage(page);
  assert.match(page.text, /Olivia Owner disconnected Salon Planner.*Olivia Owner allowed Salon Planner/);
  assert.match(page.text, /By owner@demo\.example/);
  assert.match(page.text, new RegExp(`From ${PLACE.replaceAll(".", "\\.")}`));
  assert.match(page.text, /When \d+ \w+ \d{4}, \d\d:\d\d UTC/);
  const second = await owner.page(`/account/activity?account=${SECOND}`);
  assert.doesNotMatch(second.text, /allowed/);
  for (const account of [FIRST, SECOND]) assert.ok(page.html.includes(`account&#61;${account}`) || page.html.includes(`account=${account}`), "a choice of accounts");
});

test("others do not: members without the role, people of other accounts, anybody who is not signed in", async () => {
  const staff = await signedIn(server, STAFF);
  const admin = await signedIn(server, ADMIN);
  for (const browser of [staff, admin]) {
    for (const path of [`/account/activity?account=${FIRST}`, "/account/activity", `/account/activity.csv?account=${FIRST}`]) {
      errorPage(await browser.page(path), 404);
    }
  }
  const owner = await signedIn(server);
  for (const account of ["a0000000000000000000000000000099", "'", "%"]) errorPage(await owner.page(`/account/activity?account=${account}`), 404);
  for (const path of ["/admin/activity", "/admin/activity.csv"]) {
    for (const browser of [staff, owner]) errorPage(await browser.page(path), 404);
  }
  errorPage(await staff.page("/developers/apps/demo-spa/activity"), 404);
  errorPage(await owner.page("/developers/apps/nothing/activity"), 404);
  for (const path of ["/account/activity", "/admin/activity", "/developers/apps/demo-spa/activity"]) {
    assert.equal((await new Browser(server).page(path)).status, 303);
    assert.equal((await owner.page(path, { method: "POST", headers: { origin: server.issuer } })).status, 405);
  }
});

test("an app's developers see what was done to the app, not what owners did with it; staff is the platform to them", async () => {
  const owner = await signedIn(server);
  await server.sql("DELETE FROM audit");
  const admin = new Browser(from("203.0.113.61"));
  await admin.signIn(ADMIN);
  await authorize(owner, serverApp());
  await authorize(await signedIn(server), serverApp(), { decision: "deny" });
  await insert("app rejected", { actor: "b0000000000000000000000000000003", app: 2, detail: "The name is misleading" });
  await server.sql("UPDATE audit SET place_sealed = (SELECT place_sealed FROM audit WHERE action = 'allowed') WHERE action = 'app rejected'");
  await insert("secret added", { actor: "b0000000000000000000000000000001", app: 2 });
  await manageWith(server, "PUT", "demo-server/policy", { "api.rate": { limit: 500, window_s: 60 } });
  const page = await owner.page("/developers/apps/demo-server/activity");
  safePage(page);
  assert.match(page.text, /The platform rejected Ledger Link/);
  assert.match(page.text, /The name is misleading/);
  assert.match(page.text, /Olivia Owner added a secret/);
  assert.match(page.text, /A management token set the limits of Ledger Link/);
  assert.doesNotMatch(page.text, /allowed|did not allow|Ada|admin@|203\.0\.113/);
  const seen = await admin.page("/developers/apps/demo-server/activity");
  assert.match(seen.text, /Ada Admin rejected Ledger Link/, "staff knows who it was");
  await disconnectAll(owner);
});

test("long histories are paged by id, without gap or double, also while more happens", async () => {
  const owner = await signedIn(server);
  await server.sql("DELETE FROM audit");
  for (let n = 0; n < 120; n++) await insert(`number ${n}`, { account: FIRST });
  const seen = [];
  let [path, pages] = [`/account/activity?account=${FIRST}`, 0];
  while (path) {
    const page = await owner.page(path);
    assert.equal(page.status, 200);
    seen.push(...[...page.text.matchAll(/number (\d+)/g)].map(([, n]) => Number(n)));
    await insert("something new", { account: FIRST });
    path = page.html.match(/href="([^"]*before[^"]*)">Show more/)?.[1].replaceAll("&amp;", "&").replaceAll("&#38;", "&").replaceAll("&#61;", "=");
    pages += 1;
    assert.ok(pages < 10);
  }
  assert.deepEqual(seen, Array.from({ length: 120 }, (_, n) => 119 - n));
  assert.equal(pages, 3);
  for (const before of ["0", "x", "-1", "99999999999999999999"]) {
    assert.equal((await owner.page(`/account/activity?account=${FIRST}&before=${before}`)).status, 200, before);
  }
});

test("as CSV: RFC 4180, nothing that a spreadsheet would compute, the same reach as the page", async () => {
  const owner = await signedIn(server);
  await server.sql("DELETE FROM audit");
  const odd = ['=HYPERLINK("https://evil.example")', "+1", "-1", "@SUM(A1)", "\tx", 'a "quoted", text', "two\r\nlines", "plain"];
  for (const detail of odd) await insert("app changed", { account: FIRST, detail });
  await insert("app changed", { account: SECOND, detail: "of the other account" });
  const answer = await file(owner, `/account/activity.csv?account=${FIRST}`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type"), /^text\/csv/);
  assert.match(answer.headers.get("content-disposition"), /^attachment; filename="activity\.csv"/);
  assert.match(answer.headers.get("cache-control"), /no-store/);
  const expected = odd.map((text) => (/^[=+\-@\t]/.test(text) ? `'${text}` : text)).reverse();
  assert.deepEqual(answer.rows.map((row) => row.detail), expected);
  assert.equal(answer.rows[0].time, "1970-01-01T00:16:40Z");
  assert.equal(answer.rows[0].what, "A former member changed an app");
  assert.equal(answer.rows[0].account, "Demo Salon");
  assert.ok(answer.text.endsWith("\r\n"));
});

test("a file has 10,000 rows at most and says where it goes on", async () => {
  const admin = await signedIn(server, ADMIN);
  await server.sql("DELETE FROM audit");
  await server.sql(
    `INSERT INTO audit (at, actor, action, account_id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)
     SELECT i, 'x', 'allowed', '${FIRST}' FROM n`,
  );
  const first = await file(admin, `/admin/activity.csv?account=${FIRST}`);
  assert.equal(first.rows.length, 10_000);
  const next = first.headers.get("link").match(/^<([^>]+)>; rel="next"$/)[1];
  const second = await file(admin, next);
  assert.equal(second.rows.length, 50);
  assert.equal(second.headers.get("link"), null);
  assert.equal(new Set([...first.rows, ...second.rows].map((row) => row.time)).size, 10_050);
});

test("staff sees everything, by account, app or person; names are escaped", async () => {
  const admin = await signedIn(server, ADMIN);
  await server.sql("DELETE FROM audit");
  await insert("one", { account: FIRST, app: 1, actor: "b0000000000000000000000000000001" });
  await insert("two", { account: SECOND, app: 2, actor: "b0000000000000000000000000000001" });
  await insert("three", { app: 2, actor: "b0000000000000000000000000000002", detail: "<script>alert(1)</script>" });
  const shown = async (query) => [...(await admin.page(`/admin/activity${query}`)).text.matchAll(/: (one|two|three)\b/g)].map(([, word]) => word);
  assert.deepEqual(await shown(""), ["three", "two", "one"]);
  assert.deepEqual(await shown(`?account=${FIRST}`), ["one"]);
  assert.deepEqual(await shown("?app=demo-server"), ["three", "two"]);
  assert.deepEqual(await shown("?actor=b0000000000000000000000000000001"), ["two", "one"]);
  assert.deepEqual(await shown("?actor=b0000000000000000000000000000001&app=demo-server"), ["two"]);
  assert.deepEqual(await shown("?app=nothing"), []);
  assert.deepEqual(await shown(`?account=${encodeURIComponent("' OR 1=1 --")}`), []);
  const page = await admin.page("/admin/activity");
  safePage(page);
  assert.match(page.text, /staff@demo\.example/);
  const rows = (await file(admin, "/admin/activity.csv?app=demo-server")).rows;
  assert.deepEqual(rows.map((row) => row.action), ["three", "two"]);
});

test("security events: sign-in of staff, a name locked by the limiter (once, known or not), a replay", async () => {
  await disconnectAll(await signedIn(server));
  await server.sql("DELETE FROM audit");
  const admin = new Browser(from(PLACE));
  await admin.signIn(ADMIN);
  await signedIn(server, OWNER);
  const actions = async () => (await server.sql("SELECT actor, action, account_id AS account, app FROM audit ORDER BY id")).map((row) => ({ ...row }));
  const person = (n) => `b000000000000000000000000000000${n}`;
  assert.deepEqual(await actions(), [{ actor: person(3), action: "staff signed in", account: null, app: null }]);
  await server.sql("DELETE FROM audit");

  for (const [email, actor, network] of [
    [STAFF, person(2), "203.0.113.71"],
    ["nobody@demo.example", "unknown", "203.0.113.72"],
  ]) {
    const browser = new Browser(from(network));
    const statuses = [];
    for (let n = 0; n < 14; n++) statuses.push((await browser.signIn(email, "wrong")).status);
    assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(4).fill(429)]);
    await server.count();
    assert.deepEqual(await actions(), [{ actor, action: "sign-in locked", account: null, app: null }]);
    const page = await admin.page("/admin/activity");
    assert.match(page.text, /was locked after too many wrong passwords/);
    assert.match(page.text, new RegExp(network.replaceAll(".", "\\.")));
    await server.sql("DELETE FROM audit");
  }

  const owner = await signedIn(server);
  const client = spa(server);
  await disconnectAll(owner);
  const held = await connect(server, owner, client);
  const app = from("203.0.113.73");
  await server.sql("DELETE FROM audit");
  assert.equal((await refresh(app, client, held.refresh_token)).status, 200);
  assert.deepEqual(await actions(), []);
  await server.clock(10_000);
  for (let n = 0; n < 3; n++) assert.equal((await refresh(app, client, held.refresh_token)).status, 400);
  await server.count();
  assert.deepEqual(await actions(), [{ actor: "demo-spa", action: "replay detected", account: FIRST, app: 1 }]);
  const seen = await owner.page(`/account/activity?account=${FIRST}`);
  assert.match(seen.text, /Access of Salon Planner was ended: a token was used twice/);
  assert.match(seen.text, /From 203\.0\.113\.73/);

  await server.clock(0);
  await server.sql("DELETE FROM audit");
  const redirect = await authorize(owner, client);
  await server.sql("DELETE FROM audit");
  assert.equal((await exchange(app, client, redirect)).status, 200);
  for (let n = 0; n < 3; n++) assert.equal((await exchange(app, client, redirect)).status, 400);
  await server.count();
  assert.deepEqual((await server.sql("SELECT action, detail FROM audit")).map((row) => ({ ...row })), [{ action: "replay detected", detail: "a code was used twice" }]);
});

test("a replay that ends one of two browsers' access is recorded too", async () => {
  const owner = await signedIn(server);
  const client = spa(server);
  await disconnectAll(owner);
  const [one, two] = [await connect(server, owner, client), await connect(server, owner, client)];
  await server.sql("DELETE FROM audit");
  assert.equal((await refresh(server, client, one.refresh_token)).status, 200);
  await server.clock(10_000);
  assert.equal((await refresh(server, client, one.refresh_token)).status, 400);
  assert.equal((await refresh(server, client, two.refresh_token)).status, 200);
  await server.count();
  assert.deepEqual((await server.sql("SELECT action FROM audit")).map((row) => row.action), ["replay detected"]);
  await disconnectAll(owner);
});

test("what was done by somebody who was deleted is told of a former member", async () => {
  const admin = await signedIn(server, ADMIN);
  await server.sql("DELETE FROM audit");
  const staff = await signedIn(server, STAFF);
  const form = (await staff.page("/account/profile/delete")).forms.find((candidate) => candidate.action === "/account/profile/delete");
  assert.equal((await staff.submit(form, { proof: PASSWORD })).status, 200);
  const page = await (await signedIn(server)).page(`/account/activity?account=${FIRST}`);
  assert.match(page.text, /A former member deleted a person’s profile/);
  assert.doesNotMatch(page.text, /Sam|staff@|From/);
  assert.match((await admin.page("/admin/activity")).text, /A former member deleted/);
  assert.equal((await post(server, "/__dev/sweep", {})).status, 200);
});

test("entries older than the policy keeps are swept", async () => {
  await server.sql("DELETE FROM audit");
  await insert("old", { account: FIRST });
  await server.sql("INSERT INTO audit (at, actor, action) VALUES (?1, 'x', 'young')", Math.floor(Date.now() / 1000) - 86_400);
  assert.equal((await server.fetch("/__dev/sweep", { method: "POST" })).status, 200);
  assert.deepEqual((await server.sql("SELECT action FROM audit")).map((row) => row.action), ["young"]);
});
