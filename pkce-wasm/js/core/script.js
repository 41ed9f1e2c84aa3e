// The core as JavaScript, for pages whose policy forbids WebAssembly.
import { joined } from "../glue.js";
import { instantiate } from "made:pkce.js";

export const start = () => joined(instantiate({}));
