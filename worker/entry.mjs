// The entry of a deployment: two modules in one Worker. The protocol's is there from the start; the portal's is loaded when
// one of its addresses is asked for the first time, so that no request of an app waits for it. `worker/tools/build.mjs` puts
// the list of worker/src/routes/portal.txt in. (In development both are one module; its entry is worker/tools/build.mjs's.)
import { access } from "./access.js";
import Protocol from "./protocol/index.js";

export { App, Grant, RateLimiter } from "./protocol/index.js";
export const Access = access(Protocol);

const PORTAL = [];

const isPortal = (path) => PORTAL.some((start) => path.startsWith(start) && (path.length === start.length || path[start.length] === "/"));

/** The path of an address as a request has it. Without `new URL`: this is on the way of every call. */
function pathOf(address) {
  const rest = address.slice(address.indexOf("/", "https://".length));
  const end = rest.search(/[?#]/);
  return end < 0 ? rest : rest.slice(0, end);
}

/**
 * The portal, and the protocol's module as one binding more of it: what is only in that module's memory, and requests to
 * its endpoints. Each request imports anew, for a promise belongs to the request that made it; a module is evaluated once.
 */
async function portal(ctx, env) {
  const { default: Portal } = await import("./portal/index.js");
  const PROTOCOL = {
    fetch: (request) => new Protocol(ctx, env).fetch(request),
    failures: (app) => new Protocol(ctx, env).failures_of(app),
    flush: () => new Protocol(ctx, env).flush_counters(env),
  };
  return new Portal(ctx, Object.create(env, { PROTOCOL: { value: PROTOCOL } }));
}

export default {
  fetch(request, env, ctx) {
    if (!isPortal(pathOf(request.url))) return new Protocol(ctx, env).fetch(request);
    return portal(ctx, env).then((to) => to.fetch(request));
  },

  async scheduled(event, env, ctx) {
    return (await portal(ctx, env)).scheduled(event);
  },
};
