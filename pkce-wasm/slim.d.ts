export * from "./index.js";

/**
 * Loads the core; await it before anything else, as often as you like. Without `input` it is the
 * `pkce.wasm` beside this file, which Vite, webpack and Rspack find and copy. Rejects with `network`
 * when it cannot be had, and may then be called again; with `unsupported` when the policy forbids it.
 */
export function init(
  input?: string | URL | Response | BufferSource | WebAssembly.Module | Promise<Response | BufferSource | WebAssembly.Module>,
): Promise<void>;
