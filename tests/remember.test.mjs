// Consent that is remembered, where a policy has it: who is not asked again, and everybody who is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  authorize,
  authorizePath,
  Browser,
  connect,
  consentForm,
  disconnectAll,
  exchange,
  manage,
  me,
  pkce,
  redirectParams,
  refresh,
  revoke,
  SCOPES,
  serverApp,
  signedIn,
  spa,
  STAFF,
} from "./harness/client.mjs";
import { errorPage, tokens } from "./harness/expect.mjs";
import { ADMIN, DEMO_SALON, join, SECOND_SALON } from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

const client = serverApp();
let server, person;
before(async () => {
  server = await startServer({ vars: { POLICY: JSON.stringify({ authorize: { remember: true } }) } });
  // Somebody with one account, who may connect apps to it.
  await join(server, DEMO_SALON, "owner", "Demo Salon");
  person = await signedIn(server, STAFF);
});
after(() => server?.stop());

const pair = pkce();
const ask = (parameters = {}, of = client, browser = person) =>
  browser.page(authorizePath(of, { code_challenge: pair.challenge, state: "s t&u", ...parameters }));

/** The page: nothing was handed out. */
async function asked(parameters, of, browser) {
  const page = await ask(parameters, of, browser);
  assert.equal(page.status, 200, `${page.status} ${page.location}`);
  consentForm(page);
}

/** No page: a redirect with a code; gives what the code is worth. */
async function skipped(parameters, of = client, browser = person) {
  const answer = await ask(parameters, of, browser);
  assert.equal(answer.status, 303, answer.text);
  const { code, state, iss, error } = redirectParams(answer.location);
  assert.deepEqual([state, iss, error], ["s t&u", server.issuer, undefined]);
  assert.ok(answer.location.startsWith(`${of.redirectUri}?`));
  return tokens(await exchange(server, of, { code, verifier: pair.verifier }));
}

/** A fresh consent to these scopes. */
async function consented(scope = SCOPES, browser = person) {
  await disconnectAll(browser);
  return connect(server, browser, client, { scope });
}

test("the first time is always asked; then the same and fewer scopes come with a code that works", async () => {
  await disconnectAll(person);
  await asked();
  await consented();
  const held = await skipped();
  assert.equal(held.scope, SCOPES);
  assert.equal((await me(server, held.access_token)).status, 200);
  assert.equal((await refresh(server, client, held.refresh_token)).status, 200);
  assert.equal((await skipped({ scope: "bookings:read" })).scope, "bookings:read", "no more than was asked for");
  assert.equal((await skipped()).scope, SCOPES, "having asked for less takes nothing back");
  assert.match((await person.page("/account/apps")).text, /customers/i, "and the list says what was allowed");
  const [{ n }] = await server.sql("SELECT count(*) AS n FROM audit WHERE action = 'allowed' AND app = 2");
  assert.equal(n, 4, "each is in the history");
});

test("more scopes, or a wish for the page, show the page", async () => {
  await consented("bookings:read account:read");
  await asked({ scope: "bookings:read bookings:write" });
  await asked({ scope: SCOPES });
  for (const prompt of ["consent", "select_account", "login consent", "consent select_account"])
    await asked({ scope: "bookings:read", prompt });
  await skipped({ scope: "bookings:read", prompt: "login" });
  await skipped({ scope: "account:read bookings:read" });
});

test("AZ-40: a public client is asked for each time", async () => {
  const app = spa(server);
  await connect(server, person, app);
  await asked({}, app);
  await asked({ scope: "bookings:read" }, app);
});

test("the consent of one person speaks for nobody else", async () => {
  await consented();
  await server.sql(
    "INSERT OR REPLACE INTO members (account_id, user_id, role) VALUES (?, ?, 'owner')",
    DEMO_SALON,
    "b0000000000000000000000000000003",
  );
  const other = await signedIn(server, ADMIN);
  await asked({}, client, other);
  await skipped();
  await connect(server, other, client);
  await skipped({}, client, other);
  await asked();
  await server.sql("DELETE FROM members WHERE user_id = ?", "b0000000000000000000000000000003");
});

test("after Disconnect, and after the app gave everything back, the page is shown", async () => {
  await consented();
  await skipped();
  await disconnectAll(person);
  await asked();
  const held = await consented();
  await revoke(server, client, held.refresh_token);
  await asked();
});

test("somebody with several accounts is asked which one", async () => {
  await consented();
  await server.sql(
    "INSERT INTO members (account_id, user_id, role) SELECT ?, user_id, 'owner' FROM members WHERE user_id = ?",
    SECOND_SALON,
    "b0000000000000000000000000000002",
  );
  await asked();
  await server.sql(
    "UPDATE members SET role = 'staff' WHERE account_id = ? AND user_id = ?",
    SECOND_SALON,
    "b0000000000000000000000000000002",
  );
  await skipped();
  await server.sql("DELETE FROM members WHERE account_id = ? AND user_id = ?", SECOND_SALON, "b0000000000000000000000000000002");
});

test("a role that no longer allows it, a session that is over, and a wrong request get what they always get", async () => {
  await consented();
  await server.sql(
    "UPDATE members SET role = 'staff' WHERE account_id = ? AND user_id = ?",
    DEMO_SALON,
    "b0000000000000000000000000000002",
  );
  const refused = await ask();
  errorPage(refused, 403);
  assert.match(refused.text, /You may not connect apps/);
  await server.sql(
    "UPDATE members SET role = 'owner' WHERE account_id = ? AND user_id = ?",
    DEMO_SALON,
    "b0000000000000000000000000000002",
  );
  assert.match((await ask({}, client, new Browser(server))).location, /^\/login/);
  errorPage(await ask({ redirect_uri: "https://evil.example/" }), 400);
  assert.equal(redirectParams((await ask({ code_challenge: null })).location).error, "invalid_request");
  await skipped();
});

test("two requests at once give two codes, each of which works once", async () => {
  await consented();
  const answers = await Promise.all([ask(), ask(), ask()]);
  const codes = answers.map((answer) => redirectParams(answer.location).code);
  assert.equal(new Set(codes).size, 3);
  const redeemed = await Promise.all(codes.map((code) => exchange(server, client, { code, verifier: pair.verifier })));
  for (const answer of redeemed) assert.equal((await me(server, tokens(answer).access_token)).status, 200);
  assert.equal((await exchange(server, client, { code: codes[0], verifier: pair.verifier })).status, 400);
});

test("a suspended app gets the page that says so", async () => {
  await consented();
  await skipped();
  assert.equal((await manage(server, client.id, "suspend")).status, 200);
  const answer = await ask();
  errorPage(answer, 403);
  assert.match(answer.text, /suspended/);
  assert.equal((await manage(server, client.id, "restore")).status, 200);
  await skipped();
});

test("by default the page is shown each time", async () => {
  const usual = await startServer();
  try {
    await join(usual, DEMO_SALON, "owner", "Demo Salon");
    const browser = await signedIn(usual, STAFF);
    await authorize(browser, client);
    consentForm(await browser.page(authorizePath(client, { code_challenge: pair.challenge })));
  } finally {
    await usual.stop();
  }
});
