// The only place that speaks to the network.
import { PkceError } from "./errors.js";
import { ask, checked, record } from "./record.js";

// Redirects are refused by `send`: Workers do not know `redirect: "error"`.
const FIXED = { cache: "no-store", credentials: "omit", redirect: "manual", referrerPolicy: "no-referrer" };
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

// The URL under `key`, as the browser will read it, when it may be used: https, or http on the
// loopback interface, or, where the app opted in, http anywhere.
export function endpoint(config, key) {
  let url;
  try {
    url = new URL(config[key]);
  } catch (cause) {
    throw new PkceError("config_invalid", { subject: key, cause });
  }
  const plain = config.allowInsecure === true || LOOPBACK.includes(url.hostname);
  const secure = url.protocol === "https:" || (url.protocol === "http:" && plain);
  if (!secure || url.username || url.password) throw new PkceError("insecure_endpoint", { subject: key });
  if (url.hash) throw new PkceError("config_invalid", { subject: key });
  return url.href;
}

// Sends a request and gives { response, body }, where body is the JSON object of the answer, or
// undefined when it has none.
export async function send(options, url, init) {
  const { signal } = options;
  const headers = { accept: "application/json", ...init?.headers };
  try {
    const response = await (options.fetch ?? fetch)(url, { ...FIXED, signal, ...init, headers });
    if (/^[03]/.test(response.status)) throw new TypeError("redirected"); // 0 is how a page sees one
    return { response, body: parse(await response.text()) };
  } catch (cause) {
    throw new PkceError(signal?.aborted ? "aborted" : "network", { cause });
  }
}

export function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value ? value : undefined;
  } catch {
    return undefined;
  }
}

const textOf = (value) => (typeof value === "string" && value ? value : undefined);

// POSTs a form; gives the JSON object of a success, throws `token_error` for everything else. With a key
// the request carries a proof (RFC 9449 §5); a server that misses its nonce there is asked once more (§8).
async function post(config, key, form, dpop, again) {
  const url = endpoint(config, key);
  const headers = dpop && { dpop: await dpop.proof({ method: "POST", url }) };
  const { response, body } = await send(config, url, { method: "POST", body: new URLSearchParams(form), headers });
  if (dpop?.noteNonce(url, response) && !again && body?.error === "use_dpop_nonce") return post(config, key, form, dpop, true);
  if (response.ok) return body;
  const wait = Number.parseInt(response.headers.get("retry-after"), 10);
  throw new PkceError("token_error", {
    oauthError: textOf(body?.error),
    description: textOf(body?.error_description),
    status: response.status,
    retryAfter: wait >= 0 ? wait : undefined,
  });
}

export async function postRevocation(config, form) {
  await post(config, "revocationEndpoint", form);
}

// Gives the tokens of a success; `asked` has the refresh token and the scope that stay when the server
// sends no others. With a key only bound tokens will do (RFC 9449 §5).
export async function postToken(config, form, { refreshToken, scope } = {}) {
  const body = await post(config, "tokenEndpoint", form, config.dpop);
  const asked = { refresh_token: refreshToken, scope, dpop: config.dpop && 1 };
  const made = checked(ask("tokens", asked, readable(body)));
  return {
    accessToken: made.access_token,
    tokenType: made.token_type,
    expiresAt: made.expires_at && Number(made.expires_at),
    refreshToken: made.refresh_token,
    scope: made.scope,
  };
}

// The fields of an answer that the core can read.
export function readable(body) {
  const plain = ([name, value]) => typeof value === "string" || (name === "expires_in" ? value !== null : value === true);
  return record(Object.fromEntries(Object.entries(body ?? {}).filter(plain)));
}
