// What the page says: a sentence and the rule behind it for every step, and kind words for errors.

export const STEPS = {
  metadata: {
    title: "The app reads the server’s metadata",
    why: "Where the endpoints are and what the server can do. The issuer in it must be exactly the one asked for.",
    rule: "RFC 8414 §3",
    folded: true,
  },
  request: {
    title: "The app sends the browser to the authorization server",
    why:
      "It asks for a code. The state ties the answer to this browser; the challenge is a hash of a secret that only " +
      "this page knows, so a stolen code is worth nothing.",
    rule: "RFC 6749 §4.1.1, RFC 7636 §4.3",
  },
  answer: {
    title: "The server sends the browser back with an answer",
    why: "The module finds the pending login by its state, compares iss with the issuer the login went to, and only then reads the rest. It cleans the address bar.",
    rule: "RFC 6749 §4.1.2, RFC 9207 §2.4",
  },
  exchange: {
    title: "The app trades the code for tokens",
    why: "The code works once and for a minute. The verifier proves that this is the page that started the login: the server hashes it and compares.",
    rule: "RFC 6749 §4.1.3, RFC 7636 §4.5",
  },
  refresh: {
    title: "The app gets new tokens with its refresh token",
    why: "A refresh token is used once: the answer holds the next one. An old one that shows up again ends the whole family, because then two parties hold it.",
    rule: "RFC 6749 §6, RFC 9700 §4.14.2",
  },
  revoke: {
    title: "The app gives its tokens back",
    why: "Revoking the refresh token ends its access tokens too. The answer is the same for a token that was dead already.",
    rule: "RFC 7009 §2",
  },
  api: {
    title: "The app calls the API",
    why: "The access token goes into a header, never into a URL. Whoever holds it may use it, so it lives for a short time.",
    rule: "RFC 6750 §2.1",
  },
  gateway: {
    title: "The app calls the platform’s own API",
    why: "The gateway checks the token, the permission that its rules ask for, and the limit. Then the API gets the call, with the account in headers that nobody else can write; the token stays here.",
    rule: "RFC 6750 §3.1, RFC 9421",
  },
  flood: {
    title: "The app calls until it is refused",
    why: "The limit is exact. Retry-After says how long to wait, and waiting that long works.",
    rule: "RFC 6585 §4, RFC 9110 §10.2.3",
  },
};

const KIND = {
  authorization_denied: "Access was not allowed, so nothing was connected. Connect again whenever you like.",
  authorization_error: "The authorization server could not go on with this request.",
  code_missing: "The answer of the server was incomplete. Please connect again.",
  network: "The server could not be reached. Nothing is lost: try again in a moment.",
  state_expired: "This login was started more than ten minutes ago. Please connect again.",
  state_missing: "This link is not a complete answer to a login. Please connect again.",
  state_unknown:
    "This answer belongs to a login that was finished already or started in another browser. Please connect again.",
  issuer_mismatch: "The answer came from another server than the one you were sent to. It was not used.",
  issuer_missing: "The answer did not say which server it is from. It was not used.",
  storage_unavailable:
    "This browser does not let the page remember the login. Allow storage for this site and connect again.",
  unsupported: "This browser cannot run the module: WebAssembly or secure random numbers are switched off.",
};

// The sentence for an error; the developer's details go below it.
export function kindly(error) {
  if (error.status === 429) return `Too many requests. Try again in ${error.retryAfter ?? "a few"} seconds.`;
  if (error.status === 403) {
    const lacks = error.scope ? `the permission ${error.scope}` : "a permission";
    return `This token lacks ${lacks}. Revoke it, connect again, and ask for that permission.`;
  }
  if (error.status === 401)
    return "The access token is not valid any more: expired, or revoked. Refresh it; if that fails too, connect again.";
  if (error.oauthError === "invalid_grant") return "The access was ended or has run out. Please connect again.";
  if (error.status === 502 || error.status === 504) return "The API behind the gateway did not answer. Try again in a moment.";
  if (error.retry === "later" && error.code !== "network") return "The server is busy. Try again in a moment.";
  return KIND[error.code] ?? "That did not work.";
}
