// A server under test, and the requests that an app, an API and a browser make to it.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { pkce } from "../harness/client.mjs";
import { need, skip } from "./suite.mjs";

const FORM = "application/x-www-form-urlencoded";

/** Fields as form or query: null and undefined are left out, an array is repeated. */
export function encoded(fields) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined) body.append(name, one);
  }
  return body;
}

/** RFC 6749 §2.3.1: both halves form-encoded. */
export const basic = ({ id, secret }) => `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`;

/** What proves a client: fields of the body and headers, by its `method` (none, client_secret_post, client_secret_basic). */
function proofOf(client) {
  if (!client) return { fields: {}, headers: {} };
  if (client.method === "none") return { fields: { client_id: client.id }, headers: {} };
  if (client.method === "client_secret_post") return { fields: { client_id: client.id, client_secret: client.secret }, headers: {} };
  return { fields: {}, headers: { authorization: basic(client) } };
}

export class Target {
  /** Every answer of the token endpoint to a form that is not a success. */
  errors = [];
  codes = [];
  tokensSeen = [];
  #memory = new Map();

  /**
   * `clients`: `{ public, confidential, second, native }`, each `{ id, secret, method, redirectUri }`; those that are not there
   * are undefined. `ask(url, { redirectUri, decision, person })` takes a person from the authorization request to the end of
   * the way, see visitor.mjs. `scope`: what apps ask for. `resource`: address of an API that takes the tokens. `introspector`:
   * a client that may introspect. `ownPage(answer)`: whether a page is the server's, not of an
   * application on top of it.
   */
  constructor(options) {
    Object.assign(this, { graceMs: 2500, ownPage: () => true, ...options });
    for (const name of ["public", "confidential", "second", "native"]) this.clients[name] ??= undefined;
  }

  /** The server's metadata; openid-configuration when RFC 8414's is not there. */
  async discover() {
    const { origin, pathname } = new URL(this.issuer);
    const path = pathname === "/" ? "" : pathname.replace(/\/$/, "");
    this.metadataUrl = `${origin}/.well-known/oauth-authorization-server${path}`;
    for (const address of [this.metadataUrl, `${this.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`]) {
      const answer = await this.send(address);
      if (answer.status === 200 && answer.json?.token_endpoint) {
        this.metadata = answer.json;
        return this;
      }
    }
    throw new Error(`no metadata at ${this.metadataUrl}`);
  }

