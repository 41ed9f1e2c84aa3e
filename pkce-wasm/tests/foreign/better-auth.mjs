// better-auth with its OAuth provider plugin on node:http, the tables in memory. The pages for signing in and for
// consent are the app's own with it; these are the smallest that do.
import { once } from "node:events";
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { oauthProvider } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";

const BASE = "/api/auth";
const PERSON = { email: "alice@example.com", password: "correct horse battery", name: "Alice" };

// Posts what is filled in, with the signed query of this page, and goes where the answer says.
const PAGE = (path, fields) => `<!doctype html><title>Account</title>
<form>${fields}<button>Continue</button></form>
<script>
  document.querySelector("form").onsubmit = async (event) => {
    event.preventDefault();
    const body = { ...Object.fromEntries(new FormData(event.target)), oauth_query: location.search.slice(1) };
    if (body.accept) body.accept = true;
    const headers = { "content-type": "application/json" };
    const answer = await fetch("${BASE}${path}", { method: "POST", headers, body: JSON.stringify(body) });
    const { url, redirect_uri } = await answer.json();
    location.assign(url ?? redirect_uri);
  };
</script>`;

const PAGES = {
  "/login": PAGE("/sign-in/email", '<input name="email"><input name="password" type="password">'),
  "/consent": PAGE("/oauth2/consent", '<input name="accept" type="hidden" value="1">'),
};

// better-auth leaves CORS to the server around it. Nothing but what the client must be allowed.
function allow(appOrigin, headers, request, response) {
  if (request.headers.origin !== appOrigin) return false;
  response.setHeader("access-control-allow-origin", appOrigin);
  response.setHeader("vary", "origin");
  if (request.method !== "OPTIONS") return false;
  response.writeHead(204, { "access-control-allow-headers": headers }).end();
  return true;
}

export async function startBetterAuth({ redirectUri, dpop = false }) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  const issuer = origin + BASE;
  const options = {
    baseURL: origin,
    basePath: BASE,
    secret: "a secret that only this test server knows",
    database: new DatabaseSync(":memory:"),
    emailAndPassword: { enabled: true },
    disabledPaths: ["/token"],
    plugins: [jwt(), oauthProvider({ loginPage: "/login", consentPage: "/consent" })],
  };
  await (await getMigrations(options)).runMigrations();
  const auth = betterAuth(options);
  const { headers } = await auth.api.signUpEmail({ body: PERSON, returnHeaders: true });
  const client = await auth.api.adminCreateOAuthClient({
    headers: { cookie: headers.getSetCookie().map((line) => line.split(";")[0]).join("; ") },
    body: {
      client_name: "The app",
      application_type: "native", // so that a redirect to http on loopback is allowed
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      scope: "openid profile offline_access",
      dpop_bound_access_tokens: dpop,
    },
  });
  const answer = toNodeHandler(auth);
  server.on("request", (request, response) => {
    const headers = dpop ? "authorization, dpop" : "authorization";
    const html = PAGES[request.url.split("?")[0]];
    if (html) return response.writeHead(200, { "content-type": "text/html" }).end(html);
    if (allow(new URL(redirectUri).origin, headers, request, response)) return undefined;
    return answer(request, response);
  });
  return {
    issuer,
    clientId: client.client_id,
    scope: "openid profile offline_access",
    api: `${issuer}/oauth2/userinfo`,
    async pass(page) {
      await page.fill("[name=email]", PERSON.email);
      await page.fill("[name=password]", PERSON.password);
      await page.click("button");
      await page.waitForURL("**/consent?*");
      await page.click("button");
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
