// The developer's log of an app's requests that failed: what is in it, who sees it, and what a flood costs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorize, authorizePath, basic, connect, exchange, me, pkce, post, refresh, revoke, signedIn, STAFF } from "./harness/client.mjs";
import { dump, occurrences } from "./harness/dump.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { elements, text } from "./harness/html.mjs";
import { approved, developer as signedInDeveloper, join, pass } from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

const scope = "bookings:read";
let server, developer, app, other, flooded;
before(async () => {
  server = await startServer({ counting: true });
  developer = await signedInDeveloper(server);
  [app, other, flooded] = await approved(developer, {}, {}, {});
});
after(() => server?.stop());

/** The log as its page shows it, the newest first: `[{ request, status, why, told }]`. */
async function log(of, browser = developer) {
  const page = await browser.page(`${of.page}/failures`);
  assert.equal(page.status, 200);
  safePage(page);
  const [list] = [...elements(page.tree, "ul")].filter((ul) => ul.attrs.some(({ value }) => value === "cards"));
  if (!list) return [];
  return [...elements(list, "li")].map((li) => {
    const [, why, told] = [...elements(li, "dd")].map(text);
    return { request: text([...elements(li, "h2")][0]), status: text([...elements(li, "span")][0]), why, told };
  });
}

const secrets = new Set();

test("failures at the token endpoint, at authorize and at the API are told with status, reason and the app's own answer", async () => {
  assert.deepEqual(await log(app), []);
  const held = await connect(server, developer, app, { scope });
  const redirect = await authorize(developer, app, { scope });
  const late = await authorize(developer, app, { scope });
  const spent = await connect(server, developer, app, { scope });
  for (const value of [held, spent, redirect, late]) {
    for (const name of ["access_token", "refresh_token", "code", "verifier"]) if (value[name]) secrets.add(value[name]);
  }
  secrets
    .add(app.secret)
    .add("a-wrong-secret-in-the-log-123456")
    .add("a-garbage-code-in-the-log-123456")
    .add("wrong-verifier-".padEnd(43, "x"));
  const challenge = pkce().challenge;
  const failing = [
    [
      "POST /oauth/token",
      "401",
      "invalid_client",
      () => exchange(server, { ...app, secret: "a-wrong-secret-in-the-log-123456" }, redirect),
    ],
    ["POST /oauth/token", "400", "invalid_grant", () => exchange(server, app, redirect, { redirect_uri: "https://app.example/wrong" })],
    [
      "POST /oauth/token",
      "400",
      "invalid_grant",
      () => exchange(server, app, redirect, { code_verifier: "wrong-verifier-".padEnd(43, "x") }),
    ],
    ["POST /oauth/token", "400", "invalid_grant", () => exchange(server, app, { ...redirect, code: "a-garbage-code-in-the-log-123456" })],
    ["POST /oauth/token", "400", "invalid_grant", () => refresh(server, app, held.access_token)],
    [
      "POST /oauth/token",
      "400",
      "unsupported_grant_type",
      () => post(server, "/oauth/token", { grant_type: "password" }, { authorization: basic(app.id, app.secret) }),
    ],
    [
      "GET /oauth/authorize",
      "400",
      "authorization request refused",
      () => developer.page(authorizePath({ ...app, redirectUri: "https://evil.example/" }, { code_challenge: challenge, scope })),
    ],
    [
      "GET /oauth/authorize",
      "303",
      "invalid_scope",
      () => developer.page(authorizePath(app, { code_challenge: challenge, scope: "customers:read" })),
    ],
    ["GET /oauth/authorize", "303", "invalid_request", () => developer.page(authorizePath(app, { scope }))],
  ];
  for (const [request, status, why, run] of failing) {
    await run();
    const found = await log(app);
    const entry = found.find((one) => one.request === request && one.status === status && one.why === why && one.told.length > 0);
    assert.ok(entry, `${request} ${status} ${why} in ${JSON.stringify(found)}`);
  }
  await server.clock(70_000 + 8_000);
  await exchange(server, app, late);
  await server.clock(8_000);
  assert.equal((await revoke(server, app, spent.refresh_token)).status, 200);
  assert.equal((await me(server, spent.access_token)).status, 401);
  const [first] = (await log(app)).filter((one) => one.request === "GET /api/v1/me");
  assert.deepEqual([first.status, first.why], ["401", "invalid_token"]);
  assert.match(first.told, /invalid_token/);
  assert.ok((await log(app)).length >= failing.length + 2);
});

