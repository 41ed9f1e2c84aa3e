// API keys through the account's pages, as a person makes and revokes them.
import { elements, text } from "./html.mjs";

/** The form of a page that posts to `action`. */
const formTo = (page, action) => {
  const form = page.forms.find((candidate) => candidate.action === action);
  if (!form) throw new Error(`no form to ${action}: HTTP ${page.status} ${page.location ?? page.text}`);
  return form;
};

const post = (browser, path, data, headers = {}) =>
  browser.page(path, {
    method: "POST",
    body: data,
    headers: { origin: browser.server.issuer, "sec-fetch-site": "same-origin", ...headers },
  });

/** The data of a filled-in form for a new key. The form with more accounts than one asks which; the first unless said. */
export async function keyForm(browser, { label = "Nightly report", scopes, days = "90", account } = {}) {
  const form = formTo(await browser.page("/account/keys/new"), "/account/keys/new");
  const choices = form.values("account");
  const data = form.data({ label, life: days, scope: null, ...(choices.length > 0 ? { account: account ?? choices[0] } : {}) });
  if (choices.length === 0 && account) data.set("account", account);
  for (const scope of scopes ?? form.values("scope").slice(0, 1)) data.append("scope", scope);
  return { form, data };
}

export const sendKeyForm = (browser, data, headers) => post(browser, "/account/keys/new", data, headers);

/** The key that a page shows, if it shows one. */
export const shownKey = (page) =>
  [...elements(page.tree, "pre")].map((node) => text(node)).find((shown) => /^[a-z_]+[\w-]{92}$/.test(shown));

/** Makes a key: its text, its id, and the page that shows it. */
export async function makeKey(browser, options) {
  const { data } = await keyForm(browser, options);
  const page = await sendKeyForm(browser, data);
  const key = shownKey(page);
  if (!key) throw new Error(`no key: HTTP ${page.status} ${page.text}`);
  return { key, id: data.get("id"), data, page };
}

/** Presses Revoke on the page that asks whether it is meant. */
export async function revokeKey(browser, id, headers) {
  const form = formTo(await browser.page(`/account/keys/revoke?key=${id}`), "/account/keys/revoke");
  return post(browser, "/account/keys/revoke", form.data(), headers);
}
