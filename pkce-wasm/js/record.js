// Question and answer: how this side asks the core, and what it makes of the answer. Both are
// form-encoded records, the one text codec that both sides have anyway.
import { core } from "./core.js";
import { PkceError } from "./errors.js";

// Asks the core.
export function ask(question) {
  try {
    return Object.fromEntries(new URLSearchParams(question(core())));
  } catch (cause) {
    throw new PkceError("unsupported", { cause });
  }
}

export function record(fields) {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return new URLSearchParams(present).toString();
}

// Gives the answer of the core, or throws what it found.
export function checked(answer) {
  const { failure: code, subject, description, return_to: returnTo } = answer;
  if (!code) return answer;
  const about = code.startsWith("authorization_") ? { oauthError: subject } : { subject };
  throw new PkceError(code, { ...about, description: description || undefined, returnTo: returnTo || undefined });
}
