// Every failure has a stable code, a hint what can help, and a sentence for the developer.
// The codes are public: never rename one. The first group comes from the core (src/error.rs).
const CODES = {
  authorization_denied: ["no", "The person, or the server for them, refused the request"],
  authorization_error: ["no", "The authorization server answered with an error"],
  code_missing: ["login", "The answer has neither a code nor an error"],
  config_invalid: ["no", "The configuration or an option cannot be used"],
  invalid_response: ["no", "The response breaks the protocol"],
  issuer_mismatch: ["no", "The answer comes from another issuer than the login was started with"],
  issuer_missing: ["no", "The answer names no issuer, which this server always does"],
  state_expired: ["login", "The login was started more than ten minutes ago"],
  state_missing: ["login", "The answer has no state"],
  state_unknown: ["login", "No login with this state is pending in this browser"],
  unsupported: ["no", "No WebAssembly (script-src needs 'wasm-unsafe-eval'; pkce-wasm/js needs none) or no secure randomness"],

  aborted: ["no", "The request was aborted by its signal"],
  insecure_endpoint: ["no", "The URL is neither https nor on the loopback interface"],
  login_required: ["login", "Nobody is signed in, or the server ended the session"],
  network: ["later", "The server could not be reached, or its answer is hidden by CORS"],
  not_initialized: ["no", "Await init() of pkce-wasm/slim first"],
  refresh_token_missing: ["login", "There is no refresh token"],
  storage_unavailable: ["no", "The browser refuses the storage that a login needs"],
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
