// What the requests of the table send, and what they need to be there. A function gets the case: `app` (client id),
// `hint` of one of its two secrets, `install`, `caller`, `world`.
import { readFileSync } from "node:fs";
import { authorizePath, consentForm, PASSWORD, pkce, serverApp, STAFF } from "../harness/client.mjs";
import { DEMO_SALON } from "../harness/made.mjs";

export const letters = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => String.fromCharCode(97 + (byte % 26))).join("");
const png = readFileSync(new URL("../../worker/src/development/demo-spa.png", import.meta.url));

/** A form about an app, with a name that nobody has. */
export const registration = () => ({
  client_type: "confidential",
  name: `App ${letters()}`,
  description: "Shows who may do what.",
  website: "https://app.example/",
  install_url: "",
  redirect_uris: "https://app.example/callback",
  scopes: "bookings:read",
  "reason:bookings:read": "to show them",
  contact: "dev@app.example",
});
const details = ({ client_type, contact, redirect_uris, scopes, "reason:bookings:read": reason, ...texts }) => ({
  contact,
  details: { ...texts, redirect_uris: [redirect_uris], scopes: [{ name: scopes, reason }] },
});
const asJson = (account) => () => ({ json: { client_type: "confidential", account, ...details(registration()) } });
/** A resource server with an identifier that no other has. */
export const resourceServer = () => ({ name: "An API", resource: `https://${letters()}.example`, scopes: "bookings:read" });
const logo = () => {
  const form = new FormData();
  form.append("logo", new File([png], "logo.png", { type: "image/png" }));
  return { form };
};
const reasoned = () => ({ form: { reason: "It does more than it says." } });
const asking = () => authorizePath(serverApp(), { code_challenge: pkce().challenge }).split("?")[1];

/** The consent form of the owner, as anybody would send it on. */
async function decision({ world }) {
  const form = consentForm(await world.browsers.owner.page(`/oauth/authorize?${asking()}`));
  return { form: form.data({ account: DEMO_SALON }, { decision: "allow" }) };
}

async function signingIn({ browser }) {
  const page = await browser.page("/login");
  const form = page.forms.find(({ action }) => action === "/login");
  return { form: form.data({ email: STAFF, password: PASSWORD }), csrf: false };
}

const inDemoSalon = () => ({ query: `account=${DEMO_SALON}` });
const id = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");

/**
 * By request: `send` gives `query`, `form` (with the caller's CSRF token unless `csrf: false`), `json` or `bytes`;
 * `secrets`: the app has two; `alone`: the caller is somebody of their own with the same roles, whose sessions, name or
 * profile may end; `single`: the resource server has one secret, and may have another; `install`: what is connected, which is there once, so these calls wait for each other.
 */
