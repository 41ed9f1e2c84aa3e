// What the readers of yAppointment's guide "OAuth connect" run: its functions, with another host and without types.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import axios from "axios";
import { signedIn } from "../harness/client.mjs";
import { APP, authorize, OWNER, start } from "./steps.mjs";

export const SCOPE = "bookings:read services:read";

/** "Create a random 43-128 character string", then its hash. */
export function generatePKCEChallenge() {
  const codeVerifier = crypto.randomBytes(32).toString("base64url");
  const codeChallenge = crypto.createHash("sha256").update(codeVerifier).digest("base64url");
  return { codeVerifier, codeChallenge };
}

/** The address to redirect to, with `changes`; what is null there is left out. */
export function authUrlOf(host, { state, codeChallenge, client = APP, changes = {} }) {
  const authUrl = new URL(`${host}/oauth/authorize`);
  authUrl.searchParams.set("client_id", client.id);
  authUrl.searchParams.set("redirect_uri", client.redirectUri);
  authUrl.searchParams.set("response_type", "code");
  authUrl.searchParams.set("scope", SCOPE);
  authUrl.searchParams.set("state", state);
  authUrl.searchParams.set("code_challenge", codeChallenge);
  authUrl.searchParams.set("code_challenge_method", "S256");
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) authUrl.searchParams.delete(name);
    else authUrl.searchParams.set(name, value);
  }
  return authUrl;
}

export async function exchangeAuthCodeForToken(host, code, codeVerifier, { id: clientId, secret: clientSecret } = APP) {
  const response = await axios.post(`${host}/oauth/token`, {
    grant_type: "authorization_code",
    code,
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uri: "http://127.0.0.1:5001/callback",
    code_verifier: codeVerifier,
  });
  return response.data;
}

export async function refreshAccessToken(host, refreshToken, { id: clientId, secret: clientSecret } = APP) {
  const response = await axios.post(`${host}/oauth/token`, {
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    client_id: clientId,
    client_secret: clientSecret,
  });
  return response.data;
}

export async function revokeToken(host, accessToken, { id: clientId, secret: clientSecret } = APP) {
  await axios.post(`${host}/oauth/revoke`, {
    token: accessToken,
    client_id: clientId,
    client_secret: clientSecret,
  });
}

export const apiOf = (host, accessToken) =>
  axios.create({
    baseURL: host,
    headers: {
      Authorization: `Bearer ${accessToken}`,
    },
  });

/** axios throws on any status but 2xx: the answer that it threw. */
export async function thrown(promise) {
  const error = await promise.then(
    (data) => assert.fail(`not refused: ${Object.keys(data ?? {})}`),
    (error) => error,
  );
  assert.ok(error.response, error);
  return error.response;
}

/** A refusal of the token or revocation endpoint. */
export async function refused(promise, status, error) {
  const { status: told, data, headers } = await thrown(promise);
  assert.equal(`${told} ${data.error}`, `${status} ${error}`, JSON.stringify(data));
  assert.deepEqual(Object.keys(data), ["error", "error_description"]);
  assert.match(data.error_description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
  assert.match(headers["cache-control"], /no-store/);
}

/** A refusal of the API: the whole envelope. */
export async function apiError(promise, status, code, message) {
  const { status: told, data, headers } = await thrown(promise);
  const { timestamp, ...meta } = data.meta;
  assert.deepEqual([told, { ...data, meta }], [status, { status: false, error: { code, message }, meta: {} }]);
  assert.ok(Number.isInteger(timestamp) && timestamp > 1.7e12, "milliseconds");
  return headers;
}

/** Every member of the guide's answer, and no other. */
export function tokens(data) {
  const { access_token, token_type, expires_in, refresh_token, ...others } = data;
  assert.deepEqual(others, {});
  assert.match(access_token, /^yapp_at_[\w-]+$/);
  assert.match(refresh_token, /^yapp_rt_[\w-]+$/);
  assert.deepEqual([token_type, expires_in], ["Bearer", 3600]);
  return data;
}

/**
 * A server under the preset, with a clock that only goes on: limits count from the latest request, so a clock set back would
 * stop them.
 */
export async function yappointment(options) {
  const { server } = await start("yappointment", options);
  const host = server.address;
  let offset = 0;
  let admin;
  return {
    server,
    host,
    async pass(ms) {
      await server.clock((offset += ms));
      // A session ends after hours; the company's admin signs in again.
      if (ms > 3_600_000) admin = undefined;
    },
    now: () => Date.now() + offset,
    admin: async () => (admin ??= await signedIn(server, OWNER)),
    /** A company's admin is sent to consent and decides: the redirect's parameters with the verifier. */
    async ask({ client = APP, changes, ...choice } = {}) {
      const { codeVerifier, codeChallenge } = generatePKCEChallenge();
      const state = crypto.randomBytes(16).toString("hex");
      const { pathname, search } = authUrlOf(host, { state, codeChallenge, client, changes });
      const redirect = await authorize(await this.admin(), pathname + search, choice);
      if (changes?.state === undefined) assert.equal(redirect.state, state);
      return { ...redirect, codeVerifier };
    },
    /** And the app has its tokens. */
    async connect(options = {}) {
      const { code, codeVerifier } = await this.ask(options);
      return { ...tokens(await exchangeAuthCodeForToken(host, code, codeVerifier, options.client)), code, codeVerifier };
    },
    me: (accessToken) => apiOf(host, accessToken).post("/api/v1/me"),
    /** A token works. */
    async works(accessToken) {
      assert.equal((await this.me(accessToken)).status, 200);
    },
    /** A token does not: every 401 has this code. */
    dead(accessToken, message = "The access token was revoked") {
      return apiError(this.me(accessToken), 401, "UNAUTHORIZED", message);
    },
    /** What the company's page of connected apps says of an app; it is told of ends after the app has its answer. */
    async listed(status, app = "Invoice Robot") {
      const entry = new RegExp(`${app} by Edgegrant Demo(?: (?!Account)\\S+)*? ${status} Account Demo Salon Permissions .*? Allowed`);
      const browser = await this.admin();
      for (let tries = 0; ; tries += 1) {
        const { text } = await browser.page("/account/apps");
        const found = text.match(entry)?.[0];
        if (found) return found;
        assert.ok(tries < 50, `${app} is not listed as ${status}: ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}
