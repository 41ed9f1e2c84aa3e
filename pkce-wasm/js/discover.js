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
  for (const place of places) {
    const { response, body } = await send(options, place);
    if (response.ok) return settings(issuer, body);
    if (response.status !== 404) throw new PkceError("token_error", { status: response.status });
  }
  throw new PkceError("invalid_response", { subject: "no metadata" });
}

function settings(issuer, metadata) {
  if (!metadata) throw new PkceError("invalid_response", { subject: "metadata" });
  if (metadata.issuer !== issuer) throw new PkceError("issuer_mismatch");
  return {
    issuer,
    authorizationEndpoint: metadata.authorization_endpoint,
    tokenEndpoint: metadata.token_endpoint,
    revocationEndpoint: metadata.revocation_endpoint,
    issRequired: metadata.authorization_response_iss_parameter_supported === true,
  };
}
