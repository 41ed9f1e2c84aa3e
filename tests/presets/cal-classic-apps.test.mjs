// Cal.com as its guide of 2024 has it: what staff's decisions about an app, and a new secret, do to its connections. A change
// of an app holds everywhere once the management API has answered, which takes seconds; so there is one of each.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { manage, manageWith } from "../harness/client.mjs";
import { dump, occurrences } from "../harness/dump.mjs";
import { errorPage } from "../harness/expect.mjs";
import { listed } from "./cal.mjs";
import * as cal from "./cal-classic.mjs";
import { APP, authorize, start } from "./steps.mjs";

const { alive, connect, dead, exchange, me, question, refresh, refreshed, refused, tokens } = cal;
let server, owner;
before(async () => {
  ({ server, owner } = await start("cal-classic"));
});
after(() => server?.stop());

const renew = async (token, changes) => refreshed(await refresh(server, token, changes));
const becomes = async (action, status) => {
  const answer = await manage(server, APP.id, action);
  assert.deepEqual([answer.status, answer.json], [200, { client_id: APP.id, status }]);
};

test("cal-classic-E8: a suspended app gets nothing at once; restored, it goes on with the same tokens, code and connection", async () => {
  const held = await connect(owner);
  const { code } = await authorize(owner, question());
  await becomes("suspend", "suspended");
  dead(await me(server, held.access_token));
  refused(await refresh(server, held.refresh_token), 401);
  refused(await exchange(server, code), 401);
  errorPage(await owner.page(question()), 403);
  await listed(owner, "Connected");
  await becomes("restore", "approved");
  await alive(server, held.access_token);
  await renew(held.refresh_token);
  tokens(await exchange(server, code));
});

test("an app for which staff sets rotation gets each new refresh token, and a replayed one ends its family", async () => {
  const held = await connect(owner);
  const knobs = { "refresh.rotation": "rotate" };
  const set = await manageWith(server, "PUT", `${APP.id}/policy`, knobs);
  assert.deepEqual([set.status, set.json.policy], [200, knobs]);
  const second = tokens(await refresh(server, held.refresh_token));
  assert.notEqual(second.refresh_token, held.refresh_token);
  refused(await refresh(server, held.refresh_token), 401);
  refused(await refresh(server, second.refresh_token), 401);
  dead(await me(server, second.access_token));
  assert.equal((await manageWith(server, "PUT", `${APP.id}/policy`, { "api.rat": {} })).status, 400);
});

test("cal-classic-E7: a new secret is shown once and takes the old one's place at once; all tokens live on", async () => {
  assert.equal((await manageWith(server, "PUT", `${APP.id}/policy`, {})).status, 200);
  const held = await connect(owner);
  const made = await manageWith(server, "POST", `${APP.id}/secrets`);
  assert.equal(made.status, 201);
  const { client_secret, secret_hints } = made.json;
  assert.deepEqual(secret_hints, [client_secret.slice(-4)]);
  refused(await refresh(server, held.refresh_token), 401);
  await alive(server, held.access_token);
  await alive(server, await renew(held.refresh_token, { client_secret }));
  for (const secret of [APP.secret, client_secret]) assert.deepEqual(occurrences(dump(server), secret), [], "only hashes are stored");
  assert.equal((await manageWith(server, "DELETE", `${APP.id}/secrets/${client_secret.slice(-4)}`)).status, 409, "the last one stays");
});

test("cal-classic-E9: a deleted app's tokens, codes and connections have ended, and its id is nobody's", async () => {
  const client = { id: "demo-spa", redirectUri: `${server.issuer}/demo/` };
  const held = await cal.connectPublic(owner);
  await listed(owner, "Connected", { app: "Agenda Wall" });
  const answer = await manageWith(server, "DELETE", client.id);
  assert.deepEqual([answer.status, answer.json.status], [200, "deleted"]);
  dead(await me(server, held.access_token));
  refused(await refresh(server, null, { client_secret: undefined, refresh_token: held.refresh_token }, client), 401);
  await listed(owner, "Ended", { app: "Agenda Wall" });
  const page = await owner.page(question({}, client));
  assert.ok([400, 403].includes(page.status) && page.location === null, `HTTP ${page.status}`);
  assert.equal((await manage(server, client.id, "restore")).status, 404);
});
