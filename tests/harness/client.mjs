// An HTTP client with cookies and forms, and the steps of the flow for the two demo apps.
import { createHash, randomBytes } from "node:crypto";
import { page } from "./html.mjs";

export const PASSWORD = "demo-password";
export const OWNER = "owner@demo.example";
export const STAFF = "staff@demo.example";
export const SCOPES = "account:read bookings:read bookings:write customers:read";
export const SERVER_REDIRECT = "http://127.0.0.1:49152/callback";

/** Where the default preset has its endpoints. */
const ROUTES = { authorize: "/oauth/authorize", token: "/oauth/token", revoke: "/oauth/revoke", introspect: "/oauth/introspect", me: "/api/v1/me" };
const routes = (server) => server.routes ?? ROUTES;

/** The development apps as a client library would be configured for them. */
export const spa = (server) => ({ id: "demo-spa", redirectUri: `${server.issuer}/demo/` });
export const serverApp = () => ({ id: "demo-server", secret: "demo-server-secret", redirectUri: SERVER_REDIRECT });

/** A PKCE pair. */
export function pkce() {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** A browser without scripts: cookies, forms, and pages by path. It follows no redirect unless asked. */
export class Browser {
  cookies = new Map();

  constructor(server) {
    this.server = server;
  }

  async fetch(path, init = {}) {
    const headers = new Headers(init.headers);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    if (cookie && !headers.has("cookie")) headers.set("cookie", cookie);
    if (!headers.has("accept")) headers.set("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    const answer = await this.server.fetch(path, { ...init, headers });
    for (const line of answer.headers.getSetCookie()) this.#keep(line);
    return answer;
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(";").map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    const gone = value === "" || attributes.some((attribute) => /^max-age=(0|-\d+)$/i.test(attribute));
    if (gone) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }

  /** A page with its status and headers. */
  async page(path, init) {
    const answer = await this.fetch(path, init);
    return { status: answer.status, headers: answer.headers, location: answer.headers.get("location"), ...page(await answer.text()) };
  }

  /** Sends a form of a page as a browser would, `Origin` included. */
  submit(form, fill, button, headers = {}) {
    const data = form.data(fill, button);
    if (form.method === "get") return this.page(`${form.action}?${data}`, { headers });
    return this.page(form.action, {
      method: "POST",
      body: data,
      headers: { origin: this.server.issuer, "sec-fetch-site": "same-origin", ...headers },
    });
  }

  /** Signs in through the login form and returns the answer to it. */
  async signIn(email = OWNER, password = PASSWORD, returnTo) {
    const query = returnTo === undefined ? "" : `?${new URLSearchParams({ return_to: returnTo })}`;
    const login = await this.page(`/login${query}`);
    return this.submit(login.forms[0], { email, password });
  }
}

/** A browser in which somebody has signed in. */
export async function signedIn(server, email = OWNER) {
  const browser = new Browser(server);
  const answer = await browser.signIn(email);
  if (answer.status !== 303) throw new Error(`sign-in of ${email}: ${answer.status} ${answer.text}`);
  return browser;
}

/** The address that starts a flow. A parameter set to null is left out, an array is repeated. */
export function authorizePath(client, parameters = {}, path = ROUTES.authorize) {
  const query = new URLSearchParams();
  const all = {
    response_type: "code",
    client_id: client.id,
    redirect_uri: client.redirectUri,
    scope: SCOPES,
    code_challenge_method: "S256",
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined) query.append(name, one);
  }
  return `${path}?${query}`;
}

export const consentForm = (consent) => {
  const form = consent.forms.find((candidate) => candidate.controls.some((control) => control.name === "consent"));
  if (!form) throw new Error(`no consent form: HTTP ${consent.status} ${consent.location ?? consent.text}`);
  return form;
};

/** Runs authorize up to the redirect; returns its parameters with the verifier that belongs to the code. */
export async function authorize(browser, client, { decision = "allow", account, ...parameters } = {}) {
  const pair = pkce();
  const path = authorizePath(client, { code_challenge: pair.challenge, ...parameters }, routes(browser.server).authorize);
  const form = consentForm(await browser.page(path));
  // A person with one account gets a hidden field, one with several has to choose; the first is Demo Salon.
  const radio = form.controls.some((control) => control.name === "account" && control.type === "radio");
  const fill = radio || account ? { account: account ?? form.values("account")[0] } : {};
  const answer = await browser.submit(form, fill, { decision });
  if (answer.status !== 303) throw new Error(`decision: HTTP ${answer.status} ${answer.text}`);
  return { ...redirectParams(answer.location), verifier: pair.verifier, location: answer.location, form };
}

/** The parameters in a redirect; each must be there once. */
export function redirectParams(location) {
  const entries = [...new URL(location).searchParams];
  const params = Object.fromEntries(entries);
  if (Object.keys(params).length !== entries.length) throw new Error(`a parameter is there twice: ${location}`);
  return params;
}

export const basic = (id, secret) => `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`;

/** POST of a form to an endpoint for apps; returns status, headers and the parsed JSON. */
export async function post(server, path, fields, headers = {}) {
  const body = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
  const answer = await server.fetch(path, { method: "POST", body, headers });
  return { status: answer.status, headers: answer.headers, json: parsed(await answer.text()) };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { unparsable: text };
  }
}

