// Cal.com today: what review, secrets, a deletion and the app's own scopes do to an app and its connections. A change of an app
// holds everywhere once the management API has answered, which takes seconds; so there is one of each.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, manage, manageWith } from "../harness/client.mjs";
import { dump, occurrences } from "../harness/dump.mjs";
import { errorPage, errorRedirect } from "../harness/expect.mjs";
import { listed } from "./cal.mjs";
import * as cal from "./cal-v2.mjs";
import { APP, authorize, PENDING, signedIn, STAFF, start } from "./steps.mjs";

const { alive, apiError, connect, dead, exchange, me, question, refresh, refused, tokens } = cal;
let server, owner, staff;
before(async () => {
  ({ server, owner } = await start("cal-v2"));
  staff = await signedIn(server, STAFF);
});
after(() => server?.stop());

const becomes = async (action, status) => {
  const answer = await manage(server, PENDING.id, action);
  assert.deepEqual([answer.status, answer.json], [200, { client_id: PENDING.id, status }]);
};
const renew = async (held) => tokens(await refresh(server, held.refresh_token, {}, PENDING));
const ask = (browser) => browser.page(question({}, PENDING));
const notApproved = (answer) => refused(answer, 401, "unauthorized_client", "client_not_approved");
/** What the two people have: tokens, and a code on its way. */
const held = {};

test("cal-v2-30: a pending app works for its owner; anybody else sees that it is not approved, and is sent nowhere", async () => {
  held.owner = await connect(owner, {}, PENDING);
  await alive(server, held.owner.access_token);
  held.owner = await renew(held.owner);
  assert.match((await ask(owner)).text, /This app has not been reviewed/);
  const page = await ask(staff);
  errorPage(page, 403);
  assert.match(page.text, /This app is not approved yet/);
  const stranger = await ask(new Browser(server));
  assert.equal(stranger.status, 303);
  assert.match(stranger.location, /^\/login\?/, "whoever it is has to sign in first");
});

test("cal-v2-30: once approved it works for everybody", async () => {
  await becomes("approve", "approved");
  held.staff = { ...(await connect(staff, {}, PENDING)), code: (await authorize(staff, question({}, PENDING))).code };
  await alive(server, held.staff.access_token);
  assert.doesNotMatch((await ask(staff)).text, /This app has not been reviewed/);
});

test("cal-v2-30 cal-v2-S4: back in review it is its owner's only: exchange, refresh and API look again", async () => {
  await becomes("review", "pending");
  errorPage(await ask(staff), 403);
  notApproved(await exchange(server, held.staff.code, {}, PENDING));
  notApproved(await refresh(server, held.staff.refresh_token, {}, PENDING));
  dead(await me(server, held.staff.access_token));
  await alive(server, held.owner.access_token);
  held.owner = await renew(held.owner);
  held.owner.code = (await authorize(owner, question({}, PENDING))).code;
});

test("cal-v2-30 cal-v2-S4: rejected it is nobody's, not its owner's either", async () => {
  await becomes("reject", "rejected");
  for (const [browser, { code, refresh_token, access_token }] of [
    [owner, held.owner],
    [staff, held.staff],
  ]) {
    errorPage(await ask(browser), 403);
    refused(await exchange(server, code, {}, PENDING), 401, "unauthorized_client", "client_rejected");
    refused(await refresh(server, refresh_token, {}, PENDING), 401, "unauthorized_client", "client_rejected");
    dead(await me(server, access_token));
  }
});

test("an app that is approved after all goes on with the same tokens, codes and connections", async () => {
  await becomes("approve", "approved");
  for (const name of ["owner", "staff"]) {
    await alive(server, held[name].access_token);
    held[name] = { ...(await renew(held[name])), code: held[name].code };
    tokens(await exchange(server, held[name].code, {}, PENDING));
  }
});

