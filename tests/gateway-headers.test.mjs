// Headers through the gateway: nobody but Edgegrant says whose request it is, in no spelling; the signature holds; and an
// answer does not speak for Edgegrant's origin.
import assert from "node:assert/strict";
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { httpbis } from "http-message-signatures";
import { connect, me, signedIn, spa } from "./harness/client.mjs";
import { rawLines } from "./harness/raw.mjs";
import { startServer } from "./harness/server.mjs";
import { echo, pairs, upstream } from "./harness/upstream.mjs";

const OLD = `1:${Buffer.alloc(32, 1).toString("base64url")}`;
const NEW = Buffer.alloc(32, 2);
const RULES = [{ methods: ["GET", "POST"], path: "/api/v1/*", scopes: [] }];
const OURS = ["account", "app", "credential", "request-id", "scope", "user"].map((name) => `edgegrant-${name}`);

let api, server, bound, held, heldBound, account;
before(async () => {
  api = await upstream();
  const POLICY = JSON.stringify({ gateway: { rules: RULES }, api: { rate: { limit: 1_000_000, window_s: 60 } } });
  const GATEWAY_KEYS = `9:${NEW.toString("base64url")},${OLD}`;
  server = await startServer({ direct: true, vars: { POLICY, GATEWAY_KEYS, UPSTREAM: api.origin } });
  bound = await startServer({
    direct: true,
    vars: { POLICY, GATEWAY_KEYS },
    workers: [{ name: "echo", script: "workers/echo/index.mjs" }],
    services: { API: "echo" },
  });
  held = await connect(server, await signedIn(server), spa(server));
  heldBound = await connect(bound, await signedIn(bound), spa(bound));
  account = (await me(server, held.access_token)).json.account.id;
});
after(async () => {
  await Promise.all([server.stop(), bound.stop()]);
  api.close();
});

/** A request with exactly these header lines; what the API got of it: headers as pairs, in lower case. */
async function through(lines, { target = "/api/v1/x", method = "GET", body = "", on = server } = {}) {
  const token = on === server ? held.access_token : heldBound.access_token;
  const head = [`${method} ${target} HTTP/1.1`, `host: ${new URL(on.issuer).host}`, `authorization: Bearer ${token}`, ...lines];
  const answer = await rawLines(on.direct, head, body);
  return { status: answer.status, ...(answer.status === 200 ? JSON.parse(answer.text) : {}) };
}
const values = (headers, name) => headers.filter(([known]) => known === name).map(([, value]) => value);
const folded = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, "-");

const SMUGGLED = {
  plain: ["Edgegrant-Account: evil"],
  "lower case": ["edgegrant-account: evil"],
  "upper case": ["EDGEGRANT-ACCOUNT: evil"],
  twice: ["Edgegrant-Account: evil", "edgegrant-account: evil2"],
  underscore: ["Edgegrant_Account: evil"],
  "both spellings at once": ["Edgegrant_Account: evil", "Edgegrant-Account: evil"],
  dot: ["edgegrant.account: evil"],
  "odd characters that names may have": ["edgegrant!account: evil", "edgegrant~account: evil", "edgegrant|scope: evil", "edgegrant'user: evil"],
  "mixed odd characters": ["edgegrant_-_account: evil", "Edgegrant-_User: evil"],
  "named by Connection": ["connection: edgegrant-account, edgegrant-scope, signature", "Edgegrant-Account: evil"],
  "very long": [`Edgegrant-Account: evil${"x".repeat(12_000)}`],
  "not ASCII": ["Edgegrant-Account: evil\xe9\xff"],
  empty: ["Edgegrant-Account:"],
  "every name of ours": OURS.map((name) => `${name}: evil`),
  "another name of ours": ["Edgegrant-Admin: evil"],
  signature: ["Signature: edgegrant=:ZXZpbA==:", 'Signature-Input: edgegrant=();keyid="evil"', "signature_input: evil"],
};

test("A24: nobody else says whose request it is, in no spelling of a name; ours are there exactly once", async () => {
  for (const on of [server, bound]) {
    for (const [how, lines] of Object.entries(SMUGGLED)) {
      const { status, headers } = await through(lines, { on });
      assert.equal(status, 200, how);
      assert.ok(!JSON.stringify(headers).includes("evil"), `${how}: ${JSON.stringify(headers)}`);
      const ours = headers.filter(([name]) => folded(name).startsWith("edgegrant-"));
      assert.deepEqual(ours.map(([name]) => name).sort(), OURS, how);
      for (const name of ["signature", "signature-input"]) assert.equal(headers.filter(([known]) => folded(known) === name).length, 1, how);
      assert.deepEqual(values(headers, "edgegrant-account"), [account], how);
    }
  }
});

