// The core as text inside this file (see `printable` in build.mjs), started at the first question.
import { joined } from "../glue.js";
import text from "made:pkce.wasm";

export function start() {
  const bytes = [];
  const value = (at) => text.charCodeAt(at) - (text.charCodeAt(at) > 92 ? 36 : 35);
  for (let at = 0; at < text.length; at += 1) {
    const lead = value(at);
    bytes.push(lead > 1 ? lead - 2 : 89 + 91 * lead + value((at += 1)));
  }
  return joined(new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes))).exports);
}