test("cal-v2-E9: a deleted app's tokens, codes and connections have ended, and its id is nobody's", async () => {
  const { code } = await authorize(owner, question({}, PENDING));
  const answer = await manageWith(server, "DELETE", PENDING.id);
  assert.deepEqual([answer.status, answer.json.status], [200, "deleted"]);
  for (const name of ["owner", "staff"]) {
    dead(await me(server, held[name].access_token));
    refused(await refresh(server, held[name].refresh_token, {}, PENDING), 401, "invalid_client", "client_not_found");
  }
  refused(await exchange(server, code, {}, PENDING), 401, "invalid_client", "client_not_found");
  const page = await ask(owner);
  assert.ok([400, 403].includes(page.status) && page.location === null, `HTTP ${page.status}`);
  await listed(owner, "Ended", { app: "Note Taker" });
  for (const action of ["approve", "restore", "review"]) assert.equal((await manage(server, PENDING.id, action)).status, 404, action);
});

test("cal-v2-32 cal-v2-E7: two active secrets, shown once; one ends at once and no token with it; the last one stays", async () => {
  const first = await connect(owner);
  const add = () => manageWith(server, "POST", `${APP.id}/secrets`);
  const remove = (secret) => manageWith(server, "DELETE", `${APP.id}/secrets/${secret.slice(-4)}`);
  assert.equal((await remove(APP.secret)).status, 409);
  const made = await add();
  const { client_secret, secret_hints } = made.json;
  assert.equal(made.status, 201);
  assert.deepEqual(secret_hints, [APP.secret.slice(-4), client_secret.slice(-4)]);
  assert.equal((await add()).status, 409, "no third");
  for (const secret of [APP.secret, client_secret]) assert.deepEqual(occurrences(dump(server), secret), [], "only hashes are stored");
  const second = tokens(await refresh(server, first.refresh_token, { client_secret }));
  const third = tokens(await refresh(server, second.refresh_token));
  assert.equal((await remove(APP.secret)).status, 200);
  refused(await refresh(server, third.refresh_token), 401, "invalid_client", "invalid_client_credentials");
  for (const { access_token } of [first, second, third]) await alive(server, access_token);
  tokens(await refresh(server, third.refresh_token, { client_secret }));
  assert.equal((await remove(client_secret)).status, 409);
});

test("cal-v2-12 cal-v2-18: a scope that is not the app's is told to the app, with its state; ORG_ includes its TEAM_", async () => {
  const scope = (name, ...implies) => ({ name, words: name, ...(implies.length > 0 && { implies }) });
  const catalogue = [
    scope("PROFILE_READ"),
    scope("TEAM_BOOKING_READ"),
    scope("TEAM_BOOKING_WRITE"),
    scope("ORG_BOOKING_READ"),
    scope("ORG_BOOKING_WRITE"),
    scope("ORG_SCHEDULE_READ"),
  ];
  // The apps are made with these; then the whole catalogue is back, with its own words and what includes what.
  const { server, owner } = await start("cal-v2", { vars: { POLICY: JSON.stringify({ scopes: { catalogue } }) } });
  const under = async (policy) => {
    server.options.vars = { POLICY: JSON.stringify(policy) };
    await server.restart();
  };
  const status = async (asked) => {
    const { code } = await authorize(owner, question({ scope: asked }));
    return me(server, tokens(await exchange(server, code), asked).access_token);
  };
  try {
    await under({ me: { scope: "TEAM_BOOKING_READ" } });
    for (const asked of ["BOOKING_READ", "PROFILE_READ,BOOKING_READ"]) {
      const params = errorRedirect(await owner.page(question({ scope: asked })), APP, server.issuer, "invalid_request");
      assert.deepEqual([params.error_description, params.state], ["Requested scope exceeds the client's registered scopes", "YOUR_STATE"]);
    }
    for (const asked of ["TEAM_BOOKING_READ", "ORG_BOOKING_READ", "PROFILE_READ ORG_BOOKING_READ"])
      assert.equal((await status(asked)).status, 200, asked);
    const missing = "insufficient_scope: token does not have the required scopes. Required: TEAM_BOOKING_READ";
    for (const asked of ["PROFILE_READ", "TEAM_BOOKING_WRITE", "ORG_BOOKING_WRITE", "ORG_SCHEDULE_READ"])
      apiError(await status(asked), 403, "ForbiddenException", missing);
    await under({ me: { scope: "ORG_BOOKING_READ" } });
    assert.equal((await status("ORG_BOOKING_READ")).status, 200);
    assert.equal((await status("TEAM_BOOKING_READ")).status, 403, "not the other way round");
  } finally {
    await server.stop();
  }
});
