// The browser module. The core (Rust, synchronous) makes the requests and decides whether an answer
// may be believed; this file does what needs the page or a promise. Importing it touches nothing:
// no global, no storage, no WebAssembly.
import { core } from "./core.js";
import { PkceError } from "./errors.js";
import { find, forget, remember } from "./flows.js";
import { endpoint, postRevocation, postToken, send } from "./http.js";

export { PkceError };

const callbacks = new Map(); // running handleCallback, by client
const unfinished = new Map(); // codes whose exchange failed for now, by client
const refreshes = new Map(); // running refreshes, by client and token
const turns = new Map(); // the last in each queue, where there are no Web Locks

const nameOf = (config) => `${config.issuer} ${config.clientId}`;

// Asks the core; question and answer are form-encoded records.
function ask(question) {
  try {
    return Object.fromEntries(new URLSearchParams(question(core())));
  } catch (cause) {
    throw new PkceError("unsupported", { cause });
  }
}

function record(fields) {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return new URLSearchParams(present).toString();
}

// Gives the answer of the core, or throws what it found.
function checked(answer) {
  const { failure: code, subject, description, return_to: returnTo } = answer;
  if (!code) return answer;
  const about = code.startsWith("authorization_") ? { oauthError: subject } : { subject };
  throw new PkceError(code, { ...about, description: description || undefined, returnTo: returnTo || undefined });
}

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
  const client = record({
    issuer: config.issuer,
    client_id: config.clientId,
    place: config.redirectUri?.split("?")[0],
  });
  const answer = ask((core) => core.land(client, target, kept ?? "", Date.now()));
  if (!answer.failure && !answer.code) return null;

  if (target === here) tidy(here);
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

function tidy(here) {
  const { history } = globalThis;
  history?.replaceState(history.state, "", core().clean(here));
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

function shared(running, key, start) {
  if (!running.has(key)) {
    running.set(
      key,
      start().finally(() => running.delete(key)),
    );
  }
  return running.get(key);
}

export function refresh(config, source) {
  if (typeof source === "object" && source) return refreshStored(config, source);
  return shared(refreshes, `${nameOf(config)} ${source}`, () => refreshWith(config, { refreshToken: source }));
}

async function refreshWith(config, { refreshToken, scope }) {
  if (!refreshToken) throw new PkceError("refresh_token_missing");
  const form = { grant_type: "refresh_token", client_id: config.clientId, refresh_token: refreshToken };
  return postToken(config, form, { refreshToken, scope });
}

// Tabs that share stored tokens take turns; who finds them changed after waiting uses those. The
// new tokens are saved before the next one gets its turn.
async function refreshStored(config, { load, save }) {
  const before = await load();
  return inTurn(`pkce-wasm ${nameOf(config)}`, async () => {
    const current = await load();
    if (current && current.accessToken !== before?.accessToken) return current;
    const tokens = await refreshWith(config, current ?? {});
    await save(tokens);
    return tokens;
  });
}

// Web Locks reach all tabs but exist on secure origins only; elsewhere the turns are this page's.
function inTurn(name, work) {
  const locks = globalThis.navigator?.locks;
  if (locks) return locks.request(name, work);
  const turn = (turns.get(name) ?? Promise.resolve()).then(work);
  turns.set(
    name,
    turn.catch(() => {}),
  );
  return turn;
}

export async function revoke(config, token, hint) {
  const form = { token, client_id: config.clientId };
  if (hint) form.token_type_hint = hint;
  await postRevocation(config, form);
}

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
