// @cloudflare/workers-oauth-provider as its README sets it up for one Worker, in the same workerd. `/authorize` allows at
// once: `GET /authorize?…&user=…` is answered with the code. `/page` and `/allow` are the same in two requests, as with a page
// between: there the request is looked at and the app looked up, here it comes back with the form.
import { OAuthProvider } from "@cloudflare/workers-oauth-provider";

const api = { fetch: (_, __, ctx) => Response.json({ account: ctx.props.account }) };

const pages = {
  async fetch(request, env) {
    const helpers = env.OAUTH_PROVIDER;
    const url = new URL(request.url);
    if (url.pathname === "/client") {
      const redirectUris = ["https://app.example/callback"];
      return Response.json(await helpers.createClient({ clientName: "Bench", redirectUris, tokenEndpointAuthMethod: "client_secret_post" }));
    }
    if (!["/authorize", "/page", "/allow"].includes(url.pathname)) return new Response("hello");
    const asked = url.pathname === "/allow" ? await request.json() : await helpers.parseAuthRequest(request);
    if (url.pathname === "/page") {
      await helpers.lookupClient(asked.clientId);
      return Response.json(asked);
    }
    const user = url.searchParams.get("user");
    const { redirectTo } = await helpers.completeAuthorization({
      request: asked,
      userId: user,
      metadata: {},
      scope: asked.scope,
      props: { account: { id: user, name: "Salon" } },
      revokeExistingGrants: false,
    });
    return new Response(redirectTo);
  },
};

let provider;
/** Made for the address that it is asked at first. */
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
