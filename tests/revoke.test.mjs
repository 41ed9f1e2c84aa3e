// Revocation, RFC 7009: by apps with a token, by owners on the page of connected apps.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import {
  authorize,
  basic,
  Browser,
  connect,
  disconnectAll,
  exchange,
  me,
  post,
  refresh,
  revoke,
  serverApp,
  signedIn,
  spa,
  STAFF,
} from "./harness/client.mjs";
import { errorPage, invalidToken, json, notStored, oauthError, safePage, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
const confidential = serverApp();
before(async () => {
  server = await startServer();
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());
afterEach(() => server.clock(0));

function done(answer) {
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  json(answer);
  notStored(answer);
  assert.deepEqual(answer.json, {});
}
const dead = async (held, client) => {
  invalidToken(await me(server, held.access_token));
  oauthError(await refresh(server, client, held.refresh_token), 400, "invalid_grant");
};
const alive = async (held) => assert.equal((await me(server, held.access_token)).status, 200);

test("RV-01, RV-04, RV-09: revoking a refresh token ends its family with the access tokens; 200 and {}", async () => {
  for (const client of [app, confidential]) {
    const held = await connect(server, owner, client);
    done(await revoke(server, client, held.refresh_token));
    await dead(held, client);
  }
});

test("RV-02, RV-05: revoking an access token ends that token; the family goes on with new ones", async () => {
  const held = await connect(server, owner, app);
  done(await revoke(server, app, held.access_token));
  invalidToken(await me(server, held.access_token));
  const next = tokens(await refresh(server, app, held.refresh_token));
  await alive(next);
  invalidToken(await me(server, held.access_token));
});

test("A7: a retry after its access token was revoked gets a new one, not the dead one", async () => {
  const held = await connect(server, owner, app);
  const next = tokens(await refresh(server, app, held.refresh_token));
  done(await revoke(server, app, next.access_token));
  const retry = tokens(await refresh(server, app, held.refresh_token));
  assert.equal(retry.refresh_token, next.refresh_token);
  assert.notEqual(retry.access_token, next.access_token);
  await alive(retry);
});

test("A34: revoking ends one family, not the other connections of the same account and app", async () => {
  const [mine, other] = [await connect(server, owner, app), await connect(server, owner, app)];
  done(await revoke(server, app, mine.refresh_token));
  await dead(mine, app);
  await alive(other);
  tokens(await refresh(server, app, other.refresh_token));
});

test("RV-03: the hint is only a hint", async () => {
  for (const [which, hint] of [
    ["refresh_token", "access_token"],
    ["access_token", "refresh_token"],
    ["refresh_token", "garbage"],
    ["access_token", ""],
  ]) {
    const held = await connect(server, owner, app);
    done(await revoke(server, app, held[which], { token_type_hint: hint }));
    invalidToken(await me(server, held.access_token));
  }
});

test("A4: an expired access token, and a rotated refresh token, still end what they stand for", async () => {
  const rotated = await connect(server, owner, app);
  const next = tokens(await refresh(server, app, rotated.refresh_token));
  await server.clock(10_000);
  done(await revoke(server, app, rotated.refresh_token));
  await dead(next, app);

  await server.clock(0);
  const held = await connect(server, owner, app);
  await server.clock(2 * 3_600_000);
  done(await revoke(server, app, held.access_token));
});

test("RV-06: a confidential app must prove itself; the token lives on when it does not", async () => {
  const held = await connect(server, owner, confidential);
  for (const secret of [undefined, "wrong"]) {
    oauthError(await revoke(server, { ...confidential, secret }, held.refresh_token), 401, "invalid_client");
  }
  await alive(held);
  done(await post(server, "/oauth/revoke", { token: held.refresh_token }, { authorization: basic(confidential.id, confidential.secret) }));
  await dead(held, confidential);
});

test("RV-07: another client's token is refused with 400 and lives on", async () => {
  const mine = await connect(server, owner, app);
  const theirs = await connect(server, owner, confidential);
  for (const token of [mine.refresh_token, mine.access_token]) oauthError(await revoke(server, confidential, token), 400, "invalid_grant");
  for (const token of [theirs.refresh_token, theirs.access_token]) oauthError(await revoke(server, app, token), 400, "invalid_grant");
  await alive(mine);
  await alive(theirs);
});

test("RV-08: unknown, malformed and already revoked tokens are 200", async () => {
  const held = await connect(server, owner, app);
  for (const token of ["garbage", "eg_rt_", `${held.refresh_token}x`, held.refresh_token.slice(0, -1), "€", "a".repeat(10_000)]) {
    done(await revoke(server, app, token));
  }
  await alive(held);
  for (let n = 0; n < 3; n += 1) done(await revoke(server, app, held.refresh_token));
});

test("RV-10: without a token the request is invalid", async () => {
  oauthError(await revoke(server, app, undefined), 400, "invalid_request");
  oauthError(await revoke(server, app, ""), 400, "invalid_request");
});

test("RV-13: only POST, only form bodies, only from where the client may call", async () => {
  const held = await connect(server, owner, app);
  for (const method of ["GET", "PUT", "DELETE"]) {
    const answer = await server.fetch(`/oauth/revoke?token=${held.refresh_token}&client_id=${app.id}`, { method });
    assert.equal(answer.status, 405);
    assert.match(answer.headers.get("allow"), /POST/);
  }
  const text = JSON.stringify({ token: held.refresh_token, client_id: app.id });
  assert.equal(
    (await server.fetch("/oauth/revoke", { method: "POST", body: text, headers: { "content-type": "application/json" } })).status,
    415,
  );
  const foreign = await post(
    server,
    "/oauth/revoke",
    { token: held.refresh_token, client_id: app.id },
    { origin: "https://attacker.example" },
  );
  oauthError(foreign, 403, "unauthorized_client");
  await alive(held);
});

test("RV-15, RS-11: of 200 revoked tokens none works a moment later", async () => {
  const once = async () => {
    const held = await connect(server, owner, confidential);
    done(await revoke(server, confidential, held.refresh_token));
    const [api, again] = await Promise.all([me(server, held.access_token), refresh(server, confidential, held.refresh_token)]);
    invalidToken(api);
    oauthError(again, 400, "invalid_grant");
  };
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 10 }, once));
});