test("white space and folded lines around a name do not get past either", async () => {
  for (const lines of [["Edgegrant-Account : evil"], [" Edgegrant-Account: evil"], ["x-first: 1", "\tEdgegrant-Account: evil"], ["x: 1\rEdgegrant-Account: evil"], ["x: 1\nEdgegrant-Account: evil"]]) {
    const { headers } = await through(lines);
    const named = (headers ?? []).filter(([name]) => folded(name).startsWith("edgegrant-"));
    if (headers) assert.deepEqual(named.map(([name]) => name).sort(), OURS, JSON.stringify(lines));
    if (headers) assert.deepEqual(values(headers, "edgegrant-account"), [account]);
  }
});

test("what the API is told of the caller", async () => {
  const { headers } = await through([]);
  const told = new Map(headers);
  assert.equal(told.get("edgegrant-app"), "demo-spa");
  assert.equal(told.get("edgegrant-credential"), "access_token");
  assert.deepEqual(told.get("edgegrant-scope").split(" ").sort(), held.scope.split(" ").sort());
  assert.match(told.get("edgegrant-user"), /^[0-9a-f]{32}$/);
  assert.match(told.get("edgegrant-request-id"), /^[0-9a-f]{16}$/);
  await server.line({ id: told.get("edgegrant-request-id"), status: 200 });
  assert.notEqual(new Map((await through([])).headers).get("edgegrant-request-id"), told.get("edgegrant-request-id"));
  assert.ok(!JSON.stringify(headers).includes("Demo Salon") && !JSON.stringify(headers).includes(held.access_token));
});

test("credentials, cookies, addresses, method overrides and what belongs to the connection stay behind; the rest goes through", async () => {
  const dropped = [
    "Cookie: a=evil",
    "Proxy-Authorization: evil",
    "X-HTTP-Method: evil",
    "X-HTTP-Method-Override: evil",
    "X_HTTP_Method_Override: evil",
    "X-Method-Override: evil",
    "X-Original-URL: /evil",
    "X-Rewrite-URL: /evil",
    "Forwarded: for=evil",
    "X-Forwarded-For: evil",
    "X-Forwarded-Host: evil",
    "X-Forwarded-Proto: evil",
    "X-Real-IP: evil",
    "True-Client-IP: evil",
    "CF-Connecting-IP: evil",
    "CF-Access-Authenticated-User-Email: evil",
    "Connection: x-nominated",
    "X-Nominated: evil",
    "Keep-Alive: evil",
    "TE: evil",
    "Trailer: evil",
    "Upgrade: evil",
  ];
  const kept = [
    "Accept: application/json;q=0.5",
    "Accept-Language: de",
    "User-Agent: tester/1",
    "If-None-Match: \"x\"",
    "Idempotency-Key: 1",
    "Range: bytes=0-1",
    "X-Request-Id: mine",
    "X.Odd!Name: 1",
    "Origin: https://spa.example",
    "Referer: https://spa.example/",
    `X-Long: ${"y".repeat(8_000)}`,
  ];
  for (const on of [server, bound]) {
    const { headers } = await through([...dropped, ...kept], { on });
    assert.ok(!JSON.stringify(headers).includes("evil"), JSON.stringify(headers));
    assert.deepEqual(values(headers, "authorization"), []);
    for (const line of kept) {
      const [name, value] = line.split(": ");
      assert.deepEqual(values(headers, name.toLowerCase()), [value], name);
    }
  }
  assert.deepEqual(values((await through([])).headers, "host"), [api.host]);
  assert.deepEqual(values((await through(["Accept: a", "Accept: b"])).headers, "accept"), ["a, b"]);
});

test("two credentials in one request are an invalid request", async () => {
  for (const line of ["authorization: Bearer x", `Authorization: Bearer ${held.access_token}`]) assert.equal((await through([line])).status, 400);
});

test("a Host of somebody else's does not come in at all", async () => {
  const answer = await rawLines(server.direct, ["GET /api/v1/x HTTP/1.1", "host: evil.example", `authorization: Bearer ${held.access_token}`]);
  assert.equal(answer.status, 421);
  const absolute = await through([], { target: "http://evil.example/api/v1/x" });
  if (absolute.status === 200) assert.deepEqual([absolute.url, values(absolute.headers, "host")], ["/api/v1/x", [api.host]]);
});

