// Steps of the portal's pages: registering apps, their secrets, decisions of staff.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { elements, text } from "./html.mjs";
import { manage, OWNER, signedIn } from "./client.mjs";

export const ADMIN = "admin@demo.example";
export const DEMO_SALON = "a0000000000000000000000000000001";
export const SECOND_SALON = "a0000000000000000000000000000002";
/** `staff@demo.example`, who may not connect or register apps unless a test says otherwise. */
export const STAFF_ID = "b0000000000000000000000000000002";
export const CALLBACK = "https://app.example/callback";

/** A name that looks like no other one. */
export const uniqueName = (start = "App") => `${start} ${Array.from({ length: 10 }, () => "bdfghkmprtvwxz"[randomInt(14)]).join("")}`;

/** Everything that a registration without a mistake says. */
export const registration = (changes = {}) => ({
  account: SECOND_SALON,
  client_type: "confidential",
  name: uniqueName(),
  description: "Writes your bookings into your books every night.",
  website: "https://app.example/",
  install_url: "",
  redirect_uris: CALLBACK,
  scopes: ["bookings:read"],
  "reason:bookings:read": "to write them down",
  contact: "dev@app.example",
  ...changes,
});

/** Fields as a form body; an array is repeated, null is left out. */
export function encoded(fields) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined) body.append(name, one);
  }
  return body;
}

/** The token of a browser's session, as every page of somebody who is signed in has it. */
export async function csrf(browser) {
  const { forms } = await browser.page("/account/apps");
  return forms.find((form) => form.action === "/logout").values("csrf")[0];
}

/** Sends a form of our pages with whatever fields, the right token unless they name one. */
export async function sendForm(browser, path, fields = {}, headers = {}) {
  const body = encoded({ csrf: await csrf(browser), ...fields });
  return browser.page(path, { method: "POST", body, headers: { origin: browser.server.issuer, ...headers } });
}

/** The form of a page that is sent to this address. */
export function formTo(page, action) {
  const form = page.forms.find((candidate) => candidate.action === action);
  assert.ok(form, `no form to ${action}: HTTP ${page.status} ${page.text}`);
  return form;
}

/** Opens the page at `path` and sends the form on it that goes to `action` (the page's own unless it is named). */
export async function fillIn(browser, path, fill = {}, action = path.split("?")[0]) {
  return browser.submit(formTo(await browser.page(path), action), fill);
}

/** What is wrong, field by field. */
export function errorsOf(page) {
  const found = {};
  for (const element of elements(page.tree)) {
    const id = element.attrs.find(({ name }) => name === "id")?.value;
    if (id?.endsWith("-error")) found[id.slice(0, -"-error".length)] = text(element);
  }
  return found;
}

/** Registers an app through the pages. */
export async function registered(browser, changes = {}) {
  const said = registration(changes);
  const answer = await sendForm(browser, "/developers/new", said);
  assert.equal(answer.status, 303, `${answer.status} ${JSON.stringify(errorsOf(answer))} ${answer.text}`);
  const id = new URL(answer.location, browser.server.issuer).pathname.split("/").pop();
  return {
    id,
    name: said.name,
    redirectUri: said.redirect_uris.split("\n")[0],
    said,
    page: `/developers/apps/${id}`,
    admin: `/admin/apps/${id}`,
  };
}

/** Adds a secret through the page that shows it once. */
export async function addSecret(browser, app) {
  const answer = await sendForm(browser, `${app.page}/secrets`);
  assert.equal(answer.status, 200, answer.text);
  const [, secret] = [...elements(answer.tree, "code")].map(text);
  assert.match(secret, /^[\w-]{43}$/);
  return secret;
}

const offsets = new WeakMap();
/** Lets time pass for the Worker. After 8 seconds every lease given before has run out and no change waits for one. */
export async function pass(server, ms = 8000) {
  offsets.set(server, (offsets.get(server) ?? 0) + ms);
  await server.clock(offsets.get(server));
}

/**
 * Registers apps, gives each confidential one a secret and has them approved, all at once. What others hold of them from
 * before is over by then, so nobody waits.
 */
export async function approved(browser, ...several) {
  const { server } = browser;
  const apps = await Promise.all((several.length ? several : [{}]).map((changes) => registered(browser, changes)));
  for (const app of apps) if (app.said.client_type === "confidential") app.secret = await addSecret(browser, app);
  for (const app of apps) await browser.page(app.page);
  await pass(server);
  const answers = await Promise.all(apps.map((app) => manage(server, app.id, "approve")));
  for (const answer of answers) assert.equal(answer.status, 200, JSON.stringify(answer.json));
  return apps;
}

/** Makes `staff@demo.example` a person of this role in an account, beside what they are in Demo Salon. */
export async function join(server, account, role, name = "Third Salon") {
  await server.sql("INSERT OR IGNORE INTO accounts (id, name, created_at) VALUES (?, ?, 0)", account, name);
  await server.sql("INSERT OR REPLACE INTO members (account_id, user_id, role) VALUES (?, ?, ?)", account, STAFF_ID, role);
}

export const developer = (server) => signedIn(server, OWNER);
export const reviewer = (server) => signedIn(server, ADMIN);
