// The start of a login: PKCE (RFC 7636), the authorization request (RFC 6749 §4.1.1), the navigation.
import { remember } from "./flows.js";
import { endpoint } from "./http.js";
import { ask, checked, record } from "./record.js";

export function generatePkce() {
  const { verifier, challenge } = checked(ask((core) => core.generatePkce()));
  return { codeVerifier: verifier, codeChallenge: challenge, codeChallengeMethod: "S256" };
}

export function createAuthorizationRequest(config, options = {}) {
  endpoint(config, "issuer");
  const target = endpoint(config, "authorizationEndpoint");
  const wishes = record({
    issuer: config.issuer,
    client_id: config.clientId,
    redirect_uri: config.redirectUri,
    scope: options.scope ?? config.scope,
    return_to: options.returnTo,
    iss: config.issRequired === false ? "0" : "1",
  });
  const extra = record({ ...options.params, prompt: options.prompt, login_hint: options.loginHint });
  const made = checked(ask((core) => core.begin(wishes, extra, Date.now())));
  return {
    url: target + (target.includes("?") ? "&" : "?") + made.query,
    state: made.state,
    codeVerifier: made.verifier,
    flow: made.flow,
  };
}

// Synchronous up to the navigation, so that a click leads there without a gap.
export function startLogin(config, options = {}) {
  try {
    const { url, state, flow } = createAuthorizationRequest(config, options);
    remember(config, state, flow);
    if (options.navigate) options.navigate(url);
    else globalThis.location.assign(url);
    return new Promise(() => {});
  } catch (error) {
    return Promise.reject(error);
  }
}
