/** How this app reaches one authorization server. Plain data: keep it in a constant. */
export interface PkceConfig extends RequestOptions {
  /** The issuer, exactly as the server spells it; compared with `iss` in every answer (RFC 9207). */
  issuer: string;
  clientId: string;
  /** An absolute URL without fragment, exactly as registered. */
  redirectUri: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  /** Needed by `revoke` only. */
  revocationEndpoint?: string;
  /** What a login asks for when it names no scope of its own. */
  scope?: string;
  /**
   * Refuse answers without `iss`. On unless `false`, which is only for a server that never sends it;
   * a wrong `iss` is refused in either case.
   */
  issRequired?: boolean;
  /** Where pending logins wait: `sessionStorage` (default), `localStorage`, or your own. */
  storage?: "session" | "local" | FlowStorage;
}

export interface RequestOptions {
  /** Allow plain http beyond the loopback interface: for closed networks only. */
  allowInsecure?: boolean;
  /** Used instead of the global `fetch`, for logging or tests. */
  fetch?: (url: string, init?: RequestInit) => Promise<Response>;
  signal?: AbortSignal;
}

/** The part of `Storage` that is used. */
export type FlowStorage = Pick<Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">;

export interface LoginOptions {
  scope?: string;
  /** A path of your own origin, such as `/orders?page=2`; comes back after the login. */
  returnTo?: string;
  prompt?: string;
  loginHint?: string;
  /** Further authorization parameters. Those of the protocol itself cannot be set. */
  params?: Record<string, string>;
}

export interface StartOptions extends LoginOptions {
  /** Used instead of `location.assign`. */
  navigate?: (url: string) => void;
}

export interface Pkce {
  codeVerifier: string;
  codeChallenge: string;
  codeChallengeMethod: "S256";
}

export interface AuthorizationRequest {
  url: string;
  state: string;
  codeVerifier: string;
  /** Keep this secret until the answer comes and give it to `parseCallback`. */
  flow: string;
}

/** A code that may be believed, and everything its exchange needs. */
export interface Grant {
  code: string;
  state: string;
  codeVerifier: string;
  redirectUri: string;
  issuer: string;
  scope?: string;
  returnTo?: string;
}

export interface Tokens {
  accessToken: string;
  tokenType: "Bearer";
  /** Milliseconds since 1970, when the server says how long the token lives. */
  expiresAt?: number;
  refreshToken?: string;
  scope?: string;
}

export interface LoginResult {
  tokens: Tokens;
  state: string;
  returnTo?: string;
}

/** Tokens that several tabs share. */
export interface TokenStore {
  load(): Tokens | null | undefined | Promise<Tokens | null | undefined>;
  save(tokens: Tokens): void | Promise<void>;
}

export type ServerSettings = Pick<
  PkceConfig,
  "issuer" | "authorizationEndpoint" | "tokenEndpoint" | "revocationEndpoint" | "issRequired"
>;

export type PkceErrorCode =
  | "aborted"
  | "authorization_denied"
  | "authorization_error"
  | "code_missing"
  | "config_invalid"
  | "insecure_endpoint"
  | "invalid_response"
  | "issuer_mismatch"
  | "issuer_missing"
  | "network"
  | "refresh_token_missing"
  | "state_expired"
  | "state_missing"
  | "state_unknown"
  | "storage_unavailable"
  | "token_error"
  | "unsupported";

export class PkceError extends Error {
  private constructor();
  readonly name: "PkceError";
  readonly code: PkceErrorCode;
  /** What can help: a new login, the same call later, or neither. */
  readonly retry: "login" | "later" | "no";
  /** The server's `error`. */
  readonly oauthError?: string;
  /** The server's `error_description`: show it as text, never as HTML. */
  readonly description?: string;
  /** The HTTP status of a refused request. */
  readonly status?: number;
  /** Seconds the server asked to wait. */
  readonly retryAfter?: number;
  /** The `returnTo` of the login that failed. */
  readonly returnTo?: string;
  readonly cause?: unknown;
}

/** A new verifier and its S256 challenge. Synchronous; works on plain-http origins too. */
export function generatePkce(): Pkce;

/** An authorization request; nothing is stored and nobody is sent anywhere. */
export function createAuthorizationRequest(config: PkceConfig, options?: LoginOptions): AuthorizationRequest;

/** Stores the flow and goes to the server. Settles only when that fails. */
export function startLogin(config: PkceConfig, options?: StartOptions): Promise<never>;

/**
 * Checks the answer in the URL (the page's own by default, which is then cleaned) and exchanges the
 * code. `null` when there is no answer. Safe to call on every page load and twice at a time; after
 * an error with `retry: 'later'` the next call tries the same code again.
 */
export function handleCallback(config: PkceConfig, url?: string | URL): Promise<LoginResult | null>;

/** The first half of `handleCallback`: for an exchange elsewhere. `flow` replaces the storage. */
export function parseCallback(config: PkceConfig, url?: string | URL, flow?: string): Grant | null;

/** The second half of `handleCallback`. */
export function exchangeCode(config: PkceConfig, grant: Grant): Promise<Tokens>;

/**
 * New tokens for a refresh token, which is carried over when the server sends no new one. Calls with
 * the same token share one request. With a store, tabs take turns and use what another one fetched.
 */
export function refresh(config: PkceConfig, source: string | TokenStore): Promise<Tokens>;

/** Ends a token and what the server ties to it (RFC 7009). */
export function revoke(config: PkceConfig, token: string, hint?: "access_token" | "refresh_token"): Promise<void>;

/** The settings of a server from its metadata (RFC 8414, else OpenID Connect discovery). */
export function discover(issuer: string, options?: RequestOptions): Promise<ServerSettings>;