  /** One request; `{ status, headers, text, json }`, `json` undefined when the body is none. */
  async send(url, init = {}) {
    const answer = await fetch(url, { redirect: "manual", ...init });
    const text = await answer.text();
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      // json stays undefined
    }
    return { url: new URL(url), status: answer.status, headers: answer.headers, text, json };
  }

  /** A form to an endpoint of the metadata, such as `token_endpoint`, with what proves the client. */
  async post(endpoint, fields, { client, headers = {} } = {}) {
    const proof = proofOf(client);
    const body = encoded({ ...proof.fields, ...fields }).toString();
    const url = need(this.metadata[endpoint], `${endpoint} in the metadata`);
    const answer = await this.send(url, { method: "POST", body, headers: { "content-type": FORM, ...proof.headers, ...headers } });
    if (endpoint === "token_endpoint") this.#note(answer);
    return answer;
  }

  #note(answer) {
    if (answer.status >= 400) this.errors.push(answer);
    for (const name of ["access_token", "refresh_token"]) if (answer.json?.[name]) this.tokensSeen.push(String(answer.json[name]));
  }

  /** Some client: the public one if there is one. */
  get any() {
    return this.clients.public ?? this.clients.confidential ?? this.clients.second ?? this.clients.native;
  }

  get confidential() {
    return need(this.clients.confidential ?? this.clients.second, "a confidential client");
  }

  /** A client other than this one. */
  other(client) {
    const { second, confidential, public: open } = this.clients;
    return need([second, confidential, open].find((one) => one && one.id !== client.id), "a second client");
  }

  authorizeUrl(client, parameters = {}) {
    const usual = { response_type: "code", client_id: client.id, redirect_uri: client.redirectUri, scope: this.scope, state: "s" };
    const query = encoded({ ...usual, code_challenge_method: parameters.code_challenge ? "S256" : null, ...this.extra, ...parameters });
    const url = new URL(this.metadata.authorization_endpoint);
    for (const [name, value] of query) url.searchParams.append(name, value);
    return url.href;
  }

  /** A PKCE pair's challenge in the request unless the parameters say otherwise; gives the way with its `verifier`. */
  async request(client, parameters = {}, options = {}) {
    const pair = pkce();
    const all = { code_challenge: pair.challenge, ...parameters };
    const redirectUri = typeof all.redirect_uri === "string" ? all.redirect_uri : client.redirectUri;
    const way = await this.ask(this.authorizeUrl(client, all), { redirectUri, ...options });
    return { ...way, verifier: pair.verifier, redirectUri: all.redirect_uri === null ? undefined : redirectUri };
  }

  /** A code, with what its exchange needs. */
  async grant(client, parameters, options) {
    const way = await this.request(client, { state: randomBytes(8).toString("hex"), ...parameters }, options);
    const code = way.location?.searchParams.get("code");
    assert.ok(code, `no code was given: ${described(way)}`);
    this.codes.push(code);
    return { ...way, code };
  }

  redeem(client, granted, changes = {}, options = {}) {
    const fields = { grant_type: "authorization_code", code: granted.code, redirect_uri: granted.redirectUri, code_verifier: granted.verifier };
    return this.post("token_endpoint", { ...fields, ...changes }, { client, ...options });
  }

  /** Tokens of a grant of their own. */
  async tokens(client, parameters) {
    const granted = await this.grant(client, parameters);
    const answer = await this.redeem(client, granted);
    assert.equal(answer.status, 200, `the exchange was refused: ${brief(answer)}`);
    return { ...answer.json, granted, answer };
  }

  /** The same with a refresh token in it. */
  async refreshable(client, parameters) {
    const held = await this.tokens(client, parameters);
    return held.refresh_token ? held : skip("no refresh token is issued");
  }

  refresh(client, token, changes = {}) {
    return this.post("token_endpoint", { grant_type: "refresh_token", refresh_token: token, ...changes }, { client });
  }

  revoke(client, token, changes = {}) {
    if (!this.metadata.revocation_endpoint) skip("not offered: no revocation_endpoint in the metadata");
    return this.post("revocation_endpoint", { token, ...changes }, { client });
  }

  introspect(token, changes = {}, client = this.introspector) {
    if (!this.metadata.introspection_endpoint) skip("not offered: no introspection_endpoint in the metadata");
    need(client, "a client that may introspect");
    return this.post("introspection_endpoint", { token, ...changes }, { client });
  }

  /** A call of the API. */
  call(token, { headers = {}, query = "", ...init } = {}) {
    need(this.resource, "the address of an API that takes the tokens");
    const given = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return this.send(`${this.resource}${query}`, { ...init, headers: { ...given, ...headers } });
  }

  /** Whether an access token works, at the API or else by introspection. */
  async alive(token) {
    if (this.resource) return (await this.call(token)).status === 200;
    return (await this.introspect(token)).json?.active === true;
  }

  /** Whether a token can be tried at all. */
  get triable() {
    return this.resource || (this.introspector && this.metadata.introspection_endpoint);
  }

  /** Runs it once for all checks that look at the same. */
  once(name, run) {
    if (!this.#memory.has(name)) this.#memory.set(name, run());
    return this.#memory.get(name);
  }
}

const hidden = (name, value) => (/_token$|^code$/.test(name) ? "…" : value);

/** An answer in few words and without what is secret. */
export function brief({ status, json, text }) {
  const words = json ? JSON.stringify(json, hidden) : text.replace(/<[^>]*>|\s+/g, " ");
  return `HTTP ${status} ${words.trim().slice(0, 160)}`;
}

/** A parameter of a redirect, in the query or (of other response types) in the fragment. */
export const parameter = (location, name) => location.searchParams.get(name) ?? new URLSearchParams(location.hash.slice(1)).get(name);

/** Where a way ended, in few words and without what is secret. */
export function described({ location, page }) {
  if (!location) return page ? brief(page) : "nothing came back";
  const error = parameter(location, "error");
  const brought = parameter(location, "code") ? " with a code" : error ? ` with error=${error}` : "";
  return `sent to ${location.protocol}//${location.host}${location.pathname}${brought}`;
}
