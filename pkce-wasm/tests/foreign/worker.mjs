// The Worker around @cloudflare/workers-oauth-provider: an API, the page that asks for consent, and the one client.
import { OAuthProvider } from "@cloudflare/workers-oauth-provider";

const api = { fetch: (_, __, ctx) => Response.json({ sub: ctx.props.sub }) };

const CONSENT = '<!doctype html><title>Account</title><form method="post"><button>Allow</button></form>';

const pages = {
  async fetch(request, env) {
    const helpers = env.OAUTH_PROVIDER;
    const { pathname } = new URL(request.url);
    if (pathname === "/client") {
      const redirectUris = [env.REDIRECT_URI];
      return Response.json(
        await helpers.createClient({ clientName: "The app", redirectUris, tokenEndpointAuthMethod: "none" }),
      );
    }
    if (pathname !== "/authorize") return new Response("nothing here", { status: 404 });
    const asked = await helpers.parseAuthRequest(new Request(request.url));
    if (request.method === "GET") return new Response(CONSENT, { headers: { "content-type": "text/html" } });
    const { redirectTo } = await helpers.completeAuthorization({
      request: asked,
      userId: "alice",
      metadata: {},
      scope: asked.scope,
      props: { sub: "alice" },
    });
    return Response.redirect(redirectTo, 303);
  },
};

let provider;
const made = (origin) =>
  new OAuthProvider({
    apiRoute: "/api/",
    apiHandler: api,
    defaultHandler: pages,
    authorizeEndpoint: "/authorize",
    tokenEndpoint: "/token",
    scopesSupported: ["bookings:read"],
    resourceMetadata: { resource: `${origin}/api/`, authorization_servers: [origin] },
  });

export default {
  fetch(request, env, ctx) {
    provider ??= made(new URL(request.url).origin);
    return provider.fetch(request, env, ctx);
  },
};
