// npm oidc-provider on Node with its adapter in memory and its pages for development; revocation and introspection switched
// on, and the scopes that refresh tokens need.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import { Target } from "../target.mjs";
import { Visitor } from "../visitor.mjs";

const REDIRECT = "https://app.example/callback";
const CLIENTS = {
  public: { client_id: "public", token_endpoint_auth_method: "none" },
  confidential: { client_id: "confidential", token_endpoint_auth_method: "client_secret_basic" },
  second: { client_id: "second", token_endpoint_auth_method: "client_secret_post" },
  native: { client_id: "native", token_endpoint_auth_method: "none", application_type: "native", redirect_uris: ["http://127.0.0.1/callback"] },
};

function forms({ forms: all, html }, decision) {
  if (decision === "deny") {
    const abort = html.match(/href="([^"]*\/abort)"/)?.[1];
    return abort && { form: { action: abort, method: "get", data: () => "" }, consent: true };
  }
  const [form] = all;
  const login = form.values("login").length > 0;
  return { form, fill: login ? { login: "somebody", password: "any" } : {}, consent: !login };
}

/** Starts it; `stop` ends it. */
export async function oidcProvider() {
  const listener = createServer();
  await new Promise((done) => listener.listen(0, "127.0.0.1", done));
  const issuer = `http://127.0.0.1:${listener.address().port}`;
  const secret = (method) => (method === "none" ? undefined : "the-secret-of-a-conformance-client");
  const quiet = ["info", "warn"].map((name) => [name, console[name]]);
  for (const [name] of quiet) console[name] = () => {}; // it says that its pages are for development
  const provider = new Provider(issuer, {
    clients: Object.values(CLIENTS).map((client) => ({
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [REDIRECT],
      client_secret: secret(client.token_endpoint_auth_method),
      ...client,
    })),
    claims: { openid: ["sub"], email: ["email"] },
    // What it would complain about otherwise.
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 86_400, IdToken: 3600, Interaction: 600, RefreshToken: 86_400, Session: 86_400 },
    features: { revocation: { enabled: true }, introspection: { enabled: true } },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  });
  listener.on("request", provider.callback());
  const restore = () => quiet.forEach(([name, value]) => (console[name] = value));
  const person = () => new Visitor(issuer, forms);
  const clients = Object.fromEntries(
    Object.entries(CLIENTS).map(([name, { client_id: id, token_endpoint_auth_method: method, redirect_uris: [redirectUri] = [REDIRECT] }]) => [
      name,
      { id, method, redirectUri, secret: secret(method) },
    ]),
  );
  const { version } = JSON.parse(readFileSync(new URL("../../../node_modules/oidc-provider/package.json", import.meta.url), "utf8"));
  const target = new Target({
    name: "oidc-provider",
    version,
    issuer,
    ownPage: () => false,
    scope: "openid offline_access email",
    narrowScope: "openid offline_access",
    extra: { prompt: "consent" }, // without it it gives no refresh token (OpenID Connect Core §11)
    resource: `${issuer}/me`,
    introspector: clients.confidential,
    newPerson: person,
    ask: (url, { person: who = person(), ...way }) => who.walk(url, way),
    clients,
  });
  const stop = () => {
    restore();
    listener.closeAllConnections();
    return new Promise((done) => listener.close(done));
  };
  return { target: await target.discover(), stop };
}
