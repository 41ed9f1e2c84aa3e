// Identity providers on loopback: a real one (oidc-provider, with its pages for development), and one that sends what a
// test tells it to.
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Provider } from "oidc-provider";
import { page } from "./html.mjs";

/** Listens on a free port of 127.0.0.1; `handler` may be set later. */
async function listen() {
  const listener = { handler: (_, response) => response.writeHead(503).end(), asked: [] };
  const server = createServer((request, response) => {
    listener.asked.push(request.url.split("?")[0]);
    listener.handler(request, response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  listener.issuer = `http://127.0.0.1:${server.address().port}`;
  listener.close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return listener;
}

/** How often a path of a provider was asked for. */
export const count = (provider, path) => provider.asked.filter((asked) => asked === path).length;

const CLIENT_SECRET = "the-secret-of-edgegrant-at-the-provider";

const logoutPage = (form) => `<!doctype html><title>Sign out</title>${form}<button form="op.logoutForm" name="logout" value="yes">Yes</button>`;

/** The entry of OIDC_PROVIDERS for a provider of this harness. */
export const configured = (id, provider, changes = {}) => ({
  id,
  name: `${id[0].toUpperCase()}${id.slice(1)} Accounts`,
  issuer: provider.issuer,
  client_id: "edgegrant",
  client_secret: CLIENT_SECRET,
  claims: { accounts: "accounts", staff: { claim: "groups", value: "edgegrant-staff" } },
  ...changes,
});

/**
 * A real provider. `people` maps what is typed as login, which becomes `sub`, to further claims; `serve` comes once the
 * address of the Worker is known.
 */
export async function realProvider() {
  const listener = await listen();
  const people = new Map();
  const serve = (origin, id) => {
    const quiet = ["info", "warn"].map((name) => [name, console[name]]);
    for (const [name] of quiet) console[name] = () => {}; // it says that its pages are for development
    const provider = new Provider(listener.issuer, {
      clients: [
        {
          client_id: "edgegrant",
          client_secret: CLIENT_SECRET,
          redirect_uris: [`${origin}/login/${id}/callback`],
          post_logout_redirect_uris: [`${origin}/login`],
        },
      ],
      claims: { openid: ["sub"], email: ["email"], profile: ["name", "accounts", "groups"] },
      conformIdTokenClaims: false,
      // What it would complain about otherwise.
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      features: { rpInitiatedLogout: { enabled: true, logoutSource: (context, form) => (context.body = logoutPage(form)) } },
      pkce: { required: () => true },
      findAccount: (_, sub) => people.has(sub) && { accountId: sub, claims: () => ({ sub, ...people.get(sub) }) },
    });
    listener.handler = provider.callback();
    for (const [name, value] of quiet) console[name] = value;
  };
  return { ...listener, people, serve };
}

/** A browser at a provider: goes where it is sent and fills in the forms, until an address of another origin comes. */
export class ProviderBrowser {
  cookies = new Map();

  constructor(issuer) {
    this.issuer = issuer;
  }

  async fetch(address, init = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(address, { redirect: "manual", ...init, headers: { cookie, ...init.headers } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (value) this.cookies.set(name, value);
      else this.cookies.delete(name);
    }
    return answer;
  }

  /** From an address of the provider to the address elsewhere that it ends at. */
  async go(address, login) {
    let answer = await this.fetch(address);
    for (let steps = 0; steps < 20; steps++) {
      const location = answer.headers.get("location");
      if (location) {
        const next = new URL(location, this.issuer);
        if (next.origin !== this.issuer) return next;
        answer = await this.fetch(next);
        continue;
      }
      const text = await answer.text();
      const [form] = page(text).forms;
      if (!form) throw new Error(`HTTP ${answer.status}: ${page(text).text}`);
      const fill = form.values("login").length ? { login, password: "any" } : {};
      const body = form.data(fill);
      if (form.action.includes("/session/end")) body.set("logout", "yes"); // the button stands outside of the form
      answer = await this.fetch(new URL(form.action, this.issuer), { method: "POST", body });
    }
    throw new Error("the provider goes round in circles");
  }
}

/** A provider whose every word a test decides: `provider.claims`, `provider.makeToken`, `provider.metadata`, `provider.handle`. */
export async function hostileProvider(metadata = {}) {
  const listener = await listen();
  const { issuer } = listener;
  const [rsa, ec, foreign] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("ES256"), generateKeyPair("RS256")]);
  const jwk = async (key, kid, alg) => ({ ...(await exportJWK(key.publicKey)), kid, alg, use: "sig" });
  const now = () => Math.floor(Date.now() / 1000);
  const provider = Object.assign(listener, {
    keys: { rsa, ec, foreign },
    document: {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      ...metadata,
    },
    published: [await jwk(rsa, "rsa-1", "RS256"), await jwk(ec, "ec-1", "ES256")],
    secret: CLIENT_SECRET,
    now,
    jwk,
    /** Claims on top of the right ones; undefined takes one away. */
    claims: {},
    /** The whole token answer, when it is not the usual one. */
    tokenAnswer: undefined,
    requests: [],
    sign: (claims, header = { alg: "RS256", kid: "rsa-1" }, key = rsa.privateKey) => new SignJWT(claims).setProtectedHeader(header).sign(key),
    makeToken: undefined,
    reset: () => Object.assign(provider, { claims: {}, tokenAnswer: undefined, makeToken: undefined, requests: [] }),
  });
  const send = (response, status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  listener.handler = async (request, response) => {
    const path = request.url.split("?")[0];
    if (provider.handle?.(path, response)) return;
    if (path === "/.well-known/openid-configuration") {
      return send(response, 200, provider.document);
    }
    if (path === "/jwks") return send(response, 200, { keys: provider.published });
    let body = "";
    for await (const chunk of request) body += chunk;
    provider.requests.push({ headers: request.headers, form: new URLSearchParams(body) });
    if (provider.tokenAnswer) return send(response, ...provider.tokenAnswer);
    const usual = { iss: issuer, aud: "edgegrant", sub: "mallory", nonce: provider.nonce, iat: now(), exp: now() + 300 };
    const claims = Object.fromEntries(Object.entries({ ...usual, ...provider.claims }).filter(([, value]) => value !== undefined));
    send(response, 200, { access_token: "at-the-provider", token_type: "Bearer", id_token: await (provider.makeToken ?? provider.sign)(claims) });
  };
  return provider;
}

/** Presses "Continue with …" on the sign-in page; gives the address at the provider. */
export async function begin(browser, id, returnTo) {
  const query = returnTo === undefined ? "" : `?${new URLSearchParams({ return_to: returnTo })}`;
  const login = await browser.page(`/login${query}`);
  const form = login.forms.find((candidate) => candidate.action === `/login/${id}`);
  const answer = await browser.submit(form);
  if (answer.status !== 303) throw Object.assign(new Error(`HTTP ${answer.status}: ${answer.text}`), { answer });
  return new URL(answer.location);
}

/** Whether words stand in a server's log; an answer may be here before what its process has printed. */
export async function logged(server, words) {
  for (const limit = Date.now() + 10_000; !server.log.includes(words) && Date.now() < limit; ) await (await server.fetch("/login")).text();
  return server.log.includes(words);
}

/** The answer of a provider, as it arrives here. */
export const arrive = (browser, id, params) => browser.page(`/login/${id}/callback?${new URLSearchParams(params)}`);
