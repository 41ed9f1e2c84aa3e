// The exchange of a code: what it is bound to, and that it is used once. RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.5 and §4.8.
import assert from "node:assert/strict";
import { pkce } from "../../harness/client.mjs";
import { check, need, skip } from "../suite.mjs";
import { brief } from "../target.mjs";

const REFUSED = ["invalid_grant", "invalid_request", "invalid_client", "unauthorized_client"];

function refused(answer, errors = REFUSED, what = "") {
  assert.notEqual(answer.status, 200, `${what} tokens were given`);
  assert.ok(errors.includes(answer.json?.error), `${what} ${brief(answer)}`);
}

/** A code used twice, and what the first use brought. */
const replayed = (target) =>
  target.once("replay", async () => {
    const client = target.any;
    const granted = await target.grant(client);
    const first = await target.redeem(client, granted);
    assert.equal(first.status, 200, brief(first));
    return { client, first, second: await target.redeem(client, granted) };
  });

const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

export default [
  check("TK-05", async (target) => {
    const client = target.any;
    refused(await target.redeem(target.other(client), await target.grant(client)), ["invalid_grant"]);
  }),
  check("TK-06", async (target) => {
    const granted = await target.grant(target.any);
    for (const uri of [`${granted.redirectUri}?computer_says=no`, "https://attacker.example/"]) {
      refused(await target.redeem(target.any, granted, { redirect_uri: uri }), ["invalid_grant", "invalid_request"], uri);
    }
  }),
  check("TK-07", async (target) => {
    const granted = await target.grant(target.any);
    for (const verifier of [undefined, pkce().verifier]) {
      refused(await target.redeem(target.any, granted, { redirect_uri: undefined, code_verifier: verifier }), ["invalid_grant", "invalid_request"]);
    }
  }),
  check("TK-08", async (target) => {
    refused(await target.redeem(target.any, await target.grant(target.any), { code_verifier: undefined }), ["invalid_grant", "invalid_request"]);
  }),
  check("TK-09", async (target) => {
    const { challenge } = pkce();
    const one = await target.grant(target.any);
    const other = one.verifier.slice(0, -1) + (one.verifier.endsWith("A") ? "B" : "A");
    refused(await target.redeem(target.any, one, { code_verifier: other }), ["invalid_grant"], "one character changed:");
    refused(await target.redeem(target.any, await target.grant(target.any), { code_verifier: pkce().verifier }), ["invalid_grant"], "another verifier:");
    const copied = await target.grant(target.any, { code_challenge: challenge });
    refused(await target.redeem(target.any, copied, { code_verifier: challenge }), ["invalid_grant"], "the challenge itself:");
  }),
  check("TK-10", async (target) => {
    const client = target.confidential;
    const way = await target.request(client, { code_challenge: null, code_challenge_method: null });
    const code = way.location?.searchParams.get("code");
    if (!code) return; // no code without a challenge: nothing to downgrade
    refused(await target.redeem(client, { ...way, code }), ["invalid_grant", "invalid_request"], "a verifier without a challenge:");
  }),
  check("TK-11", async (target) => {
    const way = await target.request(target.any, { code_challenge: "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" }); // S256 of "abc"
    const code = way.location?.searchParams.get("code");
    if (!code) return;
    refused(await target.redeem(target.any, { ...way, code }, { code_verifier: "abc" }), ["invalid_grant", "invalid_request"]);
  }),
  check("TK-12", async (target) => {
    const granted = await target.grant(target.any, { code_challenge: CHALLENGE });
    const answer = await target.redeem(target.any, granted, { code_verifier: VERIFIER });
    assert.equal(answer.status, 200, brief(answer));
  }),
  check("TK-13", async (target) => {
    refused((await replayed(target)).second, ["invalid_grant"]);
  }),
  check("TK-14", async (target) => {
    const { client, first } = await replayed(target);
    if (target.triable) assert.equal(await target.alive(first.json.access_token), false, "the access token still works");
    if (!first.json.refresh_token) return;
    refused(await target.refresh(client, first.json.refresh_token), ["invalid_grant"], "the refresh token still works:");
  }),
  check("TK-15", async (target) => {
    if (!target.triable) skip("needs an API or introspection");
    const client = target.any;
    const granted = await target.grant(client);
    const { json } = await target.redeem(client, granted);
    await target.redeem(client, granted, { code_verifier: pkce().verifier });
    await target.redeem(target.other(client), granted);
    assert.equal(await target.alive(json.access_token), true, "whoever has seen a code can end the tokens without its verifier");
  }),
  check("TK-16", async (target) => {
    const client = target.any;
    const granted = await target.grant(client);
    for (const changes of [{ code_verifier: pkce().verifier }, { redirect_uri: "https://attacker.example/" }]) refused(await target.redeem(client, granted, changes));
    const answer = await target.redeem(client, granted);
    assert.equal(answer.status, 200, `after two wrong tries: ${brief(answer)}`);
  }),
  check("RC-01", async (target) => {
    const client = target.any;
    for (let round = 0; round < 2; round += 1) {
      const granted = await target.grant(client);
      const answers = await Promise.all(Array.from({ length: 10 }, () => target.redeem(client, granted)));
      const served = new Set(answers.filter(({ status }) => status === 200).map(({ json }) => json.access_token));
      assert.ok(served.size <= 1, `${served.size} of 10 parallel exchanges of one code brought tokens of their own`);
    }
  }),
  check("TK-22", async (target) => {
    const client = need(target.clients.public, "a public client");
    const granted = await target.grant(client);
    refused(await target.redeem(client, granted, { client_id: null }), REFUSED, "without client_id:");
    refused(await target.redeem(client, granted, { client_id: "unknown-client" }), REFUSED, "an unknown client_id:");
  }),
];
