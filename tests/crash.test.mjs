// Power cuts: the process is killed between the steps and starts again on the same storage.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  authorize,
  connect,
  consentForm,
  authorizePath,
  disconnectAll,
  exchange,
  me,
  pkce,
  refresh,
  revoke,
  serverApp,
  signedIn,
  spa,
} from "./harness/client.mjs";
import { invalidToken, oauthError, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
const confidential = serverApp();
before(async () => {
  server = await startServer();
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());

test("invariant 4: what was issued before a crash works after it: session, code, access and refresh token", async () => {
  const code = await authorize(owner, app);
  const held = await connect(server, owner, confidential);
  const form = consentForm(await owner.page(authorizePath(app, { code_challenge: pkce().challenge })));
  await server.restart();
  tokens(await exchange(server, app, code));
  assert.equal((await me(server, held.access_token)).status, 200);
  tokens(await refresh(server, confidential, held.refresh_token));
  assert.equal((await owner.submit(form, { account: form.values("account")[0] }, { decision: "allow" })).status, 303);
});

test("invariants 1 and 3: what was used or revoked before a crash stays dead after it", async () => {
  const used = await authorize(owner, app);
  const fromCode = tokens(await exchange(server, app, used));
  const revoked = await connect(server, owner, confidential);
  const single = await connect(server, owner, app);
  const rotated = await connect(server, owner, app);
  const newest = tokens(await refresh(server, app, rotated.refresh_token));
  await revoke(server, confidential, revoked.refresh_token);
  await revoke(server, app, single.access_token);
  await server.restart();

  invalidToken(await me(server, revoked.access_token));
  oauthError(await refresh(server, confidential, revoked.refresh_token), 400, "invalid_grant");
  invalidToken(await me(server, single.access_token));
  tokens(await refresh(server, app, single.refresh_token));
  assert.equal((await me(server, fromCode.access_token)).status, 200);
  oauthError(await exchange(server, app, used), 400, "invalid_grant"); // and ends its family
  invalidToken(await me(server, fromCode.access_token));

  await server.clock(5000);
  oauthError(await refresh(server, app, rotated.refresh_token), 400, "invalid_grant");
  oauthError(await refresh(server, app, newest.refresh_token), 400, "invalid_grant");
});

test("a disconnect survives a crash, for codes in flight as well", async () => {
  const inFlight = await authorize(owner, app);
  const held = await connect(server, owner, app);
  await disconnectAll(owner);
  await server.restart();
  invalidToken(await me(server, held.access_token));
  oauthError(await exchange(server, app, inFlight), 400, "invalid_grant");
  assert.equal(await disconnectAll(owner), 0);
});

test("RC-07: killed while refreshes are under way: whoever asks again holds the one live token", async () => {
  for (let round = 0; round < 3; round += 1) {
    const held = await connect(server, owner, confidential);
    const under = Array.from({ length: 8 }, () => refresh(server, confidential, held.refresh_token).catch(() => undefined));
    await new Promise((next) => setTimeout(next, 4 * round));
    await server.kill();
    const answers = (await Promise.all(under)).filter((answer) => answer?.status === 200);
    await server.restart();
    // The clock of the objects is real time; a restart may take longer than the window, then a duplicate is a replay.
    const again = await refresh(server, confidential, answers[0]?.json.refresh_token ?? held.refresh_token);
    if (answers.length > 0) tokens(again);
    else assert.ok([200, 400].includes(again.status), `HTTP ${again.status}`);
    const known = new Set([...answers.map((answer) => answer.json.refresh_token)]);
    assert.ok(known.size <= 1, "never two branches");
  }
});

test("RC-07: killed while a code is being redeemed: at most one of all tries succeeds", async () => {
  for (let round = 0; round < 3; round += 1) {
    const redirect = await authorize(owner, app);
    const under = Array.from({ length: 6 }, () => exchange(server, app, redirect).catch(() => undefined));
    await new Promise((next) => setTimeout(next, 4 * round));
    await server.kill();
    const before = (await Promise.all(under)).filter((answer) => answer?.status === 200).length;
    await server.restart();
    const after = await exchange(server, app, redirect);
    assert.ok(before + (after.status === 200 ? 1 : 0) <= 1);
    assert.ok([200, 400].includes(after.status));
  }
});

test("objects that lose their memory decide as before", async () => {
  const held = await connect(server, owner, app);
  const revoked = await connect(server, owner, app);
  await revoke(server, app, revoked.access_token);
  await server.evict("Grant");
  await server.evict("App");
  assert.equal((await me(server, held.access_token)).status, 200);
  invalidToken(await me(server, revoked.access_token));
  const next = tokens(await refresh(server, app, held.refresh_token));
  await server.evict("Grant");
  assert.equal(tokens(await refresh(server, app, held.refresh_token)).refresh_token, next.refresh_token, "the retry, after eviction");
});
