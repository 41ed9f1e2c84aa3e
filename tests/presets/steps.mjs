// Steps of the platform tests that are the same for all: starting a preset, the person's part in a browser without
// scripts, requests as an app's server sends them. What a platform's documentation says is in its own file, literally.
import assert from "node:assert/strict";
import { consentForm, OWNER, redirectParams, signedIn } from "../harness/client.mjs";
import { startServer } from "../harness/server.mjs";

export { OWNER, pkce, signedIn, STAFF } from "../harness/client.mjs";

/** The confidential app of every preset. Its redirect URI is a loopback literal, so any port is right. */
export const APP = { id: "demo-server", secret: "demo-server-secret", redirectUri: "http://127.0.0.1:5001/callback" };
export const PENDING = { id: "demo-pending", secret: "demo-pending-secret", redirectUri: APP.redirectUri };

/** A server with a preset, and its owner's browser. `options` go to the server: vars, counting, unprovenLimit. */
export async function start(preset, options = {}) {
  const server = await startServer({ preset, ...options });
  return { server, owner: await signedIn(server, OWNER) };
}

/** An address with its parameters; what is null or undefined is left out. */
export function address(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/**
 * Answers a consent page: the first account unless one is named, `items` ticked, `decision` pressed. Gives the parameters
 * of the redirect with its whole `location`, and the page.
 */
export async function decide(browser, page, { decision = "allow", account, items = [] } = {}) {
  const form = consentForm(page);
  const choose = form.controls.some((control) => control.name === "account" && control.type === "radio");
  const named = account && accounts(page).find(({ name }) => name === account)?.id;
  const fill = choose || account ? { account: named ?? form.values("account")[0] } : {};
  const data = form.data(fill, { decision });
  for (const item of items) data.append("item", item);
  const answer = await browser.page(form.action, {
    method: "POST",
    body: data,
    headers: { origin: browser.server.issuer, "sec-fetch-site": "same-origin" },
  });
  assert.equal(answer.status, 303, `decision: HTTP ${answer.status} ${answer.text}`);
  return { ...redirectParams(answer.location), location: answer.location, page };
}

/** Opens an authorization request and decides. */
export async function authorize(browser, path, choice) {
  return decide(browser, await browser.page(path), choice);
}

/** The accounts that a consent page offers: ids by name. */
export function accounts(page) {
  const form = consentForm(page);
  return form.controls
    .filter((control) => control.name === "account")
    .map(({ value }) => ({ id: value, name: labelOf(page, value) }));
}

function labelOf(page, value) {
  const match = page.html.match(new RegExp(`value="${value}"[^>]*>\\s*<bdi>([^<]*)</bdi>`));
  return match?.[1] ?? page.html.match(/<p class="single"><bdi>([^<]*)<\/bdi>/)?.[1];
}

/** One request; answers status, headers and the body as JSON when it is such. */
export async function send(server, method, path, { headers = {}, body } = {}) {
  const answer = await server.fetch(path, { method, headers, body });
  const text = await answer.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: answer.status, headers: answer.headers, text, json };
}

export const postForm = (server, path, fields, headers) =>
  send(server, "POST", path, { headers, body: new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined)) });

export const postJson = (server, path, fields, headers) =>
  send(server, "POST", path, { headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(fields) });

/** GET with a bearer token. */
export const get = (server, path, token, headers = {}) =>
  send(server, "GET", path, { headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers } });

/** Answers grouped by status: `{ 200: 10, 429: 15 }`. */
export const statuses = (answers) => Object.fromEntries(Object.entries(Object.groupBy(answers, ({ status }) => status)).map(([status, list]) => [status, list.length]));

/** Runs `count` requests at once. */
export const parallel = (count, request) => Promise.all(Array.from({ length: count }, (_, index) => request(index)));
