// The core as a file of its own, which the app fetches first.
import { PkceError } from "../errors.js";
import { joined } from "../glue.js";

let loading; // a promise
let module;

export function start() {
  if (!module) throw new PkceError("not_initialized");
  return joined(new WebAssembly.Instance(module).exports);
}

// Once is enough, and twice does no harm; after a failure it may be tried again.
export function init(input = new URL("./pkce.wasm", import.meta.url)) {
  loading ??= load(input).catch((cause) => {
    loading = undefined;
    throw new PkceError(cause?.name === "CompileError" ? "unsupported" : "network", { cause });
  });
  return loading;
}

async function load(input) {
  let source = await input;
  if (typeof source === "string" || source instanceof URL) source = await fetch(source);
  if (source instanceof Response) source = source.ok ? await source.arrayBuffer() : Promise.reject(source);
  source = await source;
  module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
}
