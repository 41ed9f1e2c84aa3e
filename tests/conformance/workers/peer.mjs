// An authorization server on @cloudflare/workers-oauth-provider: its consent page as docs/consent-page.md of the package
// writes it, behind a sign-in that believes what is typed.
import { AuthorizationError, OAuthProvider } from "@cloudflare/workers-oauth-provider";

const SCOPES = ["account:read", "bookings:read"];
const escape = (value) => value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
const html = (body, headers = new Headers(), status = 200) => {
  headers.set("content-type", "text/html; charset=utf-8");
  return new Response(`<!doctype html><meta charset="utf-8"><title>Peer</title>${body}`, { status, headers });
};

const api = { fetch: (_, __, ctx) => Response.json({ user: ctx.props.user }) };

const userOf = (request) => request.headers.get("cookie")?.match(/(?:^|;\s*)user=([\w-]+)/)?.[1];

async function signIn(request) {
  const form = await request.formData();
  const back = new URL(String(form.get("back")), request.url);
  const headers = { location: `${back.pathname}${back.search}`, "set-cookie": `user=${form.get("login")}; Path=/; HttpOnly; SameSite=Lax` };
  return new Response(null, { status: 303, headers });
}

function consentPage(details, handle) {
  const boxes = details.scope.map((scope) => `<input type="checkbox" name="scope" value="${escape(scope)}" checked> ${escape(scope)}`);
  return `<h1>Allow ${escape(details.clientName)}?</h1><p>To ${escape(details.redirectHost)}</p><form method="post">
<input type="hidden" name="handle" value="${escape(handle)}">${boxes.join("")}
<button name="decision" value="approve">Allow</button><button name="decision" value="deny">Deny</button></form>`;
}

async function show(request, oauth) {
  const url = new URL(request.url);
  if (!userOf(request)) {
    return html(`<form method="post" action="/login"><input type="hidden" name="back" value="${escape(url.pathname + url.search)}"><input name="login"></form>`);
  }
  const asked = await oauth.parseAuthRequest(request);
  const details = await oauth.describeConsent(asked);
  const consent = await oauth.beginConsent(asked);
  return html(consentPage(details, consent.handle), consent.headers);
}

async function decide(request, oauth) {
  const form = await request.formData();
  const handle = String(form.get("handle"));
  if (form.get("decision") !== "approve") {
    const denied = await oauth.denyConsent(request, handle);
    return new Response(null, { status: 302, headers: denied.headers });
  }
  const approved = await oauth.approveConsent(request, handle, { scope: form.getAll("scope").map(String) });
  const user = userOf(request);
  if (!user) return html("<p>Sign in first.</p>", new Headers(), 403);
  const { scope } = approved.request;
  const { redirectTo } = await oauth.completeAuthorization({ request: approved.request, userId: user, metadata: {}, scope, props: { user } });
  approved.headers.set("location", redirectTo);
  return new Response(null, { status: 302, headers: approved.headers });
}

const pages = {
  async fetch(request, env) {
    const oauth = env.OAUTH_PROVIDER;
    const { pathname } = new URL(request.url);
    if (pathname === "/client") return Response.json(await oauth.createClient({ clientName: "App", ...(await request.json()) }));
    if (pathname === "/login") return signIn(request);
    if (pathname !== "/authorize") return new Response("Not found", { status: 404 });
    try {
      return await (request.method === "POST" ? decide(request, oauth) : show(request, oauth));
    } catch (error) {
      if (!(error instanceof AuthorizationError)) throw error;
      if (error.redirectTo) return Response.redirect(error.redirectTo, 302);
      return new Response(escape(error.description), { status: 400, headers: { "content-type": "text/plain; charset=utf-8" } });
    }
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
    scopesSupported: SCOPES,
    resourceMetadata: { resource: `${origin}/api/`, authorization_servers: [origin] },
  });

export default {
  fetch(request, env, ctx) {
    provider ??= made(new URL(request.url).origin);
    return provider.fetch(request, env, ctx);
  },
};
