// The slots in which pending logins wait, one per flow and named after its state: two tabs or two
// clicks never overwrite each other's verifier, and a forged callback finds nothing.
import { PkceError } from "./errors.js";

const PREFIX = "pkce-wasm.";
const LIFETIME_MS = 10 * 60 * 1000; // as in src/callback.rs, which decides; here it tidies up
const MOST_SLOTS = 5;

// Looked up at the time of use: browsers may throw on the mere mention of storage.
export function storageOf({ storage = "session" }) {
  if (typeof storage === "object") return storage;
  return storage === "local" ? globalThis.localStorage : globalThis.sessionStorage;
}

function guarded(work) {
  try {
    return work();
  } catch (cause) {
    throw new PkceError("storage_unavailable", { cause });
  }
}

export function find(config, state) {
  return guarded(() => storageOf(config).getItem(PREFIX + state)) ?? "";
}

export function forget(config, state) {
  guarded(() => storageOf(config).removeItem(PREFIX + state));
}

export function remember(config, state, flow) {
  guarded(() => {
    const storage = storageOf(config);
    const pending = [];
    for (let index = 0; index < storage.length; index += 1) {
      const key = storage.key(index);
      if (key?.startsWith(PREFIX)) {
        const createdAt = new URLSearchParams(storage.getItem(key)).get("created_at");
        pending.push({ key, createdAt: Number(createdAt) || 0 });
      }
    }
    pending.sort((one, other) => other.createdAt - one.createdAt);
    pending.forEach(({ key, createdAt }, place) => {
      const expired = Date.now() - createdAt > LIFETIME_MS;
      if (expired || place >= MOST_SLOTS - 1) storage.removeItem(key);
    });
    storage.setItem(PREFIX + state, flow);
  });
}
