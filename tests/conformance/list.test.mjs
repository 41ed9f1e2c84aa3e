// The lists of requirements and attacks are true: each item once, shown by tests that are there or with its reason.
import assert from "node:assert/strict";
import { test } from "node:test";
import { idsIn, problems, read } from "./list.mjs";
import { allChecks } from "./suite.mjs";

test("every requirement and attack has tests that are there, or the reason why not; every id in a test's name is listed", async () => {
  const found = problems({ checks: (await allChecks()).map(({ id }) => id) });
  assert.deepEqual(found, [], "node tests/conformance/list.mjs enters and takes out what it can");
  assert.equal(read("attacks").length, 74);
});

test("what is wrong with a list is found", () => {
  const entry = { id: "AZ-01", level: "M", rule: "a rule", source: "RFC 6749 §3.1", tests: ["tests/x.test.mjs: AZ-01: it holds"] };
  const there = { ref: "tests/x.test.mjs: AZ-01: it holds", ids: idsIn("AZ-01: it holds") };
  const of = (changes) => problems({ requirements: [entry], attacks: [], tests: [there], ...changes });
  assert.deepEqual(of({}), []);
  assert.match(of({ requirements: [entry, entry] }).join(), /AZ-01 is there twice/);
  assert.match(of({ requirements: [{ ...entry, tests: [] }] }).join(), /needs either tests/);
  assert.match(of({ requirements: [{ ...entry, without: "no" }] }).join(), /needs either tests/);
  assert.match(of({ requirements: [{ ...entry, level: "X" }] }).join(), /needs level/);
  assert.match(of({ tests: [] }).join(), /there is no test/);
  assert.match(of({ tests: [there, { ref: "a", ids: idsIn("AZ-01") }] }).join(), /does not name "a"/);
  assert.match(of({ tests: [there, { ref: "a", ids: idsIn("AZ-99, A75") }] }).join(), /AZ-99 .* no list,A75 .* no list/);
  assert.match(of({ checks: ["AZ-01", "AZ-01", "TK-01"] }).join(), /a check is of TK-01.*two checks are of AZ-01/);
  assert.deepEqual([...idsIn("AZ-15 to AZ-18, A2: klippa-25")].sort(), ["A2", "AZ-15", "AZ-16", "AZ-17", "AZ-18"]);
});
