// An API behind the tokens: RFC 6750, and its metadata, RFC 9728.
import assert from "node:assert/strict";
import { check, need, skip } from "../suite.mjs";
import { brief } from "../target.mjs";

const token = async (target) => {
  need(target.resource, "the address of an API that takes the tokens");
  return (await target.once("resource", () => target.tokens(target.any))).access_token;
};

const challenge = (answer) => answer.headers.get("www-authenticate") ?? "";

/** The metadata of the API, by RFC 9728 §3.1. */
const described = (target) =>
  target.once("resource metadata", async () => {
    const { origin, pathname } = new URL(need(target.resource, "the address of an API that takes the tokens"));
    const named = challenge(await target.call()).match(/resource_metadata="([^"]+)"/)?.[1];
    for (const url of [named, `${origin}/.well-known/oauth-protected-resource${pathname}`, `${origin}/.well-known/oauth-protected-resource`]) {
      const answer = url && (await target.send(url));
      if (answer && answer.status === 200) return { url, named, answer };
    }
    return undefined;
  });

const offered = async (target) => (await described(target)) ?? skip("not offered: no protected resource metadata");

export default [
  check("RS-01", async (target) => {
    const given = await token(target);
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      const answer = await target.call(undefined, { headers: { authorization: `${scheme} ${given}` } });
      assert.equal(answer.status, 200, `${scheme}: ${brief(answer)}`);
    }
  }),
  check("RS-02", async (target) => {
    const answer = await target.call(undefined, { query: `?access_token=${await token(target)}` });
    assert.notEqual(answer.status, 200, "a token in the address is taken");
  }),
  check("RS-03", async (target) => {
    const given = await token(target);
    const body = new URLSearchParams({ access_token: given });
    const answer = await target.call(given, { method: "POST", body });
    assert.ok([400, 401, 405].includes(answer.status), `a token sent in two ways: HTTP ${answer.status}`);
  }),
  check("RS-04", async (target) => {
    const answer = await target.call();
    assert.equal(answer.status, 401, brief(answer));
    assert.match(challenge(answer), /^Bearer\b/i);
    assert.doesNotMatch(challenge(answer), /error=/, "an error code, though nothing was sent");
  }),
  check("RS-05", async (target) => {
    const answer = await target.call("garbage");
    assert.equal(answer.status, 401, brief(answer));
    assert.match(challenge(answer), /error="invalid_token"/);
  }),
  check("RS-11", async (target) => {
    need(target.resource, "the address of an API that takes the tokens");
    for (let round = 0; round < 3; round += 1) {
      const { access_token: given } = await target.tokens(target.any);
      assert.equal(await target.alive(given), true);
      assert.equal((await target.revoke(target.any, given)).status, 200);
      assert.equal(await target.alive(given), false, "a revoked token is still accepted");
    }
  }),
  check("PR-01", async (target) => {
    const { answer } = await offered(target);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    assert.equal(typeof answer.json?.resource, "string");
  }),
  check("PR-02", async (target) => {
    const { answer, url } = await offered(target);
    const { origin, pathname } = new URL(url);
    const path = pathname.replace("/.well-known/oauth-protected-resource", "");
    assert.equal(answer.json.resource, `${origin}${path}`, "the document at this address is of another resource");
  }),
  check("PR-03", async (target) => {
    const { named } = await offered(target);
    assert.ok(named, "a call without a token does not lead to it");
  }),
  check("PR-04", async (target) => {
    const { answer } = await offered(target);
    assert.ok(answer.json.authorization_servers?.includes(target.issuer), JSON.stringify(answer.json.authorization_servers));
  }),
  check("PR-05", async (target) => {
    const { answer } = await offered(target);
    for (const [name, value] of Object.entries(answer.json)) assert.ok(value !== null && (!Array.isArray(value) || value.length > 0), name);
  }),
];
