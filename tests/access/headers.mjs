// What every answer must say about itself to browsers and caches, by what it is. access.test.mjs holds each call of its
// table to this, headers.test.mjs those of a deployment on https.

const PAGE_POLICY = /^default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'( [\w.:/-]+)*$/;
const FILE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const NOT_STORED = { "cache-control": "no-store" };
const ANYWHERE = { "access-control-allow-origin": "*", vary: /\bOrigin\b/ };
const OWN = { "cross-origin-resource-policy": "same-origin" };
const PLAIN = { "x-content-type-options": "nosniff" };

/** By kind of answer. A text must be the value, a pattern match it; `null`: the header is not there. */
const KINDS = {
  page: { ...PLAIN, ...NOT_STORED, ...OWN, "content-security-policy": PAGE_POLICY, "x-frame-options": "DENY", "referrer-policy": "same-origin" },
  file: { ...PLAIN, ...OWN, "content-security-policy": FILE_POLICY, "x-frame-options": "DENY", "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin" },
  redirect: { ...NOT_STORED, "referrer-policy": "no-referrer" },
  download: { ...PLAIN, ...NOT_STORED, ...OWN, "content-disposition": /^attachment; / },
  image: { ...PLAIN, "cache-control": "public, max-age=31536000, immutable", "content-security-policy": "default-src 'none'; sandbox" },
  json: { ...PLAIN, ...NOT_STORED, pragma: "no-cache" },
  // Read by scripts of other origins: no answer to them depends on a cookie, so any origin may read it, or the app's own.
  api: { ...PLAIN, ...NOT_STORED, ...ANYWHERE },
  client: { ...PLAIN, ...NOT_STORED, "access-control-allow-origin": /^(\*|https?:\/\/[^/]+)$|^$/ },
  metadata: { ...PLAIN, ...ANYWHERE, "cache-control": "public, max-age=300" },
};

/** Pages that people, developers and staff use, and no app opens: they are out of reach of a window that opened them. */
const OWN_WINDOW = /^\/(account|developers|admin)(\/|$)/;

/** Where a JSON answer may be read by other origins. */
function kindOfJson(path) {
  if (/^\/\.well-known\//.test(path)) return "metadata";
  if (/^\/api\//.test(path)) return "api";
  if (/^\/oauth\/(token|revoke)$/.test(path)) return "client";
  return "json";
}

/** What an answer at a path is. */
export function kindOf(path, answer) {
  const type = answer.headers.get("content-type") ?? "";
  if (path === "/" || path === "/openapi.json") return "file";
  if (answer.status >= 300 && answer.status < 400) return "redirect";
  if (type.startsWith("text/html")) return "page";
  if (type.startsWith("image/")) return "image";
  if (type.startsWith("text/csv") || path === "/account/profile/export") return "download";
  return kindOfJson(path);
}

/** What no answer has: what runs here, a reader of ours that is no app's, what lets a page read with somebody's cookies. */
const NEVER = ["server", "x-powered-by", "access-control-allow-credentials"];
const CROSS_ORIGIN = ["access-control-allow-origin", "access-control-expose-headers"];

function fits(wanted, value) {
  if (wanted === null) return value === null;
  return wanted instanceof RegExp ? wanted.test(value ?? "") : value === wanted;
}

/** Headers of an answer that are not as they must be, in words. */
export function wrongHeaders(path, answer, { secure = false } = {}) {
  const kind = kindOf(path, answer);
  const wanted = { ...KINDS[kind] };
  for (const name of NEVER) wanted[name] = null;
  if (!("access-control-allow-origin" in wanted)) for (const name of CROSS_ORIGIN) wanted[name] = null;
  // The release build adds it to the headers of files, whose server here is on http.
  if (kind !== "file") wanted["strict-transport-security"] = secure ? "max-age=31536000" : null;
  if (kind !== "file") wanted["x-request-id"] = /^[\w-]+$/;
  if (kind === "page" && answer.status < 500 && OWN_WINDOW.test(path)) wanted["cross-origin-opener-policy"] = "same-origin";
  const wrong = Object.entries(wanted).filter(([name, value]) => !fits(value, answer.headers.get(name)));
  const cookies = answer.headers.getSetCookie().filter((cookie) => !cookieIsSafe(cookie, secure));
  return [
    ...wrong.map(([name, value]) => `${kind} ${path}: ${name} is ${answer.headers.get(name)}, not ${value}`),
    ...cookies.map((cookie) => `${kind} ${path}: cookie ${cookie.replace(/=[^;]*/, "=…")}`),
  ];
}

/** Out of reach of scripts and of requests that other sites make; on https of this host only, and never sent in the clear. */
function cookieIsSafe(cookie, secure) {
  const [pair, ...attributes] = cookie.split("; ");
  const has = (name) => attributes.includes(name);
  return has("HttpOnly") && has("SameSite=Lax") && has("Path=/") && (!secure || (has("Secure") && pair.startsWith("__Host-")));
}
