// The four platforms side by side, as far as their mistakes need it: where an app sends what, and what it gets.
import assert from "node:assert/strict";
import { address, APP, authorize, get, pkce, postForm, postJson, signedIn } from "./steps.mjs";

const basic = ({ id, secret }) => `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;

/**
 * `encoding` is that of the platform's examples; `fixed`: refresh tokens do not rotate; `limit`: API calls a minute, `apart`:
 * milliseconds between them; `bad`: status and error of a bad code and of a bad client.
 */
export const PLATFORMS = [
  {
    preset: "klippa",
    authorize: "/api/v1/oauth/authorize",
    token: "/api/v1/oauth/token",
    revoke: "/api/v1/oauth/revoke",
    me: "/api/v1/me",
    encoding: postJson,
    scope: "klippa.context klippa.book",
    limit: 100,
    idleDays: 30,
    lasts: "It ends by itself after 30 days without use.",
    bad: { code: [400, "invalid_grant"], client: [401, "invalid_client"] },
  },
  {
    preset: "cal-classic",
    authorize: "/auth/oauth2/authorize",
    token: "/api/auth/oauth/token",
    refreshUrl: "/api/auth/oauth/refreshToken",
    revoke: "/oauth/revoke",
    me: "/api/auth/oauth/me",
    ok: 201,
    encoding: postForm,
    scope: "READ_PROFILE,READ_BOOKING",
    fixed: true,
    limit: 100,
    absoluteDays: 30,
    lasts: "Until you disconnect it, at most 30 days.",
    bad: { code: [401, undefined], client: [401, undefined] },
  },
  {
    preset: "cal-v2",
    authorize: "/auth/oauth2/authorize",
    token: "/v2/auth/oauth2/token",
    revoke: "/oauth/revoke",
    me: "/v2/me",
    encoding: postForm,
    scope: "PROFILE_READ BOOKING_READ",
    limit: 500,
    idleDays: 30,
    lasts: "It ends by itself after 30 days without use.",
    bad: { code: [400, "invalid_grant"], client: [401, "invalid_client"] },
  },
  {
    preset: "klaviyo",
    authorize: "/oauth/authorize",
    token: "/oauth/token",
    revoke: "/oauth/revoke",
    me: "/api/accounts",
    encoding: postForm,
    basic: true,
    pkce: true,
    scope: "lists:write metrics:read",
    fixed: true,
    limit: 15,
    apart: 1001,
    idleDays: 90,
    lasts: "Until you disconnect it. It ends by itself after 90 days without use.",
    bad: { code: [400, "invalid_grant"], client: [401, "invalid_client"] },
  },
  {
    preset: "yappointment",
    authorize: "/oauth/authorize",
    token: "/oauth/token",
    revoke: "/oauth/revoke",
    me: "/api/v1/me",
    encoding: postJson,
    pkce: true,
    scope: "bookings:read services:read",
    limit: 1000,
    idleDays: 90,
    lasts: "It ends by itself after 90 days without use.",
    bad: { code: [400, "invalid_grant"], client: [401, "invalid_client"] },
  },
];

/** An app of a platform and its server; the clock only goes on, for limits count from the latest call. */
export class Platform {
  #offset = 0;

  constructor(dialect, server) {
    Object.assign(this, { ok: 200 }, dialect, { server });
  }

  pass(ms) {
    return this.server.clock((this.#offset += ms));
  }

  /** Fields and headers with the credentials where the platform wants them. */
  signed(fields, client = APP) {
    const { id: client_id, secret: client_secret } = client;
    return this.basic ? [fields, { authorization: basic(client) }] : [{ ...fields, client_id, client_secret }, {}];
  }

  url(parameters = {}, challenge = pkce().challenge) {
    const pair = this.pkce ? { code_challenge: challenge, code_challenge_method: "S256" } : {};
    const given = { client_id: APP.id, redirect_uri: APP.redirectUri, response_type: "code", scope: this.scope, state: "s", ...pair };
    return address(this.authorize, { ...given, ...parameters });
  }

  async allow(parameters, choice) {
    const { verifier, challenge } = pkce();
    const redirect = await authorize(await signedIn(this.server), this.url(parameters, challenge), choice);
    return { ...redirect, verifier: this.pkce ? verifier : undefined };
  }

  code({ code, verifier }) {
    return { grant_type: "authorization_code", code, redirect_uri: APP.redirectUri, ...(verifier && { code_verifier: verifier }) };
  }

  exchange(redirect, changes = {}, client = APP) {
    const [fields, headers] = this.signed({ ...this.code(redirect), ...changes }, client);
    return this.encoding(this.server, this.token, fields, headers);
  }

  /** Cal.com's first version took the refresh token from the header, at an address of its own. */
  refresh(refreshToken) {
    if (!this.refreshUrl) {
      const [fields, headers] = this.signed({ grant_type: "refresh_token", refresh_token: refreshToken });
      return this.encoding(this.server, this.token, fields, headers);
    }
    const [fields] = this.signed({ grant_type: "refresh_token" });
    return this.encoding(this.server, this.refreshUrl, fields, { authorization: `Bearer ${refreshToken}` });
  }

  revokeToken(token) {
    const [fields, headers] = this.signed({ token });
    return this.encoding(this.server, this.revoke, fields, headers);
  }

  whose(accessToken, path = this.me) {
    return get(this.server, path, accessToken);
  }

  async install(parameters) {
    const redirect = await this.allow(parameters);
    const answer = await this.exchange(redirect);
    assert.equal(answer.status, 200, answer.text);
    return { ...answer.json, page: redirect.page };
  }

  /** A refresh that must succeed; with the refresh token to use from then on. */
  async refreshed(refreshToken) {
    const answer = await this.refresh(refreshToken);
    assert.equal(answer.status, 200, answer.text);
    if (this.fixed) assert.ok([undefined, refreshToken].includes(answer.json.refresh_token), "it stays");
    else assert.notEqual(answer.json.refresh_token, refreshToken);
    return { refresh_token: refreshToken, ...answer.json };
  }

  /** One call at a time, apart from those before. */
  async works(accessToken) {
    await this.pass(4100);
    assert.equal((await this.whose(accessToken)).status, this.ok);
  }

  async deadRefresh(refreshToken) {
    const answer = await this.refresh(refreshToken);
    assert.equal(answer.status, this.bad.code[0], answer.text);
    assert.equal(answer.json.access_token, undefined);
  }
}
