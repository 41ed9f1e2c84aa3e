// The peer, with every storage operation counted as Edgegrant's are (tests/harness/counting.mjs).
import { bindings, control, counts, isControl, watched } from "../../harness/proxies.mjs";
import peer from "./peer.mjs";

export default {
  fetch(request, env, ctx) {
    if (isControl(request)) return control(request);
    counts.workerRequests += 1;
    return peer.fetch(request, bindings(env), watched(ctx));
  },
};
