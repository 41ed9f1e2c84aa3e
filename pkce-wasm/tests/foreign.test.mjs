// Authorization servers that others wrote, in real Chromium: the app on one origin, the server on another.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { call, launch, login, open, startApp } from "./foreign/app.mjs";
import { startBetterAuth } from "./foreign/better-auth.mjs";
import { startOidcProvider } from "./foreign/oidc-provider.mjs";
import { startWorkersOauthProvider } from "./foreign/workers-oauth-provider.mjs";

const SERVERS = {
  "oidc-provider": startOidcProvider,
  "better-auth": startBetterAuth,
  "workers-oauth-provider": startWorkersOauthProvider,
};

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** What the server's API says to a token: the status, and the body of a success. */
function ask(page, url, { tokenType, accessToken }) {
  return page.evaluate(
    async ([url, authorization]) => {
      const answer = await fetch(url, { headers: { authorization } });
      return answer.ok ? answer.json() : answer.status;
    },
    [url, `${tokenType} ${accessToken}`],
  );
}

function changed(url, change) {
  const copy = new URL(url);
  change(copy.searchParams);
  return copy.href;
}

for (const [name, start] of Object.entries(SERVERS)) {
  test(`the whole way with ${name}`, async () => {
    const app = await startApp();
    const server = await start(app);
    app.trust(server.issuer);
    const context = await browser.newContext();
    try {
      const page = await open(context, app.redirectUri);

      const settings = await call(page, "discover", server.issuer);
      assert.equal(settings.issuer, server.issuer);
      assert.equal(settings.issRequired, true, "the metadata promises iss");
      assert.equal(await call(page, "discover", `${server.issuer}/`), "issuer_mismatch");

      const config = { ...settings, clientId: server.clientId, redirectUri: app.redirectUri, scope: server.scope };
      const answer = await login(page, config, server);
      const wrong = changed(answer, (query) => query.set("iss", `${server.issuer}.evil.example`));
      assert.equal(await call(page, "handleCallback", config, wrong), "issuer_mismatch");
      const without = changed(answer, (query) => query.delete("iss"));
      assert.equal(await call(page, "handleCallback", config, without), "issuer_missing");
      const { tokens, returnTo } = await call(page, "handleCallback", config);
      assert.equal(returnTo, "/orders");
      assert.equal(page.url(), app.redirectUri);
      assert.ok(tokens.expiresAt > Date.now());

      const { sub } = await ask(page, server.api, tokens);
      assert.equal(typeof sub, "string");
      const renewed = await call(page, "refresh", config, tokens.refreshToken);
      assert.notEqual(renewed.accessToken, tokens.accessToken);
      assert.notEqual(renewed.refreshToken, tokens.refreshToken, "these servers rotate");
      assert.equal((await ask(page, server.api, renewed)).sub, sub);

      assert.equal(await call(page, "revoke", config, renewed.refreshToken, "refresh_token"), undefined);
      assert.equal(await call(page, "refresh", config, renewed.refreshToken), "token_error invalid_grant");
    } finally {
      await context.close();
      await server.close();
      app.close();
    }
  });
}
