// The settings of a server from its metadata.
import { PkceError } from "./errors.js";
import { endpoint, readable, send } from "./http.js";
import { ask, checked } from "./record.js";

// RFC 8414 §3.1: the well-known part stands between host and path; OpenID Connect appends it.
export async function discover(issuer, options = {}) {
  endpoint({ ...options, issuer }, "issuer");
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  let failure;
  // A page cannot see a 404 without CORS headers, which is often all that the first place has.
  for (const place of places) {
    const { response, body, error } = await send(options, place).catch((error) => ({ error }));
    if (response?.ok && body) return settings(issuer, body);
    if (response?.ok) failure = new PkceError("invalid_response", { subject: "metadata" });
    else if (response?.status !== 404) failure = error ?? new PkceError("token_error", { status: response.status });
  }
  throw failure ?? new PkceError("invalid_response", { subject: "no metadata" });
}

function settings(issuer, metadata) {
  const known = checked(ask("metadata", { issuer }, readable(metadata)));
  return {
    issuer,
    authorizationEndpoint: known.authorization_endpoint,
    tokenEndpoint: known.token_endpoint,
    revocationEndpoint: known.revocation_endpoint,
    issRequired: known.iss === "1",
  };
}
