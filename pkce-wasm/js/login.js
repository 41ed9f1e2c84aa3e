// The start of a login: PKCE (RFC 7636), the authorization request (RFC 6749 §4.1.1), the navigation.
import { pending, remember } from "./flows.js";
import { endpoint } from "./http.js";
import { ask, checked, record, rolled } from "./record.js";

export function generatePkce() {
  const { verifier, challenge } = checked(ask("pkce", rolled()));
  return { codeVerifier: verifier, codeChallenge: challenge, codeChallengeMethod: "S256" };
}

function begin(config, options, slots) {
  endpoint(config, "issuer");
  const target = endpoint(config, "authorizationEndpoint");
  const wishes = {
    ...rolled(),
    issuer: config.issuer,
    client_id: config.clientId,
    redirect_uri: config.redirectUri,
    scope: options.scope ?? config.scope,
    return_to: options.returnTo,
    iss: config.issRequired === false ? "0" : "1",
  };
  const extra = record({ ...options.params, prompt: options.prompt, login_hint: options.loginHint });
  const made = checked(ask("login", wishes, extra, slots));
  return { ...made, url: target + (target.includes("?") ? "&" : "?") + made.query };
}

export function createAuthorizationRequest(config, options = {}) {
  const { url, state, verifier, flow } = begin(config, options, "");
  return { url, state, codeVerifier: verifier, flow };
}

// Synchronous up to the navigation, so that a click leads there without a gap.
export function startLogin(config, options = {}) {
  try {
    const { url, state, flow, drop } = begin(config, options, pending(config));
    remember(config, state, flow, drop);
    if (options.navigate) options.navigate(url);
    else globalThis.location.assign(url);
    return new Promise(() => {});
  } catch (error) {
    return Promise.reject(error);
  }
}
