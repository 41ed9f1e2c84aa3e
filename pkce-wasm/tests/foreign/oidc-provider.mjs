// npm oidc-provider on loopback with its own pages and defaults, under a path: its metadata is found by OpenID Connect
// discovery only, as with many servers whose issuer has a path.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import { Provider } from "oidc-provider";

const PATH = "/oidc";

function quietly(work) {
  const saved = ["info", "warn"].map((name) => [name, console[name]]);
  for (const [name] of saved) console[name] = () => {}; // it says what it is not made for in development
  try {
    return work();
  } finally {
    for (const [name, value] of saved) console[name] = value;
  }
}

/** With `dpop` the client's tokens must be bound and every proof needs a nonce. */
export async function startOidcProvider({ redirectUri, dpop = false }) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  const issuer = origin + PATH;
  const provider = quietly(
    () =>
      new Provider(issuer, {
        clients: [
          {
            client_id: "the-app",
            token_endpoint_auth_method: "none",
            application_type: "native", // so that http redirects on loopback are allowed
            redirect_uris: [redirectUri],
            grant_types: ["authorization_code", "refresh_token"],
            dpop_bound_access_tokens: dpop,
          },
        ],
        // What it would complain about otherwise.
        ttl: {
          AccessToken: 600,
          AuthorizationCode: 60,
          Grant: 600,
          IdToken: 600,
          Interaction: 600,
          RefreshToken: 600,
          Session: 600,
        },
        features: {
          revocation: { enabled: true },
          dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => dpop },
        },
      }),
  );
  const answer = quietly(() => provider.callback());
  const requests = [];
  server.on("request", (request, response) => {
    requests.push({ method: request.method, path: request.url.split("?")[0], headers: request.headers });
    if (!request.url.startsWith(`${PATH}/`)) return response.writeHead(404).end();
    request.originalUrl = request.url;
    request.url = request.url.slice(PATH.length);
    return answer(request, response);
  });
  return {
    issuer,
    clientId: "the-app",
    scope: "openid offline_access",
    prompt: "consent", // OpenID Connect Core §11 asks for it with offline_access
    api: `${issuer}/me`,
    requests,
    async pass(page) {
      await page.fill("[name=login]", "alice");
      await page.fill("[name=password]", "anything");
      await page.click("[type=submit]");
      await page.click("button:has-text('Continue')");
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
