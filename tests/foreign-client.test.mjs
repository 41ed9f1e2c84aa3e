// A client library that knows the standards and nothing of this server runs the whole flow for both kinds of apps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { consentForm, OWNER, serverApp, signedIn, spa } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

const INSECURE = { [oauth.allowInsecureRequests]: true }; // localhost without TLS

let server, browser;
before(async () => {
  server = await startServer();
  browser = await signedIn(server, OWNER);
});
after(() => server.stop());

async function discover() {
  const issuer = new URL(server.issuer);
  const answer = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...INSECURE });
  return oauth.processDiscoveryResponse(issuer, answer);
}

/** The part of the person: allows on the consent page and comes back with the redirect. */
async function allow(url) {
  const form = consentForm(await browser.page(url.pathname + url.search));
  const answer = await browser.submit(form, { account: form.values("account")[0] }, { decision: "allow" });
  return new URL(answer.location);
}

async function flow(client, authentication, redirectUri) {
  const as = await discover();
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  const parameters = {
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "account:read bookings:read",
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);

  const params = oauth.validateAuthResponse(as, client, await allow(url), state);
  const exchanged = await oauth.authorizationCodeGrantRequest(as, client, authentication, params, redirectUri, verifier, INSECURE);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, exchanged);
  assert.equal(tokens.token_type, "bearer");
  assert.equal(tokens.expires_in, 3600);

  const api = await oauth.protectedResourceRequest(
    tokens.access_token,
    "GET",
    new URL("/api/v1/me", server.issuer),
    undefined,
    undefined,
    INSECURE,
  );
  assert.equal((await api.json()).app.client_id, client.client_id);

  const refreshed = await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, INSECURE);
  const next = await oauth.processRefreshTokenResponse(as, client, refreshed);
  assert.notEqual(next.refresh_token, tokens.refresh_token);

  const revoked = await oauth.revocationRequest(as, client, authentication, next.refresh_token, INSECURE);
  await oauth.processRevocationResponse(revoked);

  const late = await oauth.refreshTokenGrantRequest(as, client, authentication, next.refresh_token, INSECURE);
  await assert.rejects(
    oauth.processRefreshTokenResponse(as, client, late),
    (error) => error.error === "invalid_grant" && error.status === 400,
  );
  await assert.rejects(
    oauth.protectedResourceRequest(next.access_token, "GET", new URL("/api/v1/me", server.issuer), undefined, undefined, INSECURE),
    (error) => error.cause?.[0]?.scheme === "bearer" && error.cause[0].parameters.error === "invalid_token",
  );
}

test("oauth4webapi: discovery, consent, exchange, API, refresh and revocation for the public app", async () => {
  await flow({ client_id: "demo-spa" }, oauth.None(), spa(server).redirectUri);
});

test("oauth4webapi: the same for the app with a secret, in the body and in the header", async () => {
  const { secret, redirectUri } = serverApp();
  for (const authentication of [oauth.ClientSecretPost(secret), oauth.ClientSecretBasic(secret)]) {
    await flow({ client_id: "demo-server" }, authentication, redirectUri);
  }
});

test("IS-01, IS-02: the library accepts iss in success and in denial, and notices another issuer's", async () => {
  const as = await discover();
  const client = { client_id: "demo-spa" };
  const url = new URL(as.authorization_endpoint);
  const challenge = await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier());
  const parameters = {
    client_id: "demo-spa",
    redirect_uri: spa(server).redirectUri,
    response_type: "code",
    scope: "account:read",
    state: "s",
    code_challenge: challenge,
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const form = consentForm(await browser.page(url.pathname + url.search));
  const denied = await browser.submit(form, { account: form.values("account")[0] }, { decision: "deny" });
  assert.throws(
    () => oauth.validateAuthResponse(as, client, new URL(denied.location), "s"),
    (error) => error.error === "access_denied",
  );
  const mixed = new URL(denied.location);
  mixed.searchParams.set("iss", "https://attacker.example");
  assert.throws(() => oauth.validateAuthResponse(as, client, mixed, "s"), /iss/);
});
