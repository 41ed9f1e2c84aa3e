// What all the other checks have seen: every error of the token endpoint, every code and token.
import assert from "node:assert/strict";
import { check, skip } from "../suite.mjs";
import { brief } from "../target.mjs";

const CODES = ["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target"];
const TEXT = /^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/;

/** Bits that vary between strings of one length, at most: each place where they differ holds up to six (base64url). */
const varying = (list) => [...list[0]].filter((_, at) => new Set(list.map((one) => one[at])).size > 1).length * 6;

export default [
  check("TK-28", async ({ errors }) => {
    if (errors.length === 0) skip("no error was seen");
    for (const answer of errors) {
      if ([429, 503].includes(answer.status)) continue;
      const { error, error_description: words = "" } = answer.json ?? {};
      assert.ok(CODES.includes(error), brief(answer));
      assert.ok(answer.status === 400 || (answer.status === 401 && error === "invalid_client"), brief(answer));
      assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
      assert.match(words, TEXT, words);
    }
  }),
  check("TK-32", async ({ tokensSeen }) => {
    if (tokensSeen.length === 0) skip("no token was seen");
    for (const token of tokensSeen) assert.match(token, /^[\x20-\x7E]+$/);
  }),
  check("AZ-36", async ({ codes }) => {
    assert.equal(new Set(codes).size, codes.length, "a code came twice");
    const length = codes[0]?.length;
    const alike = codes.filter((code) => code.length === length);
    if (alike.length < 20) skip("needs 20 codes of one length");
    assert.ok(varying(alike) >= 128, `at most ${varying(alike)} bits of a code vary`);
  }),
];
