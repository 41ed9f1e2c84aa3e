// An app in Chromium: a page with the module on an origin of its own, which may speak to one server only.
import { readFileSync, readdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { startServer } from "../server.mjs";

const dist = new URL("../../dist/", import.meta.url);
const FLAGS = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"];

export function launch() {
  const executablePath = process.env.CHROME ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-sync", ...FLAGS] });
}

/** The app's server. `redirectUri` is its page; `trust(url)` lets the page speak to that origin. */
export async function startApp() {
  const server = await startServer();
  const serve = (path, type, text, headers = {}) =>
    server.answer(path, { text, headers: { "content-type": type, ...headers } });
  for (const name of readdirSync(dist).filter((file) => file.endsWith(".js"))) {
    serve(`/module/${name}`, "text/javascript", readFileSync(new URL(name, dist), "utf8"));
  }
  serve("/app.js", "text/javascript", 'import * as pkce from "/module/index.js"; window.pkce = pkce;');
  const html = '<!doctype html><title>App</title><script type="module" src="/app.js"></script>';
  const trust = (url) => {
    const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ${new URL(url).origin}`;
    serve("/app", "text/html", html, { "content-security-policy": policy });
  };
  return { redirectUri: `${server.origin}/app`, trust, close: server.close };
}

/** A page with the module loaded. */
export async function open(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await loaded(page);
  return page;
}

export const loaded = (page) => page.waitForFunction("window.pkce !== undefined");

/**
 * Runs a function of the module in the page and gives what comes back, or the code of the error. `$dpop` in the config
 * stands for `createDpop()`.
 */
export function call(page, name, ...values) {
  return page.evaluate(
    async ([name, values]) => {
      for (const value of values) if (value?.$dpop) value.dpop = window.dpop ??= window.pkce.createDpop();
      try {
        return await window.pkce[name](...values);
      } catch (error) {
        return `${error.code} ${error.oauthError ?? ""}`.trim();
      }
    },
    [name, values],
  );
}

/** Starts a login, goes through the pages of the server and stops at the answer: its URL. */
export async function login(page, config, server) {
  void call(page, "startLogin", config, { prompt: server.prompt, returnTo: "/orders" }).catch(() => {});
  await server.pass(page);
  await page.waitForURL(/[?&]code=/);
  await loaded(page);
  return page.url();
}
