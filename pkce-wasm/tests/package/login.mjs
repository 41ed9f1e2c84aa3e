// A login in a real browser against a real authorization server of another origin.
import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../server.mjs";
import { filesIn } from "./project.mjs";

export const CORS = { "access-control-allow-origin": "*" };

/** An authorization server that consents at once. It verifies PKCE, rotates, and revokes. */
export async function authorizationServer() {
  const server = await startServer();
  const { origin } = server;
  const codes = new Map();
  const alive = new Set();
  const refused = (error) => ({ status: 400, headers: CORS, json: { error } });
  const tokens = (scope) => {
    const [access_token, refresh_token] = [randomUUID(), randomUUID()];
    alive.add(refresh_token);
    return { headers: CORS, json: { access_token, refresh_token, token_type: "Bearer", expires_in: 300, scope } };
  };
  const metadata = {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    revocation_endpoint: `${origin}/revoke`,
    authorization_response_iss_parameter_supported: true,
  };
  server.answer("/.well-known/oauth-authorization-server", { headers: CORS, json: metadata });
  server.answer("/authorize", ({ query }) => {
    const code = randomUUID();
    codes.set(code, Object.fromEntries(query));
    const answer = new URLSearchParams({ code, state: query.get("state"), iss: origin });
    return { status: 303, headers: { location: `${query.get("redirect_uri")}?${answer}` }, text: "" };
  });
  server.answer("/token", ({ form }) => {
    if (form.get("grant_type") === "refresh_token") {
      return alive.delete(form.get("refresh_token")) ? tokens("account:read") : refused("invalid_grant");
    }
    const asked = codes.get(form.get("code"));
    codes.delete(form.get("code"));
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    const proven = asked?.code_challenge === challenge && asked.code_challenge_method === "S256";
    const same = asked?.redirect_uri === form.get("redirect_uri") && asked.client_id === form.get("client_id");
    return proven && same ? tokens(asked.scope) : refused("invalid_grant");
  });
  server.answer("/revoke", ({ form }) => {
    alive.delete(form.get("token"));
    return { headers: CORS, text: "" };
  });
  return { ...server, alive };
}

/** The app: everything that a login is, once, and then it tells what came of it. */
export const app = (issuer, entry, init = "") => `
import { discover, generatePkce, handleCallback, refresh, revoke, startLogin${init && ", init"} } from "${entry}";
async function main() {
  ${init && `await ${init};`}
  const config = { ...(await discover("${issuer}")), clientId: "app", redirectUri: location.origin + "/" };
  const login = await handleCallback(config);
  if (!login) return startLogin(config, { scope: "account:read", returnTo: "/orders?page=2" });
  const renewed = await refresh(config, login.tokens.refreshToken);
  await revoke(config, renewed.refreshToken, "refresh_token");
  done({ login, renewed, pkce: generatePkce() });
}
main().catch((error) => done({ error: error.code + ": " + error.message + " " + error.cause }));
`;

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves what is in a folder, as its own origin, under this policy. */
export async function serve(folder, policy) {
  const server = await startServer();
  const headers = { "content-security-policy": policy };
  for (const path of await filesIn(folder)) {
    const type = TYPES[extname(path)];
    if (!type) continue;
    const text = await readFile(join(folder, path));
    server.answer(`/${path}`, { headers: { ...headers, "content-type": type }, text });
    if (path === "index.html") server.answer("/", { headers: { ...headers, "content-type": type }, text });
  }
  return server;
}

/** Goes through the login of a page; gives what came of it and everything that the browser complained about. */
export async function visit(browser, url) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("requestfailed", (request) => complaints.push(`${request.url()} ${request.failure().errorText}`));
    page.on("response", (response) => response.status() >= 400 && complaints.push(`${response.status()} ${response.url()}`));
    const told = new Promise((resolve) => page.exposeFunction("done", resolve).then(() => page.goto(url)));
    const result = await Promise.race([told, late(complaints)]);
    const challenge = result.pkce && (await page.evaluate(challengeOf, result.pkce.codeVerifier));
    const kept = await page.evaluate("sessionStorage.length + localStorage.length");
    return { result, challenge, kept, complaints, address: page.url() };
  } finally {
    await context.close();
  }
}

async function late(complaints) {
  await sleep(45_000, undefined, { ref: false });
  throw new Error(`The app told nothing. ${complaints.join("; ")}`);
}

// RFC 7636 §4.2, by the browser's own hand.
async function challengeOf(verifier) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const text = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