/** The fields that identify a client in the body. */
const identity = (client) => ({ client_id: client.id, client_secret: client.secret });

export const exchange = (server, client, { code, verifier }, changes = {}) =>
  post(server, routes(server).token, {
    grant_type: "authorization_code",
    code,
    redirect_uri: client.redirectUri,
    code_verifier: verifier,
    ...identity(client),
    ...changes,
  });

export const refresh = (server, client, token, changes = {}) =>
  post(server, routes(server).token, { grant_type: "refresh_token", refresh_token: token, ...identity(client), ...changes });

export const revoke = (server, client, token, changes = {}) => post(server, routes(server).revoke, { token, ...identity(client), ...changes });

/** The development data's resource server. */
export const RESOURCE = { id: "demo-resource", secret: "demo-resource-secret" };

/** A question of a resource server about a token. */
export const introspect = (server, token, changes = {}, resource = RESOURCE) =>
  post(server, routes(server).introspect, { token, ...changes }, { authorization: basic(resource.id, resource.secret) });

export async function me(server, token, headers = {}) {
  const answer = await server.fetch(routes(server).me, { headers: { authorization: `Bearer ${token}`, ...headers } });
  return { status: answer.status, headers: answer.headers, json: parsed(await answer.text()) };
}

/** The whole flow: a fresh grant's tokens. */
export async function connect(server, browser, client, options) {
  const redirect = await authorize(browser, client, options);
  const answer = await exchange(server, client, redirect);
  if (answer.status !== 200) throw new Error(`exchange: HTTP ${answer.status} ${JSON.stringify(answer.json)}`);
  return { ...answer.json, code: redirect.code, verifier: redirect.verifier };
}

const MANAGEMENT = { authorization: "Bearer demo-management-token" };
export const manage = (server, clientId, action) => post(server, `/manage/v1/apps/${clientId}/${action}`, {}, MANAGEMENT);

/** Requests of the management API about apps; a body is sent as JSON. */
export const manageWith = (server, method, path, body) => managementApi(server, method, `/apps/${path}`, body);

/** Any request of the management API; by default with the platform's token. */
export async function managementApi(server, method, path, body, { token = "demo-management-token", headers = {} } = {}) {
  const answer = await server.fetch(`/manage/v1${path}`, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": "application/json" }), ...headers },
    body: body && JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, json: parsed(await answer.text()) };
}

/** Disconnects every app of the signed-in person's accounts, through the pages. */
export async function disconnectAll(browser) {
  let disconnected = 0;
  for (;;) {
    const apps = await browser.page("/account/apps");
    const link = apps.html.match(/\/account\/apps\/disconnect\?install=[^"'\s]+/)?.[0];
    if (!link) return disconnected;
    const confirm = await browser.page(link.replaceAll("&amp;", "&"));
    const form = confirm.forms.find((candidate) => candidate.action.endsWith("/account/apps/disconnect"));
    const answer = await browser.submit(form);
    if (answer.status !== 303 && answer.status !== 200) throw new Error(`disconnect: HTTP ${answer.status} ${answer.text}`);
    disconnected += 1;
    if (disconnected > 50) throw new Error("disconnected apps stay listed as connected");
  }
}
