// What the package costs a page, beside the other clients: every row measured in this one run, with
// the same bundler and the same settings.
//
//   node pkce-wasm/sizes.mjs
//
// Needs pkce-wasm/dist (build.mjs) and the npm packages of the root. Each row does the same work:
// login with PKCE, callback, refresh, revocation; discovery only where the row says so or the library
// cannot do without. Bytes of what the browser downloads, code that nothing calls taken out.
import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transform } from "esbuild";
import { shipped, weigh } from "./build.mjs";
import { BUNDLERS, html } from "./tests/package/bundlers.mjs";
import { project, removeProjects } from "./tests/package/project.mjs";

const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
const versionOf = (name) => createRequire(import.meta.url)(join(MODULES, name, "package.json")).version;

const LOGIN = "startLogin, handleCallback, refresh, revoke";
const some = (names, entry = "pkce-wasm") => `export { ${names} } from "${entry}";`;

const OURS = [
  ["whole", 'export * from "pkce-wasm";'],
  ["login, callback, refresh, revoke", some(LOGIN)],
  ["the same and discover", some(`${LOGIN}, discover`)],
  ["the same and createSession", some(`${LOGIN}, discover, createSession`)],
  ["instead of it createDpop", some(`${LOGIN}, discover, createDpop`)],
];
const CONFIG = `
  const config = {
    issuer: "https://auth.example", clientId: "app", redirectUri: location.origin + "/",
    authorizationEndpoint: "https://auth.example/authorize", tokenEndpoint: "https://auth.example/token",
    revocationEndpoint: "https://auth.example/revoke",
  };`;

// The floor: what people write by hand. It checks state because it looks the verifier up by it, and
// nothing else: no issuer, no age, no error of the server, no lock, no second try.
const BY_HAND = `${CONFIG}
  const encode = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
  const random = () => encode(crypto.getRandomValues(new Uint8Array(32)));
  async function post(url, form) {
    const body = new URLSearchParams({ client_id: config.clientId, ...form });
    const response = await fetch(url, { method: "POST", body });
    if (!response.ok) throw new Error("HTTP " + response.status);
    return response;
  }
  const tokens = async (form) => (await post(config.tokenEndpoint, form)).json();
  export async function startLogin(scope) {
    const [state, verifier] = [random(), random()];
    sessionStorage.setItem(state, verifier);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    const query = new URLSearchParams({
      response_type: "code", client_id: config.clientId, redirect_uri: config.redirectUri, scope, state,
      code_challenge: encode(new Uint8Array(digest)), code_challenge_method: "S256",
    });
    location.assign(config.authorizationEndpoint + "?" + query);
  }
  export async function handleCallback() {
    const query = new URLSearchParams(location.search);
    const code_verifier = sessionStorage.getItem(query.get("state"));
    if (!code_verifier) return null;
    sessionStorage.removeItem(query.get("state"));
    history.replaceState(null, "", location.pathname);
    const code = query.get("code");
    return tokens({ grant_type: "authorization_code", code, code_verifier, redirect_uri: config.redirectUri });
  }
  export const refresh = (refresh_token) => tokens({ grant_type: "refresh_token", refresh_token });
  export const revoke = (token) => post(config.revocationEndpoint, { token });`;

// The same as far as the library goes: storage and navigation are the app's. \`iss\` is checked.
const oauth4webapi = (discovery) => `
  import * as oauth from "oauth4webapi";
  ${CONFIG}
  const client = { client_id: config.clientId };
  const none = oauth.None();
  let server = {
    issuer: config.issuer, authorization_endpoint: config.authorizationEndpoint, token_endpoint: config.tokenEndpoint,
    revocation_endpoint: config.revocationEndpoint, authorization_response_iss_parameter_supported: true,
  };
  ${
    discovery &&
    `export async function discover() {
      const issuer = new URL(config.issuer);
      server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2" }));
    }`
  }
  export async function startLogin(scope) {
    const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
    sessionStorage.setItem(state, verifier);
    const query = new URLSearchParams({
      response_type: "code", client_id: config.clientId, redirect_uri: config.redirectUri, scope, state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    location.assign(server.authorization_endpoint + "?" + query);
  }
  export async function handleCallback() {
    const url = new URL(location.href);
    const state = url.searchParams.get("state");
    const verifier = sessionStorage.getItem(state);
    if (!verifier) return null;
    const answer = oauth.validateAuthResponse(server, client, url, state);
    sessionStorage.removeItem(state);
    history.replaceState(null, "", location.pathname);
    const response = await oauth.authorizationCodeGrantRequest(server, client, none, answer, config.redirectUri, verifier);
    return oauth.processAuthorizationCodeResponse(server, client, response);
  }
  export async function refresh(token) {
    const response = await oauth.refreshTokenGrantRequest(server, client, none, token);
    return oauth.processRefreshTokenResponse(server, client, response);
  }
  export async function revoke(token) {
    return oauth.processRevocationResponse(await oauth.revocationRequest(server, client, none, token));
  }`;

const OIDC_CLIENT = `
  import { UserManager } from "oidc-client-ts";
  const manager = new UserManager({ authority: "https://auth.example", client_id: "app", redirect_uri: location.origin + "/" });
  export const startLogin = (scope) => manager.signinRedirect({ scope });
  export const handleCallback = () => manager.signinRedirectCallback();
  export const refresh = () => manager.signinSilent();
  export const revoke = () => manager.revokeTokens();`;

