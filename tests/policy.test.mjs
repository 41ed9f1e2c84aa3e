// What a policy may loosen for apps with a secret, and never for public ones.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorizePath, connect, consentForm, me, refresh, revoke, serverApp, signedIn, spa } from "./harness/client.mjs";
import { errorRedirect, invalidToken, oauthError, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const POLICY = {
  authorize: { pkce: "required_for_public" },
  refresh: { rotation: "static" },
  revoke: { access_ends: "grant" },
};
const confidential = serverApp();
let server, owner, app;
before(async () => {
  server = await startServer({ vars: { POLICY: JSON.stringify(POLICY) } });
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());

const rotate = async (client, token) => tokens(await refresh(server, client, token)).refresh_token;

test("RFC 9700 §4.14.2: a public client's refresh tokens rotate and replay ends the family, whatever the policy says", async () => {
  const { refresh_token: first } = await connect(server, owner, app);
  const second = await rotate(app, first);
  assert.notEqual(second, first);
  const { refresh_token: kept } = await connect(server, owner, confidential);
  assert.equal(await rotate(confidential, kept), kept, "with a secret it stays");
  await server.clock(5000);
  assert.equal(await rotate(confidential, kept), kept);
  for (const token of [first, second]) oauthError(await refresh(server, app, token), 400, "invalid_grant");
  await server.clock(0);
});

test("A21: revoking a public client's access token ends that token only, whatever the policy says", async () => {
  for (const [client, lives] of [
    [app, true],
    [confidential, false],
  ]) {
    const [other, one] = [await connect(server, owner, client), await connect(server, owner, client)];
    assert.equal((await revoke(server, client, one.access_token)).status, 200);
    invalidToken(await me(server, one.access_token));
    assert.equal((await me(server, other.access_token)).status, lives ? 200 : 401);
    assert.equal((await refresh(server, client, one.refresh_token)).status, lives ? 200 : 400);
  }
});

test("RFC 9700 §2.1.1: a public client needs PKCE, whatever the policy says", async () => {
  const without = { code_challenge: null, code_challenge_method: null, state: "s" };
  errorRedirect(await owner.page(authorizePath(app, without)), app, server.issuer, "invalid_request");
  consentForm(await owner.page(authorizePath(confidential, without)));
});
