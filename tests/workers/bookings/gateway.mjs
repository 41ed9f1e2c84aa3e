// Who calls, as the gateway says. Nothing of a request counts before its signature is right: an API with an address of its own
// could be called by anybody. The first function is the one of the README.

// Verifies a request of the gateway. `keys` has the keys of GATEWAY_KEYS by their ids, `host` is the API's own.
const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
export async function verified(request, keys, host, now = Date.now()) {
  const [, params, list, expires, id] = (request.headers.get("signature-input") ?? "").match(
    /^edgegrant=(\(([^)]*)\);created=\d+;expires=(\d+);keyid="(\d+)";alg="hmac-sha256")$/) ?? [];
  const [, tag] = (request.headers.get("signature") ?? "").match(/^edgegrant=:([A-Za-z0-9+/]{43}=):$/) ?? [];
  if (!tag || !Object.hasOwn(keys, id) || Number(expires) < now / 1000) return false;
  const url = new URL(request.url);
  const covered = [["@method", request.method], ["@authority", host], ["@path", url.pathname], ["@query", url.search || "?"],
    ...[...request.headers].filter(([name]) => name.startsWith("edgegrant-")).sort()];
  if (list !== covered.map(([name]) => `"${name}"`).join(" ")) return false; // one that is not covered is not ours
  const base = covered.map(([name, value]) => `"${name}": ${value}\n`).join("") + `"@signature-params": ${params}`;
  const raw = bytes(keys[id].replaceAll("-", "+").replaceAll("_", "/"));
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, bytes(tag), new TextEncoder().encode(base));
}

/**
 * The caller behind a request: `{ account, app, user, scopes, credential, requestId }`, `app` being null for an API key.
 * Null when the request did not come through the gateway. `list` is GATEWAY_KEYS: `id:key` pairs, separated by commas.
 */
export async function caller(request, list, now) {
  const keys = Object.fromEntries(list.split(",").map((pair) => pair.trim().split(":")));
  if (!(await verified(request, keys, new URL(request.url).host, now))) return null;
  const said = (name) => request.headers.get(`edgegrant-${name}`);
  return {
    account: said("account"),
    app: said("app"),
    user: said("user"),
    scopes: said("scope").split(" "),
    credential: said("credential"),
    requestId: said("request-id"),
  };
}
