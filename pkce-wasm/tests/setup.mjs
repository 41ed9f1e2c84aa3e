// One server, one client and one storage for each test.
import { afterEach, beforeEach } from "node:test";
import { PkceError, startLogin } from "../dist/index.js";
import { MemoryStorage, startServer } from "./server.mjs";

export const REDIRECT_URI = "https://app.example/callback";

/** What the test that runs works with; made anew for each. */
export const world = {};

beforeEach(async () => {
  world.server = await startServer();
  world.storage = new MemoryStorage();
  world.config = {
    issuer: world.server.origin,
    clientId: "demo-spa",
    redirectUri: REDIRECT_URI,
    authorizationEndpoint: `${world.server.origin}/authorize`,
    tokenEndpoint: `${world.server.origin}/token`,
    revocationEndpoint: `${world.server.origin}/revoke`,
    scope: "account:read",
    storage: world.storage,
  };
});

afterEach(() => world.server.close());

/** Starts a login and gives the parameters of its request. */
export function login(options = {}, config = world.config) {
  let sent;
  startLogin(config, { ...options, navigate: (url) => (sent = new URL(url)) });
  return sent.searchParams;
}

/** The URL of an answer to a login. */
export function answerTo(request, parameters = { code: "the-code" }) {
  const query = { state: request.get("state"), iss: world.config.issuer, ...parameters };
  const present = Object.entries(query).filter(([, value]) => value !== undefined);
  return `${REDIRECT_URI}?${new URLSearchParams(present)}`;
}

/** For `assert.throws` and `assert.rejects`: a PkceError with these properties. */
export function pkceError(code, properties = {}) {
  return (error) => {
    const wrong = Object.entries({ code, ...properties }).filter(([name, value]) => error[name] !== value);
    if (error instanceof PkceError && wrong.length === 0) return true;
    throw error;
  };
}
