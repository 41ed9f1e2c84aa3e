// Edgegrant as it is deployed, from nobody being there to an app with tokens, and what is measured of it.
import { randomBytes } from "node:crypto";
import { authorize, Browser, connect } from "../harness/client.mjs";
import { elements, text } from "../harness/html.mjs";
import { addSecret, fillIn, formTo, registered, sendForm } from "../harness/portal.mjs";
import { startServer } from "../harness/server.mjs";

const key = () => randomBytes(32).toString("base64url");
export const [EMAIL, PASSWORD] = ["first@deployment.example", "twelve-chars"];
/** Codes are exchanged for all but the first of them: a grant keeps so many families, and the oldest make room. */
export const ACCOUNTS = Array.from({ length: 17 }, (_, n) => String(n).padStart(32, "a"));
const HIGH = { limit: 1_000_000, window_s: 60 };
/** No limit is reached: what refuses is not what is measured. */
export const scope = "bookings:read";
const rules = [{ methods: ["GET"], path: "/api/v1/bookings", scopes: [scope] }];
const POLICY = { api: { rate: HIGH }, refresh: { rate: HIGH }, unproven: { rate: HIGH }, gateway: { rules } };
/** The same with the limit of calls that a deployment has: counting calls is a part of what they cost. */
export const COUNTED_POLICY = { ...POLICY, api: {} };
/** As Cloudflare names each request. */
const RAY = { "cf-ray": "8f0a1b2c3d4e5f60-LHR" };

/** The Worker of a build, straight from workerd, with the Workers that it is measured beside. */
export function started(variant, workers = [], { policy = POLICY, ...options } = {}) {
  const secrets = { EDGE_KEYS: `1:${key()}`, HASH_KEYS: `1:${key()}`, SEAL_KEYS: `1:${key()}`, DATA_KEYS: `1:${key()}`, GATEWAY_KEYS: `1:${key()}` };
  const vars = { ...secrets, GRANT_ID_KEY: key(), SETUP_TOKEN: key(), POLICY: JSON.stringify(policy) };
  return startServer({ variant, seed: false, bare: true, vars, workers, services: { API: "api" }, ...options });
}

/** Sets up, signs in, registers an app and has it approved, which takes seconds, unless the policy needs no review. */
export async function appOf(server, { approve = true } = {}) {
  const browser = new Browser(server);
  const token = server.options.vars.SETUP_TOKEN;
  await fillIn(browser, "/admin/setup", { token, email: EMAIL, password: PASSWORD });
  await browser.signIn(EMAIL, PASSWORD);
  for (const account of ACCOUNTS) {
    await server.sql("INSERT INTO accounts (id, name, created_at) VALUES (?, 'Salon', 0)", account);
    await server.sql("INSERT INTO members (account_id, user_id, role) SELECT ?, id, 'owner' FROM users", account);
  }
  const app = await registered(browser, { account: ACCOUNTS[0] });
  app.secret = await addSecret(browser, app);
  if (!approve) return { browser, app };
  const version = formTo(await browser.page(app.admin), `${app.admin}/approve`).values("version")[0];
  await sendForm(browser, `${app.admin}/approve`, { version });
  return { browser, app };
}

/** A resource server, registered by staff. */
export async function resourceServer(browser) {
  const fields = { name: "API", resource: "https://api.example.com", scopes: [scope] };
  const page = await sendForm(browser, "/admin/resource-servers/new", fields);
  const [client_id, client_secret] = [...elements(page.tree, "code")].map(text);
  return { client_id, client_secret };
}

/** What is measured of one build: see subjects.mjs for the members. */
export async function edgegrant(server, { connections }) {
  const { browser, app } = await appOf(server);
  const [account, ...others] = ACCOUNTS;
  const held = await connect(server, browser, app, { scope, account });
  let codes = 0;
  const resource = await resourceServer(browser);
  const at = (path) => new URL(path, server.issuer).href;
  const [token, api] = [at("/oauth/token"), at("/api/v1/me")];
  const headers = { ...RAY, authorization: `Bearer ${held.access_token}` };
  const client = { client_id: app.id, client_secret: app.secret };
  const subject = (name, rest) => ({ name, group: "Edgegrant", ...rest });
  return [
    subject("check: GET /api/v1/me", { kind: "check", url: api, headers }),
    subject("check: service binding", { kind: "check", url: server.workers.caller, headers }),
    subject("check: introspection", {
      kind: "check",
      url: at("/oauth/introspect"),
      headers: RAY,
      form: { token: held.access_token, count: "true", ...resource },
    }),
    subject("check: gateway, to a Worker behind it", { kind: "check", url: at("/api/v1/bookings"), headers }),
    subject("garbage token", { url: api, headers: { ...RAY, authorization: `Bearer eg_at_${"A".repeat(92)}` }, status: 401 }),
    subject("metadata, nothing asked", { url: at("/.well-known/oauth-authorization-server"), headers: RAY }),
    subject("refresh", {
      kind: "refresh",
      url: token,
      headers: RAY,
      // As many families as connections: each request uses the token that an earlier one brought.
      pool: () => several(connections, async () => (await connect(server, browser, app, { scope, account })).refresh_token),
      formOf: (refresh_token) => ({ grant_type: "refresh_token", refresh_token, ...client }),
      next: (answer) => answer.refresh_token,
    }),
    subject("exchange of a code", {
      kind: "exchange",
      url: token,
      headers: RAY,
      pool: (count) => several(count, () => authorize(browser, app, { scope, account: others[(codes += 1) % others.length] })),
      once: true,
      formOf: ({ code, verifier }) => ({
        grant_type: "authorization_code",
        code,
        code_verifier: verifier,
        redirect_uri: app.redirectUri,
        ...client,
      }),
    }),
  ];
}

/** So many results, a few at a time. */
export async function several(count, make) {
  const made = [];
  let left = count;
  const one = async () => {
    while (left-- > 0) made.push(await make());
  };
  await Promise.all(Array.from({ length: 4 }, one));
  return made;
}
