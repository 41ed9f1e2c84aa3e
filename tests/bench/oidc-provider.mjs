// npm oidc-provider in a process of its own, with its adapter in memory: introspection of an opaque access token.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

for (const name of ["info", "warn"]) console[name] = () => {}; // it says what it is not made for in development

const CLIENT = { client_id: "bench", client_secret: "the-secret-of-the-bench-client" };
const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{ ...CLIENT, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] }],
  ttl: { ClientCredentials: 86_400 },
  features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true }, introspection: { enabled: true } },
});
server.on("request", provider.callback());
process.on("disconnect", () => process.exit(0));

const body = new URLSearchParams({ grant_type: "client_credentials", ...CLIENT });
const answer = await (await fetch(`${issuer}/token`, { method: "POST", body })).json();
const asked = new URLSearchParams({ token: answer.access_token, ...CLIENT }).toString();
process.send({ url: `${issuer}/token/introspection`, body: asked });