const AUTH0 = `
  import { Auth0Client } from "@auth0/auth0-spa-js";
  const client = new Auth0Client({ domain: "auth.example", clientId: "app", useRefreshTokens: true });
  export const startLogin = (scope) => client.loginWithRedirect({ authorizationParams: { scope } });
  export const handleCallback = () => client.handleRedirectCallback();
  export const refresh = () => client.getTokenSilently();
  export const revoke = () => client.revokeRefreshToken();`;

// It has no revocation; its logout goes to the server's page.
const MSAL = `
  import { PublicClientApplication } from "@azure/msal-browser";
  const app = new PublicClientApplication({ auth: { clientId: "app", authority: "https://auth.example" } });
  export const startLogin = async (scopes) => (await app.initialize(), app.loginRedirect({ scopes }));
  export const handleCallback = async () => (await app.initialize(), app.handleRedirectPromise());
  export const refresh = (request) => app.acquireTokenSilent(request);
  export const revoke = () => app.logoutRedirect();`;

const OTHERS = [
  ["by hand with WebCrypto, no checks (above)", BY_HAND],
  [`oauth4webapi ${versionOf("oauth4webapi")}`, oauth4webapi("")],
  [`oauth4webapi ${versionOf("oauth4webapi")}, discovery`, oauth4webapi("yes")],
  [`oidc-client-ts ${versionOf("oidc-client-ts")} UserManager, discovery`, OIDC_CLIENT],
  [`@auth0/auth0-spa-js ${versionOf("@auth0/auth0-spa-js")}`, AUTH0],
  [`@azure/msal-browser ${versionOf("@azure/msal-browser")}, discovery`, MSAL],
];

// esbuild --bundle --minify --format=esm --platform=browser --target=es2022
const bundled = async (folder, contents) => weigh(await shipped(contents, folder, [MODULES]));

const sum = (one, other) => Object.fromEntries(Object.keys(one).map((unit) => [unit, one[unit] + other[unit]]));

/** Rows of `{ name, raw, gzip, brotli }` for this package and the others. */
export async function measure() {
  const folder = await project("sizes");
  const wasm = weigh(await readFile(join(folder, "node_modules/pkce-wasm/pkce.wasm")));
  const rows = [];
  for (const [name, source] of OURS) rows.push({ name: `pkce-wasm: ${name}`, ...(await bundled(folder, source)) });
  for (const [name, source] of OURS) {
    const script = await bundled(folder, source.replace("pkce-wasm", "pkce-wasm/slim").replace("{ ", "{ init, "));
    rows.push({ name: `pkce-wasm/slim: ${name}: JavaScript`, ...script });
    rows.push({ name: `pkce-wasm/slim: ${name}: and pkce.wasm`, ...sum(script, wasm) });
  }
  rows.push({ name: "pkce.wasm", ...wasm });
  for (const [name, source] of OURS.slice(0, 3)) {
    rows.push({ name: `pkce-wasm/js: ${name}`, ...(await bundled(folder, source.replace("pkce-wasm", "pkce-wasm/js"))) });
  }
  for (const [name, source] of OTHERS) rows.push({ name, ...(await bundled(folder, source)) });
  return rows;
}

/** The JavaScript of an app that logs in with the default entry, as each bundler builds it by itself. */
export async function measureBundlers() {
  const source = `
    import { ${LOGIN}, discover } from "pkce-wasm";
    Object.assign(window, { ${LOGIN}, discover });`;
  const rows = [];
  for (const [bundler, run] of Object.entries(BUNDLERS)) {
    const page = html('<script type="module" src="/src/index.js"></script>');
    const folder = await project(bundler, { "index.html": page, "src/index.js": source });
    await run(folder);
    const out = join(folder, "dist");
    const names = (await readdir(out, { recursive: true })).filter((file) => file.endsWith(".js"));
    const text = (await Promise.all(names.map((file) => readFile(join(out, file), "utf8")))).join("");
    if (bundler === "rollup") {
      rows.push({ name: "rollup, which does not minify", ...weigh(Buffer.from(text)) });
      const { code } = await transform(text, { minify: true, target: "es2022", format: "esm" });
      rows.push({ name: "rollup, then esbuild --minify", ...weigh(Buffer.from(code)) });
    } else {
      rows.push({ name: bundler, ...weigh(Buffer.from(text)) });
    }
  }
  return rows;
}

function table(title, rows) {
  const number = (value) => value.toLocaleString("en").padStart(9);
  const width = Math.max(...rows.map(({ name }) => name.length), title.length);
  const lines = rows.map(({ name, raw, gzip, brotli }) => `| ${name.padEnd(width)} |${[raw, gzip, brotli].map(number).join(" |")} |`);
  const rule = `| ${"-".repeat(width)} |${" --------:|".repeat(3)}`;
  return [`| ${title.padEnd(width)} |      raw |  gzip -9 | brotli 11 |`, rule, ...lines].join("\n");
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.log(table("esbuild --bundle --minify --format=esm --platform=browser --target=es2022", await measure()));
    console.log(`\n${table("login, callback, refresh, revoke, discover, by each bundler's defaults", await measureBundlers())}`);
  } finally {
    await removeProjects();
  }
}
