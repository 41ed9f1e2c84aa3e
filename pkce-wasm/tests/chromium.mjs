// The published folder in Chromium: the module, an app that uses it, and an authorization server with
// one origin for both. Importing it starts a browser for the tests of a file, and a context for each.
import { readFileSync, readdirSync } from "node:fs";
import { after, afterEach, before, beforeEach } from "node:test";
import { chromium } from "playwright-core";
import { until } from "./server.mjs";
import { world } from "./setup.mjs";

const dist = new URL("../dist/", import.meta.url);
const WASM_ALLOWED = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const HTML = '<!doctype html><title>App</title><script type="module" src="/app.js"></script>';

/** Starts a browser; `bfcache` keeps the back/forward cache, which Playwright turns off. */
export function launch({ bfcache = false } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROME ?? "/usr/bin/chromium",
    ignoreDefaultArgs: bfcache ? ["--disable-back-forward-cache"] : [],
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
      ...["--disable-background-networking", "--disable-component-update"],
      "--host-resolver-rules=MAP app.test 127.0.0.1",
    ],
  });
}

before(async () => (world.browser = await launch()));
after(() => world.browser.close());

/** A file of the app's server. */
export function serve(path, type, text, headers = {}) {
  const kept = { "content-type": type, "cache-control": "no-cache", ...headers };
  world.server.answer(path, { text, headers: kept });
}

// The app: the module as `pkce`, and a config with the endpoints of its own origin.
const APP = `
  import * as pkce from "/module/index.js";
  const issuer = location.origin;
  const config = {
    issuer, clientId: "demo-spa", redirectUri: issuer + "/app", allowInsecure: true,
    authorizationEndpoint: issuer + "/authorize", tokenEndpoint: issuer + "/token",
    revocationEndpoint: issuer + "/revoke",
  };`;

/** What the script of the app does besides; it may use `pkce`, `issuer` and `config`. */
export function serveApp(script = "") {
  serve("/app.js", "text/javascript", `${APP}\n${script}\nObject.assign(window, { pkce, config });`);
}

/** The app with a session, which keeps its tokens there; `arrived` is what came of the callback. */
export function keepTokens(place) {
  serveApp(`
    window.session = pkce.createSession({ ...config, tokens: ${JSON.stringify(place)} });
    window.changes = [];
    session.onChange(({ reason }) => changes.push(reason));
    window.arrived = session.handleCallback().catch(({ code }) => code);`);
}

beforeEach(async () => {
  world.context = await world.browser.newContext();
  serve("/app", "text/html", HTML, { "content-security-policy": WASM_ALLOWED });
  serve("/strict", "text/html", HTML, { "content-security-policy": "default-src 'none'; script-src 'self'" });
  serveApp();
  for (const name of readdirSync(dist).filter((file) => file.endsWith(".js"))) {
    serve(`/module/${name}`, "text/javascript", readFileSync(new URL(name, dist), "utf8"));
  }
  world.server.answer("/authorize", ({ query, headers }) => {
    const iss = `http://${headers.host}`;
    const answer = new URLSearchParams({ code: "c", state: query.get("state"), iss });
    return { status: 303, headers: { location: `${query.get("redirect_uri")}?${answer}` }, text: "" };
  });
});
afterEach(() => world.context.close());

/** The server under another name: `localhost` is a secure origin, `app.test` a plain-http one. */
export const named = (name) => world.server.origin.replace("127.0.0.1", name);

/** Waits until the script of the app has run. */
export const loaded = (page) => becomes(page, "window.pkce !== undefined");

/** Waits until an expression holds in the page. Playwright's own way needs `eval`, which the policy forbids. */
export function becomes(page, expression) {
  return until(() => page.evaluate(expression).catch(() => false), expression);
}

/** Opens a tab. */
export async function open(url, context = world.context) {
  const page = await context.newPage();
  await page.goto(url);
  await loaded(page);
  return page;
}

/** Opens a tab and logs in there. */
export async function signIn(url = `${named("localhost")}/app`, context = world.context) {
  const page = await open(url, context);
  await login(page);
  return page;
}

/** Goes to the server and comes back. */
export async function login(page) {
  const landed = page.waitForURL(/[?&]code=/);
  await page.evaluate("void session.login()");
  await landed;
  await loaded(page);
  await page.evaluate("arrived.then(() => {})");
}
