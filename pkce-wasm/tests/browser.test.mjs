// The published folder in a real browser: real navigation, storage, history and Web Locks.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { tokenAnswer } from "./server.mjs";
import { world } from "./setup.mjs";

const dist = new URL("../dist/", import.meta.url);
const WASM_ALLOWED = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROME ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--host-resolver-rules=MAP app.test 127.0.0.1"],
  });
});
after(() => browser.close());

function serve(path, type, text, headers = {}) {
  world.server.answer(path, { text, headers: { "content-type": type, ...headers } });
}

// The app: the module as `pkce`, and a config with the endpoints of its own origin.
const APP = `
  import * as pkce from "/module/index.js";
  const issuer = location.origin;
  const config = {
    issuer, clientId: "demo-spa", redirectUri: issuer + "/app", allowInsecure: true,
    authorizationEndpoint: issuer + "/authorize", tokenEndpoint: issuer + "/token",
  };
  Object.assign(window, { pkce, config });`;

beforeEach(() => {
  const html = '<!doctype html><title>App</title><script type="module" src="/app.js"></script>';
  serve("/app", "text/html", html, { "content-security-policy": WASM_ALLOWED });
  serve("/strict", "text/html", html, { "content-security-policy": "default-src 'none'; script-src 'self'" });
  serve("/app.js", "text/javascript", APP);
  for (const name of readdirSync(dist).filter((file) => file.endsWith(".js"))) {
    serve(`/module/${name}`, "text/javascript", readFileSync(new URL(name, dist), "utf8"));
  }
  world.server.answer("/authorize", ({ query, headers }) => {
    const iss = `http://${headers.host}`;
    const answer = new URLSearchParams({ code: "c", state: query.get("state"), iss });
    return { status: 303, headers: { location: `${query.get("redirect_uri")}?${answer}` }, text: "" };
  });
});

async function open(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction("window.pkce !== undefined");
  return page;
}

const named = (name) => world.server.origin.replace("127.0.0.1", name);

test("the whole way on a plain-http origin, where crypto.subtle does not exist", async () => {
  world.server.answer("/token", tokenAnswer(1));
  const context = await browser.newContext();
  const page = await open(context, `${named("app.test")}/app`);
  assert.equal(await page.evaluate("isSecureContext || crypto.subtle !== undefined"), false);

  const landed = page.waitForURL(/[?&]code=/);
  await page.evaluate('void pkce.startLogin(config, { returnTo: "/orders" })');
  await landed;
  await page.waitForFunction("window.pkce !== undefined");
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
  await context.close();
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
  const context = await browser.newContext();
  const [one, two] = [
    await open(context, `${named("localhost")}/app`),
    await open(context, `${named("localhost")}/app`),
  ];
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
  await context.close();
});

test("a policy that forbids WebAssembly is named", async () => {
  const context = await browser.newContext();
  const page = await open(context, `${named("localhost")}/strict`);
  const attempt = "(() => { try { pkce.generatePkce(); } catch (error) { return error.code + error.message; } })()";
  assert.match(await page.evaluate(attempt), /^unsupported.*wasm-unsafe-eval/);
  await context.close();
});
