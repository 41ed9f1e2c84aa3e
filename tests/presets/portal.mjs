// The developer portal as a script drives it: registration and edits through the pages' own forms.

const formTo = (page, path) => {
  const form = page.forms.find((candidate) => candidate.action.split("?")[0] === path);
  if (!form) throw new Error(`no form to ${path}: HTTP ${page.status} ${page.location ?? page.text}`);
  return form;
};

/** Posts a form of a page with some fields replaced; a list becomes several fields, null leaves one out. */
export function sendForm(browser, page, path, fill) {
  const data = formTo(page, path).data();
  for (const [name, value] of Object.entries(fill)) {
    data.delete(name);
    for (const one of [value].flat()) if (one !== null) data.append(name, one);
  }
  return browser.page(path, { method: "POST", body: data, headers: { origin: browser.server.issuer, "sec-fetch-site": "same-origin" } });
}

/** What a registration that is all right says. */
export const registration = (name, more = {}) => ({
  client_type: "confidential",
  name,
  description: "Does one thing for a business, and does it well.",
  website: "https://app.example/",
  redirect_uris: "https://app.example/callback\nhttp://127.0.0.1:49152/callback",
  scopes: [],
  contact: "developer@app.example",
  ...more,
});

/** Registers an app; gives its client id, or the page that refuses it. The first scope is asked for unless others are named. */
export async function register(browser, fill) {
  const page = await browser.page("/developers/new");
  if (page.status !== 200) return { refused: page };
  const form = formTo(page, "/developers/new");
  const scopes = fill.scopes.length ? fill.scopes : [form.values("scopes")[0]];
  const reasons = Object.fromEntries(scopes.map((scope) => [`reason:${scope}`, "to do what it is for"]));
  const account = form.values("account")[0];
  const answer = await sendForm(browser, page, "/developers/new", { ...(account && { account }), ...reasons, ...fill, scopes });
  if (answer.status !== 303) return { refused: answer };
  return { id: answer.location.match(/\/developers\/apps\/([\w-]+)/)[1] };
}

/** Edits an app: the form as it stands, with some fields replaced. */
export async function edit(browser, id, fill) {
  const path = `/developers/apps/${id}/edit`;
  const page = await browser.page(path);
  const named = fill.scopes?.map((scope) => [`reason:${scope}`, "to do what it is for"]) ?? [];
  return sendForm(browser, page, path, { ...Object.fromEntries(named), ...fill });
}

/** One more secret, as the page shows it once. */
export async function addSecret(browser, id) {
  const page = await browser.page(`/developers/apps/${id}`);
  const answer = await sendForm(browser, page, `/developers/apps/${id}/secrets`, {});
  return answer.html.match(/<dt>Client secret<\/dt><dd><code>([\w-]+)<\/code>/)?.[1] ?? answer;
}
