// What the server says of itself: RFC 8414, and RFC 9207 §3.
import assert from "node:assert/strict";
import { check, skip } from "../suite.mjs";

const loopback = ({ hostname }) => ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
const document = (target) => target.once("metadata", () => target.send(target.metadataUrl));

const iss = async (target, client = target.any) => {
  if (target.metadata.authorization_response_iss_parameter_supported !== true) skip("not offered: the metadata does not promise iss");
  return target.once("iss", () => target.grant(client));
};

export default [
  check("MD-01", async (target) => {
    const answer = await document(target);
    assert.equal(answer.status, 200, `HTTP ${answer.status} at ${target.metadataUrl}`);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
  }),
  check("MD-02", async (target) => {
    assert.equal(target.metadata.issuer, target.issuer);
  }),
  check("MD-04", async ({ metadata }) => {
    for (const name of ["issuer", "authorization_endpoint", "token_endpoint", "response_types_supported"]) assert.ok(metadata[name], `${name} is missing`);
    assert.ok(metadata.response_types_supported.includes("code"), "response_types_supported has no code");
  }),
  check("MD-05", async ({ metadata }) => {
    for (const [name, value] of Object.entries(metadata)) {
      assert.notEqual(value, null, `${name} is null`);
      assert.ok(!Array.isArray(value) || value.length > 0, `${name} is empty`);
    }
  }),
  check("MD-06", async ({ metadata }) => {
    assert.ok(metadata.grant_types_supported, "grant_types_supported is left out, and its default claims the implicit grant");
    assert.ok(metadata.grant_types_supported.includes("authorization_code"), "authorization_code is not named");
  }),
  check("MD-07", async ({ metadata, clients }) => {
    const methods = metadata.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    for (const client of Object.values(clients)) if (client) assert.ok(methods.includes(client.method), `${client.method} works and is not in ${methods}`);
  }),
  check("MD-09", async ({ metadata }) => {
    const methods = metadata.code_challenge_methods_supported ?? [];
    assert.ok(methods.includes("S256"), `code_challenge_methods_supported is ${JSON.stringify(methods)}`);
  }),
  check("MD-10", async (target) => {
    for (const [name, value] of Object.entries(target.metadata)) {
      if (!/_endpoint$|^jwks_uri$/.test(name) || typeof value !== "string") continue;
      const form = /^(token|revocation|introspection|pushed|registration|device|backchannel)/.test(name);
      const { status } = await target.send(value, form ? { method: "POST", body: new URLSearchParams() } : {});
      assert.ok(status !== 404 && status < 500, `${name}: HTTP ${status}`);
    }
  }),
  check("MD-12", async (target) => {
    const { headers } = await target.send(target.metadataUrl, { headers: { origin: "https://spa.example" } });
    assert.match(headers.get("access-control-allow-origin") ?? "", /^(\*|https:\/\/spa\.example)$/, "no script of another origin may read it");
  }),
  check("TK-39", async (target) => {
    const headers = { "x-forwarded-host": "attacker.example", "x-forwarded-proto": "http", forwarded: "host=attacker.example" };
    const { json } = await target.send(target.metadataUrl, { headers });
    assert.deepEqual(json, (await document(target)).json, "headers of a caller change the metadata");
  }),
  check("IS-01", async (target) => {
    const { location } = await iss(target);
    assert.equal(location.searchParams.getAll("iss").length, 1);
  }),
  check("IS-02", async (target) => {
    await iss(target);
    const { location } = await target.request(target.any, { response_type: "nonsense" });
    if (!location?.searchParams.has("error")) skip("no error was redirected");
    assert.equal(location.searchParams.get("iss"), target.metadata.issuer);
  }),
  check("IS-03", async (target) => {
    const { location } = await iss(target);
    const url = new URL(location.searchParams.get("iss"));
    assert.ok(url.protocol === "https:" || loopback(url), url.href);
    assert.equal(`${url.search}${url.hash}`, "");
  }),
  check("IS-04", async (target) => {
    const { location } = await iss(target);
    assert.equal(location.searchParams.get("iss"), target.metadata.issuer);
  }),
];
