// The types of the service binding, for a Worker that asks Edgegrant:
//
//   [[services]]                 # its wrangler.toml
//   binding = "AUTH"
//   service = "edgegrant"
//   entrypoint = "Access"
//
//   interface Env { AUTH: Access }

/** The entrypoint `Access`. */
export interface Access {
  /**
   * May this access token or API key be used now? `authorization` is the value of the caller's `Authorization` header,
   * as it came; null when there was none.
   *
   * Rejects when a part of Edgegrant did not answer. Nothing is known of the credential then: answer 503 with
   * `Retry-After`, neither let the call through nor refuse it as unauthorized.
   */
  check(authorization: string | null | undefined, options?: CheckOptions): Promise<Allowed | Refused>;
}

export interface CheckOptions {
  /** The scopes that this call needs, separated by spaces; none unless said. */
  scope?: string;
  /** Whether this is a use, which counts against the limits of the app or key. True unless said. */
  count?: boolean;
}

/** It may be used. */
export interface Allowed {
  allowed: true;
  account: { id: string; name: string };
  /** The id of the person who allowed the app, or made the key. */
  user: string;
  /** The app; null for an API key, which is the account's own. */
  clientId: string | null;
  /** What the credential may do. */
  scopes: string[];
  /** Its end in seconds since 1970; null for an API key without one. */
  expiresAt: number | null;
  rateLimit: RateLimit;
}

/** It may not, or not now. */
export interface Refused {
  allowed: false;
  reason: Reason;
  /** With `scope_missing`: the first of the scopes that it lacks. */
  missingScope?: string;
  /** With `too_fast`. */
  rateLimit?: RateLimit;
  /**
   * The whole answer for the caller, in the words of Edgegrant's policy: 400, 401 or 403 with `WWW-Authenticate` (RFC
   * 6750 §3), 429 with `Retry-After`. `new Response(response.body, response)` is it.
   */
  response: { status: number; headers: Record<string, string>; body: string };
}

/** Why not. The first five are 400 or 401 unless the policy says otherwise. */
export type Reason =
  | "token_missing"
  | "token_malformed"
  /** No credential of this server, or one that is none for calls. */
  | "token_unknown"
  | "token_expired"
  /** Revoked, disconnected or ended. */
  | "token_revoked"
  /** The app is suspended, rejected or deleted, or not for this person yet. */
  | "app_stopped"
  | "scope_missing"
  | "too_fast";

export interface RateLimit {
  /** Calls per window. */
  limit: number;
  /** Calls left in this window. */
  remaining: number;
  /** Whole seconds until the next one. */
  reset: number;
}
