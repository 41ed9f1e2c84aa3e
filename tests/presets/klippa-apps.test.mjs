// Klippa: what review, a new secret, a higher limit, suspension and deletion do to an app and to the salons it is connected to.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { manage, manageWith } from "../harness/client.mjs";
import { errorPage } from "../harness/expect.mjs";
import { alive, connect, dead, exchange, listed, me, question, refresh, refused, tokens } from "./klippa.mjs";
import { authorize, parallel, PENDING, start, statuses } from "./steps.mjs";

let server, owner;
/** The app in review, with the secret that it uses. */
let app = PENDING;
before(async () => {
  ({ server, owner } = await start("klippa"));
});
after(() => server?.stop());

const becomes = async (action, status) => {
  const answer = await manage(server, app.id, action);
  assert.deepEqual([answer.status, answer.json], [200, { client_id: app.id, status }]);
};
const ask = () => question({}, app);
const renew = async (token) => tokens(await refresh(server, token, {}, app));

test("klippa-25: an app that waits for its review has nothing; once approved it connects salons", async () => {
  const page = await owner.page(ask());
  errorPage(page, 403);
  assert.match(page.text, /Klippa has not reviewed this app/);
  refused(await exchange(server, "received_code", {}, app), 400, "unauthorized_client");
  refused(await refresh(server, "a_refresh_token", {}, app), 400, "unauthorized_client");
  await becomes("approve", "approved");
  await alive(server, (await connect(owner, {}, app)).access_token);
});

test("a second secret works as soon as it was shown, beside the first; there is no third", async () => {
  const added = await manageWith(server, "POST", `${app.id}/secrets`);
  assert.equal(added.status, 201);
  const both = { first: app.secret, second: added.json.client_secret };
  assert.deepEqual(added.json.secret_hints, Object.values(both).map((secret) => secret.slice(-4)));
  app = { ...app, secret: both.second };
  assert.equal((await manageWith(server, "POST", `${app.id}/secrets`)).status, 409);
  const { refresh_token } = await connect(owner, {}, app);
  tokens(await refresh(server, refresh_token, { client_secret: both.first }, app));
});

test("klippa-E7: with the old secret gone at once, all tokens live on", async () => {
  const held = await connect(owner, {}, PENDING);
  const gone = await manageWith(server, "DELETE", `${app.id}/secrets/${PENDING.secret.slice(-4)}`);
  assert.deepEqual([gone.status, gone.json.secret_hints], [200, [app.secret.slice(-4)]]);
  refused(await refresh(server, held.refresh_token, {}, PENDING), 401, "invalid_client");
  await alive(server, held.access_token);
  await alive(server, (await renew(held.refresh_token)).access_token);
});

test("klippa-20: an app that asks for more calls a minute is given more", async () => {
  const knobs = { "api.rate": { limit: 130, window_s: 60 } };
  const set = await manageWith(server, "PUT", `${app.id}/policy`, knobs);
  assert.deepEqual([set.status, set.json.policy], [200, knobs]);
  const { access_token } = await connect(owner, {}, app);
  assert.deepEqual(statuses(await parallel(150, () => me(server, access_token))), { 200: 130, 429: 20 });
});

test("klippa-E8: a suspended app gets nothing at once; restored, it goes on with the same tokens, code and connection", async () => {
  const held = await connect(owner, {}, app);
  const { code } = await authorize(owner, ask());
  await becomes("suspend", "suspended");
  dead(await me(server, held.access_token));
  refused(await refresh(server, held.refresh_token, {}, app), 400, "unauthorized_client");
  refused(await exchange(server, code, {}, app), 400, "unauthorized_client");
  errorPage(await owner.page(ask()), 403);
  await listed(owner, "Suspended Connected", "Fresh Cut");
  await becomes("restore", "approved");
  await alive(server, held.access_token);
  await renew(held.refresh_token);
  tokens(await exchange(server, code, {}, app));
  await listed(owner, "Connected", "Fresh Cut");
});

test("klippa-E9: a deleted app's tokens, codes and connections have ended, and its id is nobody's", async () => {
  const held = await connect(owner, {}, app);
  const { code } = await authorize(owner, ask());
  const answer = await manageWith(server, "DELETE", app.id);
  assert.deepEqual([answer.status, answer.json.status], [200, "deleted"]);
  dead(await me(server, held.access_token));
  refused(await refresh(server, held.refresh_token, {}, app), 401, "invalid_client");
  refused(await exchange(server, code, {}, app), 401, "invalid_client");
  await listed(owner, "Ended", "Fresh Cut");
  assert.equal((await manage(server, app.id, "restore")).status, 404);
});

test("a salon that follows an old link to a deleted app is not told to wait for a review", async () => {
  const page = await owner.page(ask());
  assert.ok([400, 403].includes(page.status) && page.location === null);
  assert.doesNotMatch(page.text, /not approved yet|has not reviewed/);
});
