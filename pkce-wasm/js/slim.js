// The entry `pkce-wasm/slim`: the same, and how to load the core.
export * from "./index.js";
export { init } from "./core.js";
