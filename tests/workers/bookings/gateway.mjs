// Who calls, as the gateway says. Everything in front of this API could be reached by somebody else too, so nothing of a
// request counts before its signature is right (RFC 9421, HMAC-SHA256): made for this method, host, path and query, at most
// 60 seconds ago, over every header that begins with `edgegrant-`.

const PARTS = { "@method": (r) => r.method, "@authority": (r) => url(r).host, "@path": (r) => url(r).pathname, "@query": (r) => url(r).search || "?" };
const url = (request) => new URL(request.url);
const bytes = (text, alphabet = text.replaceAll("-", "+").replaceAll("_", "/")) => Uint8Array.from(atob(alphabet), (char) => char.charCodeAt(0));

/** The key that a signature names; the list is the gateway's own: `id:key` pairs, so that an old and a new one work at once. */
async function keyOf(list, id) {
  const pair = list.split(",").find((known) => known.trim().startsWith(`${id}:`));
  if (!pair) return null;
  return crypto.subtle.importKey("raw", bytes(pair.trim().slice(id.length + 1)), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

/**
 * The caller behind a request: `{ account, app, user, scopes, credential, requestId }`, `app` being null for an API key.
 * Null when the request did not come through the gateway.
 */
export async function caller(request, keys, { now = Date.now(), ageS = 60 } = {}) {
  const input = request.headers.get("signature-input")?.match(/^edgegrant=(\(([^)]*)\);[\w;="-]+)$/);
  const signature = request.headers.get("signature")?.match(/^edgegrant=:([A-Za-z0-9+/=]+):$/);
  if (!input || !signature) return null;
  const [, params, list] = input;
  const covered = list.split(" ").map((name) => name.slice(1, -1));
  const own = [...request.headers.keys()].filter((name) => name.startsWith("edgegrant-"));
  if (![...Object.keys(PARTS), ...own].every((name) => covered.includes(name))) return null;
  const [, created] = params.match(/;created=(\d+)/) ?? [];
  if (!created || Math.abs(now / 1000 - Number(created)) > ageS) return null;
  const [, id] = params.match(/;keyid="(\d+)"/) ?? [];
  const key = await keyOf(keys, id);
  if (!key) return null;
  const lines = covered.map((name) => `"${name}": ${PARTS[name]?.(request) ?? request.headers.get(name)}`);
  const base = new TextEncoder().encode([...lines, `"@signature-params": ${params}`].join("\n"));
  if (!(await crypto.subtle.verify("HMAC", key, bytes(signature[1], signature[1]), base))) return null;
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
