// What both of Cal.com's presets ask of the person's page of connected apps.
import assert from "node:assert/strict";

/** The entries of an app: each with how it stands, its account and its permissions. */
async function entries(browser, app) {
  const { text } = await browser.page("/account/apps");
  const tags = "(?: In development| Not reviewed| Suspended)*";
  const states = "(Connected|Ended|Expired|Allowed, not used yet)";
  const entry = new RegExp(`${app} by Edgegrant Demo${tags} ${states} Account (.+?) Permissions (.*?) Allowed \\d`, "g");
  return [...text.matchAll(entry)].map(([, status, account, permissions]) => ({ status, account, permissions }));
}

/**
 * Waits until an account's entries of an app are one that stands like this, and gives its permissions: the page is told of
 * uses and ends after the app has its answer.
 */
export async function listed(browser, status, { app = "Automation Hub", account = "Demo Team" } = {}) {
  for (let tries = 0; ; tries += 1) {
    const all = await entries(browser, app);
    const found = all.filter((one) => one.account === account);
    if (found.length === 1 && found[0].status === status) return found[0].permissions;
    assert.ok(tries < 50, `${app} of ${account} is not listed as ${status}: ${JSON.stringify(all)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
