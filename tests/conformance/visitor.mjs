// Somebody with a browser without scripts at an authorization server: keeps cookies, follows redirects, fills in forms, until
// the server sends them to the app or there is nothing to go on with.
import { elements, page } from "../harness/html.mjs";

const STEPS = 20;

export class Visitor {
  cookies = new Map();

  /**
   * `forms(page, decision)` names what to do on a page: `{ form, fill, button, consent }`, `consent` when this decides; or
   * nothing, when the page is the end of the way. `person` is theirs to use.
   */
  constructor(origin, forms, person) {
    this.origin = origin;
    this.forms = forms;
    this.person = person;
  }

  /** One request with the cookies; no redirect is followed. */
  async fetch(url, init = {}) {
    const headers = new Headers(init.headers);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    if (cookie) headers.set("cookie", cookie);
    if (!headers.has("accept")) headers.set("accept", "text/html,*/*;q=0.8");
    const answer = await fetch(url, { redirect: "manual", ...init, headers });
    for (const line of answer.headers.getSetCookie()) this.#keep(line);
    const text = await answer.text();
    return { url: new URL(url), method: init.method ?? "GET", status: answer.status, headers: answer.headers, text };
  }

  #keep(line) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/) ?? [];
    const gone = value === "" || /;\s*max-age=(0|-\d+)\s*(;|$)/i.test(line) || /;\s*expires=[^;]*\b19[67]\d\b/i.test(line);
    if (gone) this.cookies.delete(name);
    else if (name) this.cookies.set(name, value);
  }

  /**
   * From an address at the server to where it ends: `{ location, page, seen, consents }`. `location` is the address that the
   * server leads to elsewhere, or null, and then `page` is the answer at the end. `seen` has every answer; `consents` counts the
   * forms that decided. `stopAtConsent`: that form is not sent, and comes back as `stopped`.
   */
  async walk(address, { redirectUri, decision = "allow", stopAtConsent = false } = {}) {
    return this.follow(await this.fetch(address), { redirectUri, decision, stopAtConsent });
  }

  async follow(first, { redirectUri, decision, stopAtConsent }) {
    const way = { location: null, page: null, seen: [], consents: 0 };
    for (let answer = first; way.seen.length < STEPS; ) {
      way.seen.push(answer);
      const location = answer.status >= 300 && answer.status < 400 ? answer.headers.get("location") : null;
      if (location !== null) {
        const next = new URL(location, answer.url);
        if (this.#elsewhere(next, redirectUri)) return { ...way, location: next };
        answer = await this.fetch(next);
        continue;
      }
      const submission = this.#submission(answer, decision);
      if (!submission) return { ...way, page: answer };
      if (submission.consent) {
        if (stopAtConsent) return { ...way, page: answer, stopped: submission };
        way.consents += 1;
      }
      answer = await this.fetch(submission.url, submission.init);
    }
    throw new Error("the server leads round in circles");
  }

  #elsewhere(url, redirectUri) {
    const start = redirectUri && url.href.startsWith(redirectUri) && /^([?#]|$)/.test(url.href.slice(redirectUri.length));
    return start || url.origin !== this.origin;
  }

  #submission(answer, decision) {
    const read = page(answer.text);
    const found = read.forms.length > 0 && this.forms(read, decision, this.person);
    if (!found) return undefined;
    const { form, fill = {}, button = {}, consent = false } = found;
    const url = new URL(form.action || answer.url, answer.url);
    const data = form.data(fill, button);
    if (form.method === "get") return { url: new URL(`?${data}`, url), init: {}, consent };
    const headers = { origin: this.origin, "sec-fetch-site": "same-origin" };
    return { url, init: { method: "POST", body: data, headers }, consent };
  }
}

/** Addresses that a page loads from another origin: scripts, styles, images, frames. */
export function foreign(answer) {
  const found = [];
  for (const element of elements(page(answer.text).tree)) {
    for (const { name, value } of element.attrs ?? []) {
      const loads = ["src", "srcset", "poster"].includes(name) || (element.tagName === "link" && name === "href");
      if (loads && !value.startsWith("data:") && new URL(value, answer.url).origin !== answer.url.origin) found.push(value);
    }
  }
  return found;
}