export const REQUESTS = {
  "POST /login": { send: signingIn, alone: true },
  "POST /logout": { alone: true },
  "POST /login/{provider}": { send: signingIn },
  "POST /account/keys/new (for Demo Salon)": {
    send: () => ({ form: { id: id(), account: DEMO_SALON, label: "A script", scope: "bookings:read", life: "30" } }),
  },
  "GET /account/keys/revoke": { send: ({ key }) => ({ query: `key=${key}` }), key: true },
  "POST /account/keys/revoke": { send: ({ key }) => ({ form: { key } }), key: true },
  "GET /account/activity (of Demo Salon)": { send: inDemoSalon },
  "GET /account/activity.csv (of Demo Salon)": { send: inDemoSalon },
  "POST /account/profile/name": { send: () => ({ form: { name: "Another Name" } }), alone: true },
  "POST /account/profile/password": {
    send: () => ({ form: { current: PASSWORD, new: "four words that differ", repeat: "four words that differ" } }),
    alone: true,
  },
  "POST /account/profile/sessions": { alone: true },
  "POST /account/profile/delete": { send: () => ({ form: { proof: PASSWORD } }), alone: true },
  "GET /account/apps/disconnect": { send: ({ install }) => ({ query: `install=${install}` }), install: true },
  "POST /account/apps/disconnect": { send: ({ install }) => ({ form: { install } }), install: true },
  "POST /developers/new (for Demo Salon)": { send: () => ({ form: { ...registration(), account: DEMO_SALON } }) },
  "POST /developers/new (for no account)": { send: () => ({ form: registration() }) },
  "POST /developers/apps/{app}/edit": { send: () => ({ form: registration() }) },
  "POST /developers/apps/{app}/logo": { send: logo },
  "POST /developers/apps/{app}/rate": { send: () => ({ form: { wish: "A thousand calls in a minute, for large salons." } }) },
  "GET /developers/apps/{app}/secrets/revoke": { send: ({ hint }) => ({ query: `hint=${hint}` }), secrets: true },
  "POST /developers/apps/{app}/secrets/revoke": { send: ({ hint }) => ({ form: { hint } }), secrets: true },
  "POST /developers/apps/{app}/delete": { send: ({ name }) => ({ form: { confirm: name } }) },
  "POST /developers/apps/{app}/try": {
    send: () => ({ form: { step: "begin", redirect_uri: "https://app.example/callback", scopes: "bookings:read" } }),
  },
  "POST /admin/apps/{app}/approve": { send: ({ version }) => ({ form: { version } }) },
  "POST /admin/apps/{app}/reject": { send: ({ version }) => ({ form: { ...reasoned().form, version } }) },
  "POST /admin/apps/{app}/suspend": { send: ({ version }) => ({ form: { ...reasoned().form, version } }) },
  "POST /admin/apps/{suspended}/restore": { send: ({ version }) => ({ form: { version } }) },
  "POST /admin/apps/{app}/limits": { send: () => ({ form: { limit: "500", window_s: "60" } }) },
  "POST /admin/tokens/new": { send: () => ({ form: { label: letters(), scopes: "apps:read", account: "", expires_at: "30" } }) },
  "POST /admin/tokens/revoke": { send: ({ id }) => ({ form: { id } }), id: true },
  "POST /admin/resource-servers/new": { send: () => ({ form: resourceServer() }) },
  "POST /admin/resource-servers/{server}/secrets": { single: true },
  "POST /admin/resource-servers/{server}/revoke": { send: ({ hint }) => ({ form: { hint } }) },
  "POST /oauth/introspect": { send: () => ({ form: { token: "nothing" }, csrf: false }) },
  "GET /oauth/authorize": { send: () => ({ query: asking() }) },
  "POST /oauth/authorize": { send: () => ({ form: new URLSearchParams(asking()), csrf: false }) },
  "POST /oauth/authorize/decision (the owner's)": { send: decision },
  "POST /oauth/token": { send: () => ({ form: { grant_type: "refresh_token", refresh_token: "nothing" }, csrf: false }) },
  "POST /oauth/revoke": { send: () => ({ form: { token: "nothing" }, csrf: false }) },
  "POST /api/v1/me": { csrf: false },

  "POST /manage/v1/apps (for Demo Salon)": { send: asJson(DEMO_SALON) },
  "POST /manage/v1/apps (for no account)": { send: asJson(undefined) },
  "PUT /manage/v1/apps/{app}": { send: () => ({ json: details(registration()) }) },
  "PUT /manage/v1/apps/{app}/logo": { send: () => ({ bytes: png, type: "image/png" }) },
  "DELETE /manage/v1/apps/{app}/secrets/{hint}": { secrets: true },
  "POST /manage/v1/accounts": { send: () => ({ json: { name: "A new account" } }) },
  "POST /manage/v1/accounts/{account}/members": { send: ({ person }) => ({ json: { person, role: "staff" } }), person: true },
  "DELETE /manage/v1/accounts/{account}/installs/{client}": { install: true },
  "POST /manage/v1/accounts/{account}/keys": { send: () => ({ json: { label: letters(), scopes: ["bookings:read"], life_s: 2592000 } }) },
  "POST /manage/v1/people": { send: () => ({ json: { email: `${letters()}@demo.example`, name: "Somebody New" } }) },
  "GET /manage/v1/audit (of Demo Salon)": { send: inDemoSalon },
  "POST /manage/v1/resource-servers": { send: () => ({ json: { ...resourceServer(), scopes: ["bookings:read"] } }) },
  "POST /manage/v1/resource-servers/{server}/secrets": { single: true },
  "POST /manage/v1/tokens": { send: () => ({ json: { label: "A new token", scopes: ["tokens"], expires_at: 0 } }) },
  "PUT /manage/v1/apps/{app}/policy": { send: () => ({ json: { "api.rate": { limit: 500, window_s: 60 } } }) },
};
