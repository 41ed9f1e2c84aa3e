// The key of createDpop in real Chromium: IndexedDB, several tabs, reloads, and the whole way with servers of others.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { call, launch, loaded, login, open, startApp } from "./foreign/app.mjs";
import { startBetterAuth } from "./foreign/better-auth.mjs";
import { startOidcProvider } from "./foreign/oidc-provider.mjs";
import { startWorkersOauthProvider } from "./foreign/workers-oauth-provider.mjs";

let browser;
let app;
let context;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  app = await startApp();
  app.trust(app.redirectUri);
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  app.close();
});

const thumbprint = (page) => page.evaluate("(window.dpop ??= pkce.createDpop()).thumbprint()");
const forget = (page) => page.evaluate("window.dpop.forget()");

test("the key survives a reload, and no script can read its private half", async () => {
  const page = await open(context, app.redirectUri);
  const made = await thumbprint(page);
  assert.match(made, /^[\w-]{43}$/);
  await page.reload();
  await loaded(page);
  assert.equal(await thumbprint(page), made);
  const stolen = await page.evaluate(async () => {
    const ended = (request) =>
      new Promise((resolve) => {
        request.onsuccess = () => resolve(request.result);
      });
    const database = await ended(indexedDB.open("pkce-wasm"));
    const [pair] = await ended(database.transaction("keys").objectStore("keys").getAll());
    const formats = ["jwk", "pkcs8", "raw"];
    const { privateKey } = pair;
    const tries = formats.map((format) => crypto.subtle.exportKey(format, privateKey).then(String, ({ name }) => name));
    return { extractable: privateKey.extractable, type: privateKey.type, tries: await Promise.all(tries) };
  });
  assert.equal(stolen.type, "private");
  assert.equal(stolen.extractable, false);
  for (const outcome of stolen.tries) assert.match(outcome, /^(InvalidAccess|NotSupported)Error$/);
});

test("two tabs that start at the same time make one key", async () => {
  const pages = [await open(context, app.redirectUri), await open(context, app.redirectUri)];
  // Both have seen that there is none before either keeps one; the slower one goes on when the other has its key.
  let arrived = 0;
  let go;
  let tabs;
  const both = new Promise((resolve) => (go = resolve));
  await context.exposeFunction("meet", async () => {
    arrived += 1;
    if (arrived < 2) return both;
    go();
    await Promise.race(tabs);
  });
  for (const page of pages) {
    await page.evaluate(() => {
      const { generateKey } = SubtleCrypto.prototype;
      SubtleCrypto.prototype.generateKey = async function meeting(...values) {
        await window.meet();
        return generateKey.apply(this, values);
      };
    });
  }
  tabs = pages.map(thumbprint);
  const [one, two] = await Promise.all(tabs);
  assert.equal(arrived, 2);
  assert.equal(one, two);
});

test("forget ends the key in every tab, and names keep keys apart", async () => {
  const [page, other] = [await open(context, app.redirectUri), await open(context, app.redirectUri)];
  const first = await thumbprint(page);
  assert.equal(await thumbprint(other), first);
  const named = (name) => page.evaluate((name) => window.pkce.createDpop({ name }).thumbprint(), name);
  const second = await named("another app");
  assert.notEqual(second, first);
  await forget(page);
  const fresh = await thumbprint(other);
  assert.notEqual(fresh, first);
  assert.equal(await thumbprint(page), fresh);
  assert.equal(await named("another app"), second);
});

test("where IndexedDB refuses, the page has a key of its own until it is left", async () => {
  const page = await open(context, app.redirectUri);
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        indexedDB.open("pkce-wasm").onsuccess = resolve; // a database without the store
      }),
  );
  const twice = await page.evaluate(() => {
    const dpop = (window.dpop = window.pkce.createDpop());
    return Promise.all([dpop.thumbprint(), dpop.thumbprint()]);
  });
  assert.equal(twice[0], twice[1]);
  assert.equal(await thumbprint(page), twice[0]);
  await forget(page);
  assert.notEqual(await thumbprint(page), twice[0]);
});

/** What the server's API says to a bound token: with a proof, and once more when that was refused with a nonce. */
function ask(page, api, accessToken, proven = true) {
  return page.evaluate(
    async ([url, accessToken, proven]) => {
      const attempt = async () => {
        const headers = { authorization: `DPoP ${accessToken}` };
        if (proven) headers.dpop = await window.dpop.proof({ method: "GET", url, accessToken });
        return fetch(url, { headers });
      };
      let answer = await attempt();
      if (window.dpop.noteNonce(url, answer) && answer.status === 401) answer = await attempt();
      return answer.ok ? (await answer.json()).sub : answer.status;
    },
    [api, accessToken, proven],
  );
}

async function at(start, options = {}) {
  const server = await start({ ...app, dpop: true, ...options });
  app.trust(server.issuer);
  const page = await open(context, app.redirectUri);
  const settings = await call(page, "discover", server.issuer);
  const { clientId, scope } = server;
  const config = { ...settings, clientId, scope, redirectUri: app.redirectUri, $dpop: true };
  return { server, page, config };
}

for (const start of [startOidcProvider, startBetterAuth]) {
  test(`bound tokens from ${start.name.slice(5)}, across a reload and tabs`, async () => {
    const { server, page, config } = await at(start);
    try {
      await login(page, config, server);
      const { tokens } = await call(page, "handleCallback", config);
      assert.equal(tokens.tokenType, "DPoP");
      const sub = await ask(page, server.api, tokens.accessToken);
      assert.equal(typeof sub, "string");
      assert.ok([400, 401].includes(await ask(page, server.api, tokens.accessToken, false)), "stolen");

      await page.reload();
      await loaded(page);
      const renewed = await call(page, "refresh", config, tokens.refreshToken);
      const tab = await open(context, app.redirectUri);
      const again = await call(tab, "refresh", config, renewed.refreshToken);
      assert.equal(again.tokenType, "DPoP");
      assert.equal(await ask(tab, server.api, again.accessToken), sub);

      await forget(tab);
      assert.match(await call(page, "refresh", config, again.refreshToken), /^token_error invalid_(grant|dpop_proof)$/);
    } finally {
      await server.close();
    }
  });
}

test("an hour's error of the clock is no trouble where the server names nonces", async () => {
  await context.clock.setSystemTime(Date.now() + 3_600_000);
  const { server, page, config } = await at(startOidcProvider);
  try {
    await login(page, config, server);
    const { tokens } = await call(page, "handleCallback", config);
    assert.equal(await ask(page, server.api, tokens.accessToken), "alice");
  } finally {
    await server.close();
  }
});

test("a server that binds nothing is refused, not believed", async () => {
  const { server, page, config } = await at(startWorkersOauthProvider);
  try {
    await login(page, config, server);
    assert.equal(await call(page, "handleCallback", config), "invalid_response");
  } finally {
    await server.close();
  }
});
