// The published folder in a real browser: real navigation, storage, history and Web Locks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { loaded, named, open } from "./chromium.mjs";
import { tokenAnswer } from "./server.mjs";
import { world } from "./setup.mjs";

test("the whole way on a plain-http origin, where crypto.subtle does not exist", async () => {
  world.server.answer("/token", tokenAnswer(1));
  const page = await open(`${named("app.test")}/app`);
  assert.equal(await page.evaluate("isSecureContext || crypto.subtle !== undefined"), false);

  const landed = page.waitForURL(/[?&]code=/);
  await page.evaluate('void pkce.startLogin(config, { returnTo: "/orders" })');
  await landed;
  await loaded(page);
  const both = "Promise.all([pkce.handleCallback(config), pkce.handleCallback(config)])";
  const [result, again] = await page.evaluate(both);
  assert.deepEqual([result.tokens.accessToken, result.returnTo], ["at-1", "/orders"]);
  assert.deepEqual(again, result);
  assert.equal(page.url(), `${named("app.test")}/app`);
  assert.equal(await page.evaluate("sessionStorage.length + localStorage.length"), 0);

  const exchanges = world.server.requests.filter(({ path }) => path === "/token");
  assert.equal(exchanges.length, 1);
  assert.equal(exchanges[0].headers.origin, named("app.test"));
  assert.equal(exchanges[0].headers.referer, undefined);
});

// IndexedDB and not localStorage, which Chromium copies between the processes of tabs with a delay: what one tab saved
// before it let go of the lock may be missing when the next one looks.
const STORE = `
  const opened = new Promise((resolve, reject) => {
    const request = indexedDB.open("app");
    request.onupgradeneeded = () => request.result.createObjectStore("tokens");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const stored = async (mode, act) => {
    const transaction = (await opened).transaction("tokens", mode);
    const request = act(transaction.objectStore("tokens"));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
    });
  };
  const read = () => stored("readonly", (store) => store.get("tokens"));
  const save = async (tokens) => void (await stored("readwrite", (store) => store.put(tokens, "tokens")));`;

test("two tabs that refresh at the same time send one request and hold the same tokens", async () => {
  let waiting = 0;
  world.server.answer("/waiting", () => ({ json: (waiting += 1) }));
  world.server.answer("/token", async () => {
    while (waiting < 4) await sleep(10); // until all four callers have seen the old tokens
    return tokenAnswer(1);
  });
  const [one, two] = [await open(`${named("localhost")}/app`), await open(`${named("localhost")}/app`)];
  await one.evaluate(`(() => { ${STORE} return save({ accessToken: "at-0", refreshToken: "rt-0" }); })()`);
  const renew = `(() => {
    ${STORE}
    let first = true;
    const load = async () => {
      const tokens = await read();
      if (first) await fetch("/waiting");
      first = false;
      return tokens;
    };
    return pkce.refresh(config, { load, save });
  })()`;
  const results = await Promise.all([one, two, one, two].map((page) => page.evaluate(renew)));
  assert.deepEqual(
    results.map(({ refreshToken }) => refreshToken),
    ["rt-1", "rt-1", "rt-1", "rt-1"],
  );
  assert.equal(world.server.requests.filter(({ path }) => path === "/token").length, 1);
});

test("a policy that forbids WebAssembly is named", async () => {
  const page = await open(`${named("localhost")}/strict`);
  const attempt = "(() => { try { pkce.generatePkce(); } catch (error) { return error.code + error.message; } })()";
  assert.match(await page.evaluate(attempt), /^unsupported.*wasm-unsafe-eval/);
});
