// The settings of a server from its metadata.
import { PkceError } from "./errors.js";
import { endpoint, send } from "./http.js";

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
  // A page cannot see a 404 that comes without CORS headers, as the first place often does: the second one may help.
  for (const place of places) {
    const { response, body, error } = await send(options, place).catch((error) => ({ error }));
    if (response?.ok && body) return settings(issuer, body);
    if (response?.ok) failure = new PkceError("invalid_response", { subject: "metadata" });
    else if (response?.status !== 404) failure = error ?? new PkceError("token_error", { status: response.status });
  }
  throw failure ?? new PkceError("invalid_response", { subject: "no metadata" });
}

function settings(issuer, metadata) {
  if (metadata.issuer !== issuer) throw new PkceError("issuer_mismatch");
  return {
    issuer,
    authorizationEndpoint: metadata.authorization_endpoint,
    tokenEndpoint: metadata.token_endpoint,
    revocationEndpoint: metadata.revocation_endpoint,
    issRequired: metadata.authorization_response_iss_parameter_supported === true,
  };
}
