// The answer of the authorization server (RFC 6749 §4.1.2, RFC 9207) and the exchange of its code.
import { PkceError } from "./errors.js";
import { find, forget } from "./flows.js";
import { postToken } from "./http.js";
import { ask, checked } from "./record.js";
import { nameOf, shared } from "./shared.js";

const callbacks = new Map(); // running handleCallback, by client
const unfinished = new Map(); // codes whose exchange failed for now, by client

export function parseCallback(config, url, flow) {
  const here = globalThis.location?.href;
  const target = url === undefined ? here : String(url);
  if (target === undefined) return null;
  const state = new URLSearchParams(/^[^?#]*\?([^#]*)/.exec(target)?.[1]).get("state");

  let kept = flow;
  let blocked;
  try {
    kept ??= state ? find(config, state) : "";
  } catch (error) {
    blocked = error;
  }
  const client = { issuer: config.issuer, client_id: config.clientId, place: config.redirectUri?.split("?")[0] };
  const answer = ask("callback", client, target.replaceAll("\n", ""), kept ?? "");
  if (!answer.failure && !answer.code) return null;

  if (target === here) globalThis.history?.replaceState(globalThis.history.state, "", answer.clean);
  if (blocked) throw blocked;
  if (flow === undefined && (answer.code || answer.spent)) forget(config, state);
  checked(answer);
  return {
    code: answer.code,
    state: answer.state,
    codeVerifier: answer.verifier,
    redirectUri: answer.redirect_uri,
    issuer: answer.issuer,
    scope: answer.scope,
    returnTo: answer.return_to,
  };
}

export async function exchangeCode(config, grant) {
  if (grant.issuer !== config.issuer) throw new PkceError("config_invalid", { subject: "issuer" });
  const form = {
    grant_type: "authorization_code",
    client_id: config.clientId,
    code: grant.code,
    code_verifier: grant.codeVerifier,
    redirect_uri: grant.redirectUri,
  };
  return postToken(config, form, { scope: grant.scope });
}

// One at a time per client: a framework that mounts twice gets the same answer twice.
export function handleCallback(config, url) {
  return shared(callbacks, nameOf(config), () => complete(config, url));
}

async function complete(config, url) {
  const name = nameOf(config);
  const grant = parseCallback(config, url) ?? unfinished.get(name);
  if (!grant) return null;
  const { state, returnTo } = grant;
  unfinished.delete(name);
  try {
    return { tokens: await exchangeCode(config, grant), returnTo, state };
  } catch (error) {
    if (error.retry === "later") unfinished.set(name, grant);
    error.returnTo = returnTo;
    throw error;
  }
}
