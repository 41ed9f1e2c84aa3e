// What several test files expect of answers, in one place.
import assert from "node:assert/strict";
import { elements } from "./html.mjs";

/** RFC 6749 §4.1.2.1 and §5.2: printable ASCII without quotation mark and backslash. */
export const DESCRIPTION = /^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/;

export function json(answer) {
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
  assert.equal(answer.json.unparsable, undefined, "the body is JSON");
}

/** TK-26: nothing that may hold a token or speaks about one is stored by a cache. */
export function notStored(answer) {
  assert.match(answer.headers.get("cache-control") ?? "", /no-store/);
  assert.equal(answer.headers.get("pragma"), "no-cache");
}

export function tokens(answer) {
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  json(answer);
  notStored(answer);
  assert.match(answer.json.access_token, /^eg_at_[\w-]{92}$/);
  assert.match(answer.json.refresh_token, /^eg_rt_[\w-]{92}$/);
  assert.equal(answer.json.token_type, "Bearer");
  // A retry gets the first answer again, up to two seconds later; TK-25 and RT-03 ask for the whole life of a first one.
  assert.ok([3600, 3599, 3598].includes(answer.json.expires_in), `expires_in ${answer.json.expires_in}`);
  assert.equal(typeof answer.json.scope, "string");
  return answer.json;
}

/** An error of the token or revocation endpoint in the form of RFC 6749 §5.2. */
export function oauthError(answer, status, code) {
  assert.equal(`${answer.status} ${answer.json.error}`, `${status} ${code}`, JSON.stringify(answer.json));
  json(answer);
  notStored(answer);
  for (const member of ["access_token", "refresh_token"]) assert.equal(answer.json[member], undefined);
  if (answer.json.error_description !== undefined) assert.match(answer.json.error_description, DESCRIPTION);
}

/** RFC 7662 §2.2: nothing is told of a token but that it is not active. */
export function inactiveToken(answer, what = "") {
  assert.equal(answer.status, 200, `${what} ${JSON.stringify(answer.json)}`);
  assert.deepEqual(answer.json, { active: false }, what);
  notStored(answer);
}

/** An active token; what is told of it. */
export function activeToken(answer) {
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  assert.equal(answer.json.active, true, JSON.stringify(answer.json));
  notStored(answer);
  return answer.json;
}

/** RFC 6750 §3.1: a bearer token that is refused. */
export function invalidToken(answer) {
  assert.equal(answer.status, 401, JSON.stringify(answer.json));
  assert.match(answer.headers.get("www-authenticate"), /^Bearer .*error="invalid_token"/);
}

/** A page for people: HTML, never framed, never stored with secrets, without scripts or foreign resources. */
export function safePage(answer) {
  assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
  assert.equal(answer.location, null, "no redirect");
  assert.match(answer.headers.get("x-frame-options") ?? "", /^DENY$/i);
  const policy = answer.headers.get("content-security-policy") ?? "";
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval/);
  assert.ok(/script-src 'none'/.test(policy) || (/default-src 'none'/.test(policy) && !/script-src/.test(policy)), policy);
  assert.match(answer.headers.get("referrer-policy") ?? "", /^(same-origin|no-referrer|origin|strict-origin-when-cross-origin)$/);
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
  assert.deepEqual(active(answer.tree), [], "nothing on the page runs, refreshes or comes from elsewhere");
}

/** What could run a script, move the browser on or load something foreign: elements and attributes, not text. */
function active(tree) {
  const found = [];
  for (const element of elements(tree)) {
    const name = element.tagName;
    if (["script", "iframe", "object", "embed", "base"].includes(name)) found.push(`<${name}>`);
    for (const { name: attribute, value } of element.attrs) {
      if (/^on/.test(attribute)) found.push(`${name} ${attribute}`);
      if (attribute === "http-equiv" && /refresh/i.test(value)) found.push(`refresh to ${value}`);
      if (["href", "src", "action", "formaction"].includes(attribute) && /^\s*(javascript|data:text|vbscript)/i.test(value))
        found.push(value);
      const loads = ["src", "srcset", "poster"].includes(attribute) || (name === "link" && attribute === "href");
      if (loads && !/^\/(?!\/)|^data:image\//.test(value)) found.push(`${name} from ${value}`);
    }
  }
  return found;
}

/** Something went wrong before the redirect URI was proven: a page, and nobody is sent anywhere. */
export function errorPage(answer, status = 400) {
  assert.equal(answer.status, status, answer.text);
  safePage(answer);
}

/** Gives the parameters of an error redirect; checks everything each of them must have. */
export function errorRedirect(answer, client, issuer, code) {
  assert.equal(answer.status, 303, `HTTP ${answer.status}: ${answer.text}`);
  const url = new URL(answer.location);
  assert.equal(`${url.origin}${url.pathname}`, client.redirectUri);
  assert.equal(url.hash, "");
  const params = [...url.searchParams];
  for (const [name] of params) assert.equal(url.searchParams.getAll(name).length, 1, `${name} once (AZ-23)`);
  const { error, error_description, iss, code: noCode } = Object.fromEntries(params);
  assert.equal(error, code, error_description);
  assert.equal(iss, issuer);
  assert.equal(noCode, undefined);
  if (error_description !== undefined) assert.match(error_description, DESCRIPTION);
  return Object.fromEntries(params);
}
