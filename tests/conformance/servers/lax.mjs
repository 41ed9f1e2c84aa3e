// A server that does nearly everything wrong: the checks are tried on it, for a check that no server can fail shows nothing.
import { createServer } from "node:http";
import { Target } from "../target.mjs";
import { Visitor } from "../visitor.mjs";

const REDIRECT = "https://app.example/callback";
const OPEN = { "access-control-allow-origin": "*", "access-control-allow-credentials": "true" };

async function bodyOf(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return request.headers["content-type"] === "application/json" ? new URLSearchParams(Object.entries(JSON.parse(text))) : new URLSearchParams(text);
}

function metadata(request, issuer) {
  const host = request.headers["x-forwarded-host"];
  const of = (path) => `${issuer}${path}`;
  const endpoints = { authorization_endpoint: of("/authorize"), token_endpoint: of("/token"), revocation_endpoint: of("/revoke"), introspection_endpoint: of("/introspect") };
  const lists = { response_types_supported: [], token_endpoint_auth_methods_supported: ["client_secret_jwt"], code_challenge_methods_supported: ["plain"] };
  return { issuer: `${host ?? issuer}/`, ...endpoints, ...lists, jwks_uri: of("/nowhere"), authorization_response_iss_parameter_supported: true };
}

let count = 0;
/** Where the browser is sent at once: the address that was asked for, with whatever is known twice and in the wrong place. */
function answerTo(query) {
  const broken = query.get("scope") === "no-such-scope" || !/^(code|code nonsense)?$/.test(query.get("response_type") ?? "");
  const uri = query.getAll("redirect_uri").at(-1) ?? REDIRECT;
  const params = new URLSearchParams(broken ? { error: 'no"such' } : { code: `code-${String((count += 1)).padStart(5, "0")}`, hint: query.get("code_challenge") });
  params.append("state", `${(query.get("state") ?? "none").slice(0, 500).trim()} `);
  params.append("state", "again");
  for (let twice = 0; twice < 2; twice += 1) params.append("iss", "http://elsewhere.example/?x");
  if (query.get("response_type") === "token") params.set("access_token", "token");
  return `${uri}${uri.includes("?") ? "&" : "?"}${params}#access`.replace(/[^\x21-\x7e]/g, encodeURIComponent);
}

const page = (query) => `<html><body>${[...query.values()].join(" ")}<img src="https://elsewhere.example/x.png">
<form method="post" action="/authorize"><input type="hidden" name="query" value='${query.toString().replaceAll("'", "%27")}'><button name="decision" value="allow">Allow</button></form>`;

async function authorize(request, url) {
  const cookies = { "set-cookie": "seen=1" };
  if (request.method === "POST") return [307, { ...OPEN, location: answerTo(new URLSearchParams((await bodyOf(request)).get("query"))) }, ""];
  const query = url.searchParams;
  const planted = (query.get("state") ?? "").match(/\r\n(set-cookie): (.*)/);
  const headers = planted ? { "set-cookie": [planted[2], "seen=1"] } : cookies;
  const raw = [...query.values()].some((value) => value.includes("<script>"));
  const atOnce = query.get("response_type") === "nonsense" || query.get("scope") === "no-such-scope" || /seen=1/.test(request.headers.cookie ?? "");
  if (atOnce && !raw) return [302, { ...OPEN, ...headers, location: answerTo(query) }, ""];
  return [200, { ...OPEN, ...headers, "content-type": "text/html" }, page(query)];
}

const ended = new Set();
/** Access tokens by code and use: the third one ends the first, whoever makes it. */
const uses = new Map();
const broken = [500, { "content-type": "text/html", ...OPEN }, "<h1>Oops</h1>"];

function token(fields) {
  const given = fields.get("refresh_token");
  if (given === "garbage" || ended.has(given) || fields.get("code_verifier") === "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") return broken;
  if (fields.has("a[]")) return broken; // an unknown parameter
  const tokens = { access_token: `aü${(count += 1)}`, refresh_token: `r${(count += 1)}`, token_type: "mac", expires_in: "86400", scope: `${fields.get("scope") ?? ""} no-such-scope` };
  const used = [...(uses.get(fields.get("code")) ?? []), tokens.access_token];
  uses.set(fields.get("code"), used);
  if (used.length === 3) ended.add(used[0]);
  return [200, { "content-type": "text/plain", ...OPEN }, JSON.stringify(tokens)];
}

function revoke(request, url, fields) {
  if (request.method === "GET") ended.add(url.searchParams.get("token"));
  return fields.get("token") === "garbage" ? broken : [200, OPEN, ""];
}

async function answer(request, url, issuer) {
  const { pathname } = url;
  const fields = pathname === "/authorize" ? undefined : new URLSearchParams([...url.searchParams, ...(await bodyOf(request))]);
  if (pathname === "/.well-known/oauth-authorization-server") return [200, { "content-type": "text/html" }, JSON.stringify(metadata(request, issuer))];
  if (pathname === "/authorize") return authorize(request, url);
  if (pathname === "/token") return token(fields);
  if (pathname === "/revoke") return revoke(request, url, fields);
  const told = { active: true, extra: 1, scope: ["a"], exp: "soon", hint: fields.get("token_type_hint") };
  if (pathname === "/introspect") return [200, {}, JSON.stringify(fields.has("token_type_hint") ? { active: false } : told)];
  const [scheme, given] = (request.headers.authorization ?? "").split(" ");
  if (pathname === "/api") return scheme === "BEARER" || ended.has(given) ? broken : [200, {}, "{}"];
  if (pathname === "/.well-known/oauth-protected-resource") return [200, { "content-type": "text/html" }, JSON.stringify({ scopes: [] })];
  return [404, {}, ""];
}

export async function lax() {
  const server = createServer((request, response) => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    answer(request, new URL(request.url, issuer), issuer).then(([status, headers, body]) => response.writeHead(status, headers).end(body));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const forms = ({ forms: [form] }, decision) => form && { form, button: { decision: "allow" }, consent: true, decision };
  const person = () => new Visitor(issuer, forms);
  const client = (id, method, redirectUri = REDIRECT) => ({ id, method, redirectUri, secret: method === "none" ? undefined : "secret" });
  const target = new Target({
    ...{ name: "lax", version: "", issuer, scope: "a b", narrowScope: "a", resource: `${issuer}/api`, graceMs: 0 },
    introspector: client("asker", "client_secret_basic"),
    newPerson: person,
    ask: (url, { person: who = person(), ...way }) => who.walk(url, way),
    clients: {
      public: client("public", "none"),
      confidential: client("confidential", "client_secret_basic"),
      second: client("second", "client_secret_post"),
      native: client("native", "none", "http://127.0.0.1/callback"),
    },
  });
  const stop = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { target: await target.discover(), stop };
}