test("UI-04, A2: disconnecting ends refresh and access tokens and codes in flight", async () => {
  const held = [await connect(server, owner, app), await connect(server, owner, app)];
  const inFlight = await authorize(owner, app);
  const page = await owner.page("/account/apps");
  safePage(page);
  assert.ok((await disconnectAll(owner)) >= 1);
  for (const one of held) await dead(one, app);
  oauthError(await exchange(server, app, inFlight), 400, "invalid_grant");
  assert.equal((await owner.page("/account/apps")).html.includes("/account/apps/disconnect?install="), false);
});

test("A2: connecting again after a disconnect works, and the old code stays dead", async () => {
  const old = await authorize(owner, app);
  await disconnectAll(owner);
  const fresh = await connect(server, owner, app);
  oauthError(await exchange(server, app, old), 400, "invalid_grant");
  await alive(fresh);
  done(await revoke(server, app, fresh.refresh_token));
});

test("A4: an app that connected anew and then revokes its old token keeps the new connection", async () => {
  const old = await connect(server, owner, app);
  await disconnectAll(owner);
  const fresh = await connect(server, owner, app);
  done(await revoke(server, app, old.refresh_token));
  await alive(fresh);
  tokens(await refresh(server, app, fresh.refresh_token));
});

test("UI-05: disconnecting needs a confirmed form of the own session and a role in that account", async () => {
  const held = await connect(server, owner, app);
  const apps = await owner.page("/account/apps");
  const link = apps.html.match(/\/account\/apps\/disconnect\?install=[^"'\s]+/)[0].replaceAll("&amp;", "&");
  const confirm = await owner.page(link);
  safePage(confirm);
  await alive(held); // looking at the question changes nothing
  const form = confirm.forms.find((candidate) => candidate.action.endsWith("/account/apps/disconnect"));

  errorPage(await owner.submit(form, {}, {}, { origin: "https://attacker.example", "sec-fetch-site": "cross-site" }), 403);
  const data = form.data();
  data.delete("csrf");
  errorPage(await owner.page(form.action, { method: "POST", body: data, headers: { origin: server.issuer } }), 403);
  const staff = await signedIn(server, STAFF);
  assert.ok([403, 404].includes((await staff.submit(form)).status), "with another person's session");
  const own = (await staff.page("/account/apps")).forms.find((candidate) => candidate.values("csrf").length > 0);
  const forged = new URLSearchParams({ csrf: own.values("csrf")[0], install: form.values("install")[0] });
  const tried = await staff.page(form.action, { method: "POST", body: forged, headers: { origin: server.issuer } });
  assert.equal(tried.status, 404, "staff may not");
  const admin = await signedIn(server, "admin@demo.example");
  const foreign = (await admin.page("/account/apps")).forms.find((candidate) => candidate.values("csrf").length > 0);
  const guessed = new URLSearchParams({ csrf: foreign.values("csrf")[0], install: form.values("install")[0] });
  const outside = await admin.page(form.action, { method: "POST", body: guessed, headers: { origin: server.issuer } });
  errorPage(outside, 404); // somebody who belongs to another account
  errorPage(await admin.page(link), 404);
  assert.equal((await new Browser(server).submit(form)).status === 200, false, "signed out");
  await alive(held);
});

test("the page of connected apps shows app, account and scopes, and nothing of other accounts", async () => {
  await connect(server, owner, app);
  const { text } = await owner.page("/account/apps");
  assert.match(text, /Demo Salon/);
  const admin = await signedIn(server, "admin@demo.example");
  assert.doesNotMatch((await admin.page("/account/apps")).text, /Demo Salon/);
});
