// The slots in which pending logins wait, one per flow and named after its state: two tabs or two
// clicks never overwrite each other's verifier, and a forged callback finds nothing.
import { PkceError } from "./errors.js";
import { record } from "./record.js";

const PREFIX = "pkce-wasm.";

// Looked up at the time of use: browsers may throw on the mere mention of storage.
function guarded({ storage = "session" }, work) {
  try {
    return work(typeof storage === "object" ? storage : globalThis[`${storage}Storage`]);
  } catch (cause) {
    throw new PkceError("storage_unavailable", { cause });
  }
}

export function find(config, state) {
  return guarded(config, (storage) => storage.getItem(PREFIX + state)) ?? "";
}

export function forget(config, state) {
  guarded(config, (storage) => storage.removeItem(PREFIX + state));
}

// When each pending login was started, by its state; the core says which are too old or too many.
export function pending(config) {
  return guarded(config, (storage) => {
    const slots = {};
    for (let index = 0; index < storage.length; index += 1) {
      const key = storage.key(index);
      if (key?.startsWith(PREFIX)) {
        slots[key.slice(PREFIX.length)] = new URLSearchParams(storage.getItem(key)).get("created_at") ?? "";
      }
    }
    return record(slots);
  });
}

export function remember(config, state, flow, drop) {
  guarded(config, (storage) => {
    for (const old of drop.split(" ")) storage.removeItem(PREFIX + old);
    storage.setItem(PREFIX + state, flow);
  });
}
