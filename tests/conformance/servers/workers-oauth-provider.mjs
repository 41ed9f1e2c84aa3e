// @cloudflare/workers-oauth-provider in a Worker of its own on the workerd of a server that is started anyway.
import { readFileSync } from "node:fs";
import { Target } from "../target.mjs";
import { Visitor } from "../visitor.mjs";

export const WORKER = { name: "peer", script: "conformance/workers/peer.mjs", platform: { kvNamespaces: { OAUTH_KV: "peer" } } };

/** A new user at each sign-in: a new grant ends those of the same user and app before it. */
let users = 0;
function forms({ forms: all }, decision) {
  const [form] = all;
  if (form.values("login").length > 0) return { form, fill: { login: `user-${String((users += 1)).padStart(4, "0")}` } };
  const scope = form.values("scope");
  return { form, fill: scope.length ? { scope } : {}, button: { decision: decision === "allow" ? "approve" : "deny" }, consent: true };
}

export async function workersOauthProvider(server) {
  const issuer = server.workers.peer;
  const client = async (tokenEndpointAuthMethod, redirectUri = "https://app.example/callback") => {
    const answer = await fetch(`${issuer}/client`, { method: "POST", body: JSON.stringify({ redirectUris: [redirectUri], tokenEndpointAuthMethod }) });
    const { clientId: id, clientSecret: secret } = await answer.json();
    return { id, secret, redirectUri, method: tokenEndpointAuthMethod };
  };
  const person = () => new Visitor(issuer, forms);
  const { version } = JSON.parse(readFileSync(new URL("../../../node_modules/@cloudflare/workers-oauth-provider/package.json", import.meta.url), "utf8"));
  const target = new Target({
    name: "workers-oauth-provider",
    version,
    issuer,
    scope: "account:read bookings:read",
    narrowScope: "account:read",
    resource: `${issuer}/api/me`,
    ownPage: ({ text }) => text.includes('name="handle"'), // with the headers of beginConsent()
    newPerson: person,
    ask: (url, { person: who = person(), ...way }) => who.walk(url, way),
    clients: {
      public: await client("none"),
      confidential: await client("client_secret_basic"),
      second: await client("client_secret_post"),
      native: await client("none", "http://127.0.0.1/callback"),
    },
  });
  return target.discover();
}
