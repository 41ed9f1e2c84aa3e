// The browser module. The core (Rust, synchronous) makes the requests and decides whether an answer
// may be believed; the files beside this one do what needs the page or a promise. Importing it
// touches nothing: no global, no storage, no WebAssembly.
export { PkceError } from "./errors.js";
export { exchangeCode, handleCallback, parseCallback } from "./callback.js";
export { discover } from "./discover.js";
export { createDpop } from "./dpop.js";
export { createAuthorizationRequest, generatePkce, startLogin } from "./login.js";
export { refresh, revoke } from "./tokens.js";
