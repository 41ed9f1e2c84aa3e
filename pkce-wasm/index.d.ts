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
  /** Binds tokens to a key of this browser (RFC 9449): see `createDpop`. Tokens that are not bound are refused. */
  dpop?: Dpop;
}

export interface RequestOptions {
  /** Allow plain http beyond the loopback interface: for closed networks only. */
  allowInsecure?: boolean;
  /** Used instead of the global `fetch`, for logging or tests. Gets a `Request` from `session.fetch` only. */
  fetch?(url: string | Request, init?: RequestInit): Promise<Response>;
  signal?: AbortSignal;
}

/** The part of `Storage` that is used, in words of its own for projects without the types of a page. */
export interface FlowStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

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
  /** `DPoP` when the server bound the token to the key of `config.dpop`. */
  tokenType: "Bearer" | "DPoP";
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
  | "login_required"
  | "network"
  | "not_initialized"
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

/** A proof-of-possession key (RFC 9449). Its private half cannot be read by any script. */
export interface Dpop {
  /** A proof for one request, to send as its `DPoP` header. */
  proof(request: DpopRequest): Promise<string>;
  /** The thumbprint of the public key (RFC 7638), as servers name it in `cnf.jkt`. */
  thumbprint(): Promise<string>;
  /**
   * Remembers the `DPoP-Nonce` of a response for the origin of `url`, for the next proofs; whether it had one. A request
   * that was refused with one is worth sending again, once, with a new proof.
   */
  noteNonce(url: string, response: Response): boolean;
  /** Deletes the key, for all tabs: tokens bound to it are of no use any more. The next use makes a new one. */
  forget(): Promise<void>;
}

export interface DpopRequest {
  method: string;
  /** As it is requested; the proof leaves out query and fragment. */
  url: string;
  /** The token that the request carries, for `ath`. */
  accessToken?: string;
}

export interface DpopOptions {
  /** Names the key in IndexedDB: `dpop` unless set. Apps of one origin that must not share it give different names. */
  name?: string;
}

/**
 * The key (ES256) is made at its first use, not extractable, and kept in IndexedDB, which tabs share. Where IndexedDB is
 * missing or refuses, it is this page's alone and lives as long. Needs `crypto.subtle`, so a secure origin: rejects with
 * `unsupported` elsewhere.
 */
export function createDpop(options?: DpopOptions): Dpop;

export interface SessionConfig extends PkceConfig {
  /**
   * Where the tokens are: the memory of the tabs (default; tabs give them to each other), or
   * `sessionStorage`, `localStorage`, or your own. The README has the trade-off.
   */
  tokens?: "memory" | "session" | "local" | SessionStore;
  /**
   * Seconds before its end that an access token is renewed: 60 unless set, and at most half its
   * life. A wrong clock of the computer does no harm: life is counted from the receipt.
   */
  renewBefore?: number;
}

/**
 * Your own place for the tokens of a session; `null` means none. Keep the object whole, as JSON if
 * you like: its further members tell which tokens are the newest.
 */
export interface SessionStore {
  load(): Tokens | null | undefined | Promise<Tokens | null | undefined>;
  save(tokens: Tokens | null): void | Promise<void>;
}

export interface SessionState {
  /** Whether there are tokens. Unknown, so false, until `ready`. */
  readonly signedIn: boolean;
  /** Whether the first look into the store and at the other tabs has ended: some 120 ms at most. */
  readonly ready: boolean;
  readonly scope?: string;
  /**
   * Why it is so; `start` is what was found. `ended` when the server refused the refresh token, or
   * when there was none and the access token expired.
   */
  readonly reason: "start" | "login" | "refresh" | "logout" | "ended";
  /** The store failed (`storage_unavailable`). Nothing is lost: the tokens are in memory, and other tabs get them. */
  readonly error?: PkceError;
}

export interface SessionFetchInit extends RequestInit {
  /**
   * Seconds in all that answers 429 and 503 with `Retry-After` may be waited for; the request is then
   * sent again, unless its body is a stream. 0 unless set.
   */
  waitFor?: number;
}

/** Its functions need no `this`. They listen to other tabs from the first call on, until `close`. */
export interface Session {
  /** The same object until something changes, as React's `useSyncExternalStore` needs it. */
  readonly state: SessionState;
  /** Goes to the server: see `startLogin`. */
  login(options?: StartOptions): Promise<never>;
  /**
   * Takes the tokens of a callback: see the function of the same name. `state` is `ready` afterwards,
   * so that an app can begin with it.
   */
  handleCallback(url?: string | URL): Promise<LoginResult | null>;
  /** Takes tokens that came another way. */
  accept(tokens: Tokens): Promise<void>;
  /**
   * A token that works for a while; renewed first when it is about to end, or with `renew` in any
   * case. A renewal that fails for now is no failure while the token at hand lives. Rejects with
   * `login_required` when nobody is signed in.
   */
  getAccessToken(options?: { renew?: boolean }): Promise<string>;
  /**
   * `fetch` with the access token, to https or loopback only. After a 401 once more with a renewed
   * token, unless the body is a stream (a `Request` may have one) or no new token can be had: then the
   * 401 is the answer. A request that has an `authorization` already is refused as `config_invalid`.
   * When the API cannot be reached it rejects as `fetch` does, with a `TypeError`.
   */
  fetch(input: string | URL | Request, init?: SessionFetchInit): Promise<Response>;
  /**
   * Forgets the tokens in all tabs at once, then revokes them. Does not reject: `revoked` says
   * whether the server knows, `error` why not.
   */
  logout(): Promise<{ revoked: boolean; error?: PkceError }>;
  /** Calls back after each change, also one of another tab; gives the function that ends it. */
  onChange(listener: (state: SessionState) => void): () => void;
  /** Ends the listening to other tabs, until the session is used again. */
  close(): void;
}

/**
 * Tokens with no plumbing. Tabs of one origin with the same issuer and client share one session. Safe to
 * make on a server: nothing global is touched before the first use, and there is nobody to share with.
 */
export function createSession(config: SessionConfig): Session;
