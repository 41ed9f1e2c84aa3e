// The portable part: checks that run against any authorization server by plain HTTP, each under the id of the rule in
// requirements.json that it looks at.
import { readFileSync } from "node:fs";

/** A check that could not be made; `message` says what was missing. */
export class Skip extends Error {}

export const skip = (reason) => {
  throw new Skip(reason);
};

/** What a check needs, or the check is skipped for want of it. */
export const need = (value, what) => value ?? skip(`needs ${what}`);

export const requirements = JSON.parse(readFileSync(new URL("requirements.json", import.meta.url), "utf8"));
const byId = new Map(requirements.map((requirement) => [requirement.id, requirement]));

/** One check: the rule's id, and what throws when the rule does not hold. */
export const check = (id, run) => ({ id, run });

/** The rule that a check looks at. */
export function ruleOf({ id }) {
  const rule = byId.get(id);
  if (!rule) throw new Error(`${id} is not in requirements.json`);
  return rule;
}

/** All checks, in the order of a flow; the last ones look at what the others have seen. */
export async function allChecks() {
  const files = ["metadata", "authorize", "pages", "code", "token", "refresh", "revoke", "introspect", "resource", "seen"];
  const lists = await Promise.all(files.map(async (file) => (await import(`./checks/${file}.mjs`)).default));
  return lists.flat();
}

/**
 * Makes the checks one after another; gives `[{ id, result, reason }]`, `result` being "pass", "fail" or "skip". A check
 * that ends with an unexpected error has failed: its message is the reason.
 */
export async function run(target, checks, { each = () => {} } = {}) {
  const results = [];
  for (const one of checks) {
    const outcome = { id: one.id, result: "pass", reason: "" };
    try {
      await one.run(target);
    } catch (error) {
      outcome.result = error instanceof Skip ? "skip" : "fail";
      outcome.reason = sentence(error);
    }
    results.push(outcome);
    each(outcome);
  }
  return results;
}

const shown = (value) => (value instanceof RegExp ? `${value}` : (JSON.stringify(value) ?? `${value}`)).slice(0, 120);

/** What was said of a difference; where nothing was, the two values. */
function sentence(error) {
  const { generatedMessage, actual, expected, message } = error;
  if (generatedMessage && expected !== undefined && typeof actual !== "boolean") return `${shown(actual)}, not ${shown(expected)}`;
  return String(message ?? error).split("\n")[0].slice(0, 300);
}