/** What http-message-signatures says of a request as the API got it; `change` makes it another one. */
async function verified({ method, url, headers }, origin, change = {}) {
  const message = { method, url: new URL(url, origin).href, headers: Object.fromEntries(headers), ...change };
  const keyLookup = async ({ keyid }) =>
    keyid !== "9" ? null : {
      id: "9",
      algs: ["hmac-sha256"],
      verify: async (data, signature) => {
        const tag = createHmac("sha256", NEW).update(data).digest();
        return tag.length === signature.length && timingSafeEqual(tag, signature);
      },
    };
  const requiredFields = ["@method", "@authority", "@path", "@query", ...OURS];
  return httpbis.verifyMessage({ keyLookup, requiredFields, requiredParams: ["created", "expires", "keyid", "alg"] }, message).catch((error) => error.message);
}

test("RFC 9421: another implementation verifies the signature, under the newest key, and what is changed breaks it", async () => {
  for (const [target, method, on, origin] of [
    ["/api/v1/x", "GET", server, api.origin],
    ["/api/v1/x?", "GET", server, api.origin],
    ["/api/v1/%41%2C/a:b@c/?a=1&a=%C3%A9&it='s'&&b=+", "POST", server, api.origin],
    ["/api/v1/x?q=1", "POST", bound, bound.issuer],
  ]) {
    const got = await through(method === "POST" ? ["content-length: 2"] : [], { target, method, body: method === "POST" ? "ab" : "", on });
    const input = values(got.headers, "signature-input")[0];
    const [, created, expires] = input.match(/;created=(\d+);expires=(\d+);keyid="9";alg="hmac-sha256"$/);
    assert.equal(Number(expires) - Number(created), 60);
    assert.ok(Math.abs(Date.now() / 1000 - Number(created)) < 5);
    assert.ok(input.startsWith(`edgegrant=("@method" "@authority" "@path" "@query" ${OURS.map((name) => `"${name}"`).join(" ")});`), input);
    assert.equal(await verified(got, origin), true, target);
    const other = (name, value) => ({ headers: { ...Object.fromEntries(got.headers), [name]: value } });
    for (const change of [{ method: "PUT" }, { url: `${origin}/api/v1/y` }, { url: `${origin}${target}&x` }, ...OURS.map((name) => other(name, "evil"))])
      assert.notEqual(await verified(got, origin, change), true, JSON.stringify(change));
  }
});

test("README: its verification accepts what the gateway sends, and nothing else", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, code] = readme.match(/```js\n(\/\/ Verifies a request of the gateway[^]*?)```/);
  const source = `data:text/javascript,${encodeURIComponent(code)}`;
  const { verified: check } = await import(source);
  const keys = { 9: NEW.toString("base64url") };
  const { method, url, headers } = await through(["content-length: 2"], { target: "/api/v1/a%20b?x=%27&y='", method: "POST", body: "ab" });
  const request = (changes = {}) => new Request(api.origin + (changes.url ?? url), { method: changes.method ?? method, headers: { ...Object.fromEntries(headers), ...changes.headers } });
  assert.equal(await check(request(), keys, api.host), true);
  for (const changes of [{ method: "PUT" }, { url: `${url}1` }, { headers: { "edgegrant-account": "evil" } }, { headers: { "signature-input": "edgegrant=()" } }, { headers: { signature: "edgegrant=::" } }])
    assert.equal(await check(request(changes), keys, api.host), false, JSON.stringify(changes));
  assert.equal(await check(request(), { 1: keys[9] }, api.host), false);
  assert.equal(await check(request(), keys, "other.example"), false);
  assert.equal(await check(new Request(api.origin + url), keys, api.host), false);
  const input = values(headers, "signature-input")[0];
  for (const changed of [input.replace(/expires=\d+/, "expires=1"), input.replace('"@path" ', ""), input.replace(' "edgegrant-user"', ""), input.replace("edgegrant=", "other=")])
    assert.equal(await check(request({ headers: { "signature-input": changed } }), keys, api.host), false, changed);
});

/** An answer of the API with these headers, as the app gets it. */
async function answered(headers, { status = 200, body = "{}", on = server, ...init } = {}) {
  api.answer = (request, response) => {
    request.resume();
    response.writeHead(status, Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => [name, one])).flat());
    response.end(body);
  };
  const answer = await on.fetch("/api/v1/x", { ...init, headers: { authorization: `Bearer ${held.access_token}`, ...init.headers } });
  api.answer = echo;
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

