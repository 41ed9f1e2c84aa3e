// A real Chromium for the tests of pages and of the demo.
import { chromium } from "playwright-core";
import { findBrowser } from "../../worker/tools/lib/browser.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the browser; `context()` gives a fresh profile whose console errors and failed requests are collected. */
export async function startChromium() {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error("no Chrome or Chromium; run: node worker/tools/setup.mjs --browser");
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  return {
    async context(options = {}) {
      const context = await browser.newContext(options);
      const errors = [];
      context.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      context.on("weberror", (error) => errors.push(String(error.error())));
      return Object.assign(context, { errors });
    },
    close: () => browser.close(),
  };
}