test("parameters that were mixed up bring no secret into the log", async () => {
  const redirect = await authorize(developer, app, { scope });
  const held = await connect(server, developer, app, { scope });
  for (const value of [redirect.code, redirect.verifier, held.access_token, held.refresh_token]) secrets.add(value);
  const header = { authorization: basic(app.id, app.secret) };
  for (const secret of [redirect.code, redirect.verifier, held.refresh_token, app.secret]) {
    await post(server, "/oauth/token", { grant_type: secret }, header);
    await post(server, "/oauth/token", { grant_type: "refresh_token", refresh_token: held.refresh_token, scope: secret }, header);
    await post(
      server,
      "/oauth/token",
      { grant_type: "authorization_code", code: redirect.code, redirect_uri: secret, code_verifier: secret },
      header,
    );
    await log(app); // ten wait at most
    const query = { code_challenge: pkce().challenge, scope };
    await developer.page(authorizePath(app, { ...query, scope: secret }));
    await developer.page(authorizePath(app, { ...query, redirect_uri: secret }));
    await developer.page(authorizePath(app, { ...query, response_type: secret }));
    await developer.page(authorizePath(app, { ...query, code_challenge: secret, code_challenge_method: secret }));
    await log(app);
  }
});

test("no code, token, secret or verifier is in the page or in what is stored", async () => {
  const page = await developer.page(`${app.page}/failures`);
  assert.match(page.text, /invalid_client/);
  const files = dump(server);
  assert.ok(
    files.some(({ name, bytes }) => name.includes("App") && bytes.includes("invalid_client")),
    "the log is in the dump",
  );
  for (const secret of secrets) {
    assert.ok(!page.html.includes(secret), secret);
    assert.deepEqual(occurrences(files, secret), [], secret);
  }
});

test("what an app sent that looks like HTML is text, and control characters are gone", async () => {
  const html = '<img src=x onerror=alert(1)>"><script>alert(1)</script>\u0007\u202e';
  await developer.page(authorizePath(app, { code_challenge: pkce().challenge, scope: html }));
  await post(server, "/oauth/token", { grant_type: html }, { authorization: basic(app.id, app.secret) });
  const page = await developer.page(`${app.page}/failures`);
  safePage(page);
  assert.deepEqual([...elements(page.tree, "img")], []);
  assert.doesNotMatch(page.html, /[\u0007\u202e]/);
});

test("others do not see an app's log, and one app's failures are not another's", async () => {
  assert.deepEqual(await log(other), []);
  await join(server, "a0000000000000000000000000000003", "owner");
  errorPage(await (await signedIn(server, STAFF)).page(`${app.page}/failures`), 404);
  // Of an unknown client nothing is kept.
  await exchange(server, { id: "AAAAAAAAAAAAAAAAAAAAAAAA", secret: "x", redirectUri: "x" }, { code: "x", verifier: "x" });
  assert.deepEqual(await log(other), []);
});

test("a flood of failures costs a handful of operations, and the log keeps the last fifty", async () => {
  const fail = () => exchange(server, { ...flooded, secret: "wrong" }, { code: "x", verifier: "x" });
  await fail();
  const { cost } = await server.counted(async () => {
    for (let n = 0; n < 50; n += 1) {
      const answers = await Promise.all(Array.from({ length: 10 }, fail));
      // A second look at the app runs once at a time: who comes meanwhile is told to try again.
      for (const { status } of answers) assert.ok([401, 503].includes(status), `${status}`);
    }
  });
  const looks = cost.requests.APP;
  assert.ok(looks <= 20, `${looks} requests to the app's object`);
  assert.ok(cost.rowsWritten <= 4, `${cost.rowsWritten} rows`);
  assert.equal(cost.objectRequests, looks, "and to no other object");
  assert.equal(cost.kvGet + cost.kvPut + cost.kvDelete + cost.kvList + cost.d1Statements + cost.d1Batches, 0);
  assert.ok((await log(flooded)).length <= 30, "of a flood a few are kept");
  for (let round = 0; round < 8; round += 1) {
    await pass(server, 2000);
    for (let n = 0; n < 10; n += 1) await fail();
    const found = await log(flooded);
    assert.ok(found.length <= 50);
    for (const { why } of found) assert.match(why, /^(invalid_client|fault)$/);
  }
  assert.equal((await log(flooded)).length, 50);
  const times = [...(await developer.page(`${flooded.page}/failures`)).html.matchAll(/datetime="([^"]+)"/g)].map(([, time]) => time);
  assert.deepEqual(times, times.toSorted().reverse(), "the newest first");
});