test("an answer does not speak for our origin", async () => {
  const { status, headers } = await answered({
    "Set-Cookie": ["__Host-session=evil; Path=/", "b=evil"],
    "Set-Cookie2": "evil",
    "Access-Control-Allow-Origin": "https://evil.example",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "evil",
    "Clear-Site-Data": '"evil"',
    "Service-Worker-Allowed": "/evil",
    "Strict-Transport-Security": "max-age=0; evil",
    "Public-Key-Pins": "evil",
    "Alt-Svc": "evil",
    NEL: "evil",
    "Report-To": "evil",
    "Reporting-Endpoints": "evil",
    "Edgegrant-Account": "evil",
    "RateLimit-Limit": "evil",
    "RateLimit-Remaining": "evil",
    "X-Content-Type-Options": "evil",
    "Content-Security-Policy": "evil",
    "Proxy-Authenticate": "evil",
    Connection: "x-nominated",
    "X-Nominated": "evil",
    "Content-Type": "text/html",
    Vary: "Accept-Encoding",
    ETag: '"1"',
    Link: "</x>; rel=next",
  });
  assert.equal(status, 200);
  assert.ok(![...headers].some(([, value]) => value.includes("evil")), JSON.stringify([...headers]));
  for (const [name, value] of [
    ["access-control-allow-origin", "*"],
    ["access-control-allow-credentials", null],
    ["x-content-type-options", "nosniff"],
    ["content-security-policy", "sandbox"],
    ["cache-control", "no-store"],
    ["etag", '"1"'],
    ["link", "</x>; rel=next"],
    ["vary", "Accept-Encoding, Origin"],
    ["ratelimit-limit", "1000000"],
    ["strict-transport-security", null],
  ])
    assert.equal(headers.get(name), value, name);
  assert.match(headers.get("access-control-expose-headers"), /^\*, Retry-After, RateLimit-Limit/);
});

test("only JSON is not put into a sandbox; what the API says about caching stays", async () => {
  for (const [type, policy] of [
    ["application/json", null],
    ["application/problem+json; charset=utf-8", null],
    ["text/html", "sandbox"],
    ["image/svg+xml", "sandbox"],
    ["text/javascript", "sandbox"],
    ["application/json, text/html", "sandbox"],
    [null, "sandbox"],
  ]) {
    const { headers } = await answered({ ...(type && { "Content-Type": type }), "Cache-Control": "private, max-age=5" });
    assert.equal(headers.get("content-security-policy"), policy, type);
    assert.equal(headers.get("cache-control"), "private, max-age=5");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
});

test("redirects are passed on, not followed; 204, 304, ranges and HEAD work", async () => {
  for (const [status, location] of [[302, "https://elsewhere.example/"], [307, "/api/v1/y"]]) {
    const before = api.seen.length;
    const { headers, status: got } = await answered({ Location: location }, { status, body: "" });
    assert.deepEqual([got, headers.get("location"), api.seen.length - before], [status, location, 1]);
  }
  const none = await answered({}, { status: 204, body: undefined });
  assert.deepEqual([none.status, none.text], [204, ""]);
  const same = await answered({ ETag: '"7"' }, { status: 304, body: undefined, headers: { "if-none-match": '"7"' } });
  assert.deepEqual([same.status, same.text, same.headers.get("etag")], [304, "", '"7"']);
  const part = await answered({ "Content-Range": "bytes 0-2/10", "Content-Type": "text/plain" }, { status: 206, body: "abc", headers: { range: "bytes=0-2" } });
  assert.deepEqual([part.status, part.text, part.headers.get("content-range")], [206, "abc", "bytes 0-2/10"]);
  const head = await answered({ "Content-Length": "777", "Content-Type": "application/json" }, { method: "HEAD", body: "" });
  assert.deepEqual([head.status, head.text, head.headers.get("content-length")], [200, "", "777"]);
  assert.equal(api.seen.at(-1).method, "HEAD");
});

test("a status that is none is 502", async () => {
  for (const status of [600, 999]) assert.equal((await answered({}, { status, body: "x" })).status, 502, String(status));
});

test("what a GET carries is not sent on, and lengths are right", async () => {
  const got = await through(["content-length: 3"], { method: "GET", body: "abc" });
  assert.deepEqual([got.status, got.body, values(got.headers, "content-length").length], [200, "", 0]);
  const posted = await through(["content-length: 3"], { method: "POST", body: "abcX" });
  assert.deepEqual([posted.body, values(posted.headers, "content-length")], ["abc", ["3"]]);
  const chunked = await through(["transfer-encoding: chunked"], { method: "POST", body: "3\r\nabc\r\n0\r\n\r\n" });
  assert.deepEqual([chunked.body, values(chunked.headers, "transfer-encoding")], ["abc", ["chunked"]]);
  const empty = await through(["content-length: 0"], { method: "POST" });
  assert.deepEqual([empty.body, values(empty.headers, "content-length")], ["", ["0"]]);
  assert.ok(pairs(api.seen.at(-1)).length > 0);
});
