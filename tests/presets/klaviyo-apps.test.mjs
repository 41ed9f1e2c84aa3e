// Klaviyo: an app before its review, its secret, its suspension and its end. A change of an app holds everywhere once the
// management API has answered, which takes seconds; so there is one of each.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { manage, manageWith } from "../harness/client.mjs";
import { dump, occurrences } from "../harness/dump.mjs";
import { errorPage } from "../harness/expect.mjs";
import {
  authenticationFailed,
  connection,
  exchange,
  generateCodes,
  installationUrl,
  klaviyo,
  refresh,
  revoke,
  tokenError,
  tokens,
} from "./klaviyo.mjs";
import { APP, PENDING, signedIn } from "./steps.mjs";

const SCOPE = "lists:write";
const TOLD = "accounts:read lists:write";
const WARNING = "This app has not been reviewed. Klaviyo has not checked what it does with what it gets.";
/** The app in review; its secret changes. */
let pending = PENDING;
let platform, server;
before(async () => {
  platform = await klaviyo();
  server = platform.server;
});
after(() => server?.stop());

const consentPage = async (client) =>
  (await signedIn(server)).page(installationUrl(client, SCOPE, generateCodes().codeChallenge, "1234"));
const works = async (accessToken) => assert.equal((await platform.accounts(accessToken)).status, 200);

test("klaviyo-10 klaviyo-30 klaviyo-S4: an app that nobody has reviewed works, and its consent page warns", async () => {
  const page = await consentPage(PENDING);
  assert.ok(page.text.includes("Subject Lines asks for access to your Klaviyo account"), page.text);
  assert.ok(page.text.includes(WARNING), page.text);
  assert.match(page.text, /demo\.example Not reviewed/);
  assert.ok(!(await consentPage(APP)).text.includes("has not been reviewed"));

  const denied = await platform.allow({ client: PENDING, scope: SCOPE, decision: "deny" });
  assert.equal(denied.error, "access_denied");
  const held = await platform.install({ client: PENDING, scope: SCOPE });
  await works(held.access_token);
  assert.equal(tokens(await refresh(server, held.refresh_token, { client: PENDING }), TOLD).refresh_token, held.refresh_token);
  await connection(server, "Connected", "Subject Lines");
  tokenError(await revoke(server, held.refresh_token, { client: PENDING }), 200, {});
  tokenError(await refresh(server, held.refresh_token, { client: PENDING }), 400, { error: "invalid_grant" });
  await connection(server, "Ended", "Subject Lines");
});

test("klaviyo-30: once it is reviewed the warning is gone, and its installs go on", async () => {
  const held = await platform.install({ client: PENDING, scope: SCOPE });
  assert.equal((await manage(server, PENDING.id, "approve")).status, 200);
  assert.doesNotMatch((await consentPage(PENDING)).text, /has not been reviewed|demo\.example Not reviewed/);
  await works(held.access_token);
  tokens(await refresh(server, held.refresh_token, { client: PENDING }), TOLD);
});

test("klaviyo-E8: suspending an app stops its tokens at once, nothing is consumed, and restoring brings them back", async () => {
  const held = await platform.install({ scope: SCOPE });
  const waiting = await platform.allow({ scope: SCOPE });
  await works(held.access_token);
  assert.equal((await manage(server, APP.id, "suspend")).status, 200);
  try {
    authenticationFailed(await platform.accounts(held.access_token));
    errorPage(await consentPage(APP), 403);
    assert.equal((await exchange(server, waiting)).status, 400);
    // Not invalid_grant, on which the guide's app disconnects for good: its installs come back with it.
    const stopped = { error: "unauthorized_client", error_description: "this app is not in use at the moment" };
    tokenError(await refresh(server, held.refresh_token), 400, stopped);
  } finally {
    assert.equal((await manage(server, APP.id, "restore")).status, 200);
  }
  await works(tokens(await refresh(server, held.refresh_token), TOLD).access_token);
  tokens(await exchange(server, waiting), TOLD);
});

test("klaviyo-29 klaviyo-E7: a new secret is shown once and takes the old one's place; all tokens live on", async () => {
  const held = await platform.install({ client: pending, scope: SCOPE });
  const made = await manageWith(server, "POST", `${pending.id}/secrets`);
  assert.equal(made.status, 201, JSON.stringify(made.json));
  const renewed = { ...pending, secret: made.json.client_secret };
  assert.match(renewed.secret, /^[\w-]{43}$/, "nothing that Basic would have to encode");
  assert.deepEqual(occurrences(dump(server), renewed.secret), [], "it can be shown only once: nowhere is it stored");
  await works(held.access_token);
  tokens(await refresh(server, held.refresh_token, { client: renewed }), TOLD);
  const old = await refresh(server, held.refresh_token, { client: pending });
  assert.equal(`${old.status} ${old.json.error}`, "401 invalid_client");
  pending = renewed;
});

test("klaviyo-30 klaviyo-E9: deleting an app is for good: its tokens, its installs and the app itself", async () => {
  const held = await platform.install({ client: pending, scope: SCOPE });
  const waiting = await platform.allow({ client: pending, scope: SCOPE });
  await works(held.access_token);
  assert.equal((await manageWith(server, "DELETE", pending.id)).status, 200);
  authenticationFailed(await platform.accounts(held.access_token));
  const tried = [await refresh(server, held.refresh_token, { client: pending }), await exchange(server, waiting, { client: pending })];
  for (const answer of tried) {
    assert.equal(`${answer.status} ${answer.json.error}`, "401 invalid_client");
  }
  const page = await consentPage(pending);
  assert.ok(page.status >= 400 && page.location === null, `HTTP ${page.status}`);
  for (const action of ["approve", "restore", "review"]) assert.equal((await manage(server, pending.id, action)).status, 404, action);
  const { text } = await (await signedIn(server)).page("/account/apps");
  assert.doesNotMatch(text, /Subject Lines by Edgegrant Demo Connected/);
  // Nobody else is touched.
  await works((await platform.install({ scope: SCOPE })).access_token);
});
