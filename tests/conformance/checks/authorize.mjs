// The authorization endpoint: which requests bring a code, and where refusals go. RFC 6749 §3.1 and §4.1, RFC 7636, RFC 9700.
import assert from "node:assert/strict";
import { pkce } from "../../harness/client.mjs";
import { check, need, skip } from "../suite.mjs";
import { brief, described, parameter } from "../target.mjs";

/** No code came, and nobody was sent to an address that is not the client's. */
function nowhere(way, what) {
  assert.ok(!way.location, `${what}: ${described(way)}`);
}

/** No code came; a redirect to the app, if there is one, says one of these errors. */
function refused(way, errors, what = "") {
  if (!way.location) return;
  assert.ok(!parameter(way.location, "code"), `${what} a code was given`);
  assert.ok(errors.includes(parameter(way.location, "error")), `${what} ${described(way)}`);
}

/** Spellings of a redirect URI that are not the registered one. */
function otherSpellings(uri) {
  const { protocol, host, hostname, pathname, origin } = new URL(uri);
  const rest = host.slice(hostname.length);
  const changed = pathname.replace(/[a-z]/, (letter) => letter.toUpperCase());
  const first = pathname.replace(/[a-z]/i, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  const list = [`${uri}/`, `${uri}?`, `${uri}?extra=1`, `${uri}?code=attacker`, `${uri}&code=attacker`, `${uri}/../x`, `${uri}/%2e%2e/`, `${uri}..%2f`];
  list.push(`${uri}%252F`, `${uri};/../../`, `${uri}%3B`, `${uri}%0A%0D`, `${uri}%00`, `${uri} `, `${uri}\t`, `${uri}\n`, `${uri}/Wrong`);
  list.push(`${origin}${changed}`, `${origin}/${pathname}`, `${origin}${first}`, `${protocol}//${hostname}.attacker.example${pathname}`);
  list.push(`${protocol}//attacker.example/${host}${pathname}`, `${protocol}//${host}@attacker.example${pathname}`, `${protocol}//user@${host}${pathname}`);
  list.push(`${protocol}//sub.${host}${pathname}`, `${protocol}//${hostname}.${rest}${pathname}`, `${protocol}//${host}\\${pathname.slice(1)}`);
  list.push(`//${host}${pathname}`, pathname, "javascript:alert(1)//", "data:text/html,x", "https://attacker.example/");
  if (!rest) list.push(`${protocol}//${host}:${protocol === "https:" ? 443 : 80}${pathname}`, `${protocol}//${host}:8443${pathname}`);
  list.push(protocol === "https:" ? uri.replace("https:", "http:") : uri.replace("http:", "https:"));
  return list.filter((other) => other !== uri);
}

export default [
  check("AZ-01", async (target) => {
    await target.grant(target.any);
  }),
  check("AZ-02", async (target) => {
    await target.grant(target.any, { extra: "foobar", "foo[]": "1" });
  }),
  check("AZ-03", async (target) => {
    const client = target.any;
    const { challenge } = pkce();
    const twice = { scope: target.scope, state: "s", response_type: "code", code_challenge: challenge, code_challenge_method: "S256" };
    for (const [name, value] of Object.entries(twice)) {
      refused(await target.request(client, { [name]: [value, value] }), ["invalid_request"], `${name} twice:`);
    }
    refused(await target.request(client, { client_id: [client.id, client.id] }), ["invalid_request"], "client_id twice:");
    const uris = [client.redirectUri, "https://attacker.example/"];
    for (const both of [uris, uris.toReversed()]) {
      const way = await target.request(client, { redirect_uri: both });
      assert.ok(!way.location || way.location.href.startsWith(client.redirectUri), `two redirect URIs: ${described(way)}`);
      refused(way, ["invalid_request"], "redirect_uri twice:");
    }
  }),
  check("AZ-04", async (target) => {
    const { location } = await target.grant(target.any, { state: "" });
    assert.ok(!location.searchParams.get("state"), described({ location }));
    refused(await target.request(target.any, { response_type: "" }), ["invalid_request", "unsupported_response_type"], "response_type empty:");
  }),
  check("AZ-05", async (target) => {
    for (const id of [null, "unknown-client", "x".repeat(2000)]) nowhere(await target.request(target.any, { client_id: id }), `client_id ${String(id).slice(0, 20)}`);
  }),
  check("AZ-06", async (target) => {
    nowhere(await target.request(target.any, { redirect_uri: "https://attacker.example/callback" }), "an unregistered redirect URI");
  }),
  check("AZ-07", async (target) => {
    const wrong = [];
    for (const uri of otherSpellings(target.any.redirectUri).slice(0, target.manual ? 6 : undefined)) {
      const way = await target.request(target.any, { redirect_uri: uri });
      if (way.location) wrong.push(`${JSON.stringify(uri)} ${described(way)}`);
    }
    assert.equal(wrong.length, 0, `${wrong.length} other spellings were redirected to: ${wrong.slice(0, 3).join("; ")}`);
  }),
  check("AZ-10", async (target) => {
    nowhere(await target.request(target.any, { redirect_uri: `${target.any.redirectUri}#fragment` }), "a fragment");
  }),
  check("AZ-12", async (target) => {
    const native = need(target.clients.native, "a public client with a redirect URI http://127.0.0.1/…");
    const { pathname } = new URL(native.redirectUri);
    for (const port of [49152, 61234]) await target.grant(native, { redirect_uri: `http://127.0.0.1:${port}${pathname}` });
    for (const other of [`http://127.0.0.1:49152${pathname}/other`, `http://127.0.0.2:49152${pathname}`]) nowhere(await target.request(native, { redirect_uri: other }), other);
  }),
  check("AZ-14", async (target) => {
    for (const type of [null, "nonsense", "token", "code nonsense"]) {
      const way = await target.request(target.any, { response_type: type });
      assert.ok(way.location || way.page?.status >= 400, `response_type ${type}: ${described(way)}`);
      assert.ok(!/access_token=/.test(way.location?.href ?? ""), `response_type ${type}: an access token in the address`);
      refused(way, ["invalid_request", "unsupported_response_type", "unauthorized_client"], `response_type ${type}:`);
    }
  }),
  check("AZ-15", async (target) => {
    const client = need(target.clients.public, "a public client");
    refused(await target.request(client, { code_challenge: null, code_challenge_method: null }), ["invalid_request"]);
  }),
  check("AZ-16", async (target) => {
    for (const method of ["S512", "s256"]) refused(await target.request(target.any, { code_challenge_method: method }), ["invalid_request"], `${method}:`);
  }),
  check("AZ-17", async (target) => {
    const way = await target.request(target.any, { code_challenge_method: null });
    const code = way.location?.searchParams.get("code");
    if (!code) return refused(way, ["invalid_request"]);
    const answer = await target.redeem(target.any, { ...way, code });
    assert.notEqual(answer.status, 200, "a challenge without a method was taken as S256");
  }),
  check("AZ-18", async (target) => {
    for (const challenge of ["a", "a".repeat(42), "a".repeat(129), `${"a".repeat(42)}+`, `${"a".repeat(42)} `]) {
      refused(await target.request(target.any, { code_challenge: challenge }), ["invalid_request"], `a challenge of ${challenge.length} characters:`);
    }
  }),
  check("AZ-19", async (target) => {
    const { challenge } = pkce();
    const { location, code } = await target.grant(target.any, { code_challenge: challenge });
    const parts = [location.href, ...code.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1"))];
    for (const part of parts) assert.ok(!part.includes(challenge), "the challenge is in the response");
  }),
  check("AZ-20", async (target) => {
    for (const state of ['a b+c&d=e"f<g>ü%20', "x".repeat(1000)]) {
      const granted = await target.grant(target.any, { state });
      assert.equal(granted.location.searchParams.get("state"), state, "in a success");
      const failed = await target.request(target.any, { state, response_type: "nonsense" });
      if (failed.location) assert.equal(failed.location.searchParams.get("state"), state, "in an error");
    }
  }),
  check("AZ-21", async (target) => {
    const { location } = await target.grant(target.any, { state: null });
    assert.ok(!location.searchParams.has("state"), "a state nobody has sent");
  }),
  check("AZ-22", async (target) => {
    const { location } = await target.grant(target.any);
    assert.ok(["", "#_"].includes(location.hash), location.hash);
  }),
  check("AZ-23", async (target) => {
    const ways = [await target.grant(target.any), await target.request(target.any, { response_type: "nonsense" })];
    for (const { location } of ways) {
      for (const name of location?.searchParams.keys() ?? []) assert.equal(location.searchParams.getAll(name).length, 1, name);
    }
  }),
  check("AZ-24", async (target) => {
    for (const parameters of [{ response_type: "nonsense" }, { scope: "no-such-scope" }, { code_challenge_method: "S512" }]) {
      const { challenge } = pkce();
      const { status, headers } = await target.send(target.authorizeUrl(target.any, { code_challenge: challenge, ...parameters }));
      const location = headers.get("location");
      const sent = status >= 300 && status < 400 && location && new URL(location, target.issuer).href.startsWith(target.any.redirectUri);
      assert.ok(!sent, `with ${JSON.stringify(parameters)} somebody who has not signed in is sent to the app`);
    }
  }),
  check("AZ-27", async (target) => {
    const way = await target.request(target.any, { state: "denied" }, { decision: "deny" });
    if (way.undecided) skip("needs a way to deny");
    assert.equal(way.location?.searchParams.get("error"), "access_denied", described(way));
    assert.equal(way.location.searchParams.get("state"), "denied");
    assert.equal(way.location.searchParams.has("code"), false);
  }),
  check("AZ-28", async (target) => {
    const client = target.any;
    const way = await target.request(client, { scope: `${target.scope} no-such-scope` });
    const code = way.location?.searchParams.get("code");
    if (!code) return refused(way, ["invalid_scope"]);
    const { json } = await target.redeem(client, { ...way, code });
    assert.ok(typeof json?.scope === "string", "the scope was narrowed and the answer does not say so");
    assert.ok(!json.scope.split(" ").includes("no-such-scope"), `granted: ${json.scope}`);
  }),
  check("AZ-31", async (target) => {
    const ways = [{ response_type: 'no"such\\type' }, { scope: "no-such-scope" }, { code_challenge_method: "ü\n" }];
    for (const parameters of ways) {
      const { location } = await target.request(target.any, parameters);
      for (const name of ["error", "error_description"]) {
        const value = location?.searchParams.get(name) ?? "";
        assert.match(value, /^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/, `${name}: ${value}`);
      }
    }
  }),
  check("AZ-33", async (target) => {
    const url = target.authorizeUrl(target.any, { code_challenge: pkce().challenge });
    for (const method of ["GET", "OPTIONS"]) {
      const headers = { origin: "https://attacker.example", "access-control-request-method": "GET" };
      const answer = await target.send(url, { method, headers });
      assert.equal(answer.headers.get("access-control-allow-origin"), null, `${method}: ${brief(answer).slice(0, 20)}`);
    }
  }),
];
