// The server that this app belongs to: here the one that served the page. An app of yours has these settings as constants.
import { createSession, discover } from "pkce-wasm";

const issuer = location.origin;

/** The session, and the address of the API that says whose token it is. */
export async function connect() {
  const [settings, platform, metadata] = await Promise.all([
    discover(issuer),
    read("/__dev/platform"), // a development server says which platform it plays; that is no part of OAuth
    read("/.well-known/oauth-authorization-server"),
  ]);
  const session = createSession({
    ...settings,
    clientId: "demo-spa",
    redirectUri: `${issuer}/react/`,
    scope: metadata.scopes_supported.slice(0, 4).join(" "),
  });
  return { session, me: { path: platform.me.path, method: platform.me.methods[0] } };
}

async function read(path) {
  const response = await fetch(path);
  return response.json();
}
