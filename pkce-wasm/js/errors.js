// Every failure has a stable code, a hint what can help, and a sentence for the developer.
// The codes are public: never rename one. The first group comes from the core (src/error.rs).
const CODES = {
  authorization_denied: ["no", "Access was denied"],
  authorization_error: ["no", "The server answered with an error"],
  code_missing: ["login", "The answer has no code"],
  config_invalid: ["no", "A setting or option cannot be used"],
  invalid_response: ["no", "The response breaks the protocol"],
  issuer_mismatch: ["no", "The answer is from another issuer"],
  issuer_missing: ["no", "The answer names no issuer"],
  state_expired: ["login", "The login took more than ten minutes"],
  state_missing: ["login", "The answer has no state"],
  state_unknown: ["login", "No such login is pending in this browser"],
  unsupported: ["no", "No WebAssembly (script-src without 'wasm-unsafe-eval'? pkce-wasm/js needs none), randomness or, for DPoP, https"],

  aborted: ["no", "Aborted by its signal"],
  insecure_endpoint: ["no", "Neither https nor loopback"],
  login_required: ["login", "Nobody is signed in"],
  network: ["later", "No answer, or one that CORS hides"],
  not_initialized: ["no", "Await init() first"],
  refresh_token_missing: ["login", "There is no refresh token"],
  storage_unavailable: ["no", "The browser refuses storage"],
  token_error: ["no", "The server refused the request"],
};

const LATER = ["server_error", "temporarily_unavailable"];

export class PkceError extends Error {
  constructor(code, details = {}) {
    const { cause, subject, oauthError, status } = details;
    const [retry, sentence] = CODES[code];
    super((subject ?? oauthError) ? `${sentence}: ${subject ?? oauthError}` : sentence, { cause });
    this.name = "PkceError";
    this.code = code;
    this.oauthError = oauthError;
    this.description = details.description;
    this.status = status;
    this.retryAfter = details.retryAfter;
    this.returnTo = details.returnTo;
    this.retry = retry;
    if (LATER.includes(oauthError) || status === 429 || status >= 500) this.retry = "later";
    else if (oauthError === "invalid_grant") this.retry = "login";
  }
}
