// Question and answer: how this side asks the core (src/question.rs), and what it makes of the answer.
// Both are form-encoded records, the one text codec that both sides have anyway.
import { start } from "./core.js";
import { PkceError } from "./errors.js";

let core;

// Asks the core; `lines` are texts that go along as they are.
export function ask(what, fields, ...lines) {
  const question = [record({ ask: what, now: Date.now(), ...fields }), ...lines].join("\n");
  return Object.fromEntries(new URLSearchParams(answered(question)));
}

// Gives the answer of the core, or throws what it found.
export function checked(answer) {
  const { failure: code, subject, description, return_to: returnTo } = answer;
  if (!code) return answer;
  const about = code.startsWith("authorization_") ? { oauthError: subject } : { subject };
  throw new PkceError(code, { ...about, description: description || undefined, returnTo: returnTo || undefined });
}

// An instance that a trap left unusable is replaced, and asked once more.
function answered(question) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      core ??= start();
      return core(question);
    } catch (cause) {
      core = undefined;
      if (cause instanceof PkceError) throw cause;
      if (attempt) throw new PkceError("unsupported", { cause });
    }
  }
}

// What is rolled for a login: 258 bits for the verifier, 192 for the state. Without a secure source it
// is an error and no login.
export function rolled() {
  try {
    const text = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(57))));
    const url = text.replaceAll("+", "-").replaceAll("/", "_");
    return { verifier: url.slice(0, 43), state: url.slice(43, 75) };
  } catch (cause) {
    throw new PkceError("unsupported", { cause });
  }
}

export function record(fields) {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return new URLSearchParams(present).toString();
}
