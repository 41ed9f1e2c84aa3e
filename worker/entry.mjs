// The entry of a deployment: two modules in one Worker. The protocol's is there from the start; the portal's is loaded when
// one of its addresses is asked for the first time, so that no request of an app waits for it. `worker/tools/build.mjs` puts
// the list of worker/src/routes/portal.txt in. (In development both are one module; its entry is worker/tools/build.mjs's.)
import { WorkerEntrypoint } from "cloudflare:workers";
import { access } from "./access.js";
import Protocol from "./protocol/index.js";

export { App, Grant, RateLimiter } from "./protocol/index.js";
export const Access = access(Protocol);

const PORTAL = [];

const isPortal = (path) => PORTAL.some((start) => path === start || path.startsWith(`${start}/`));

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

export default class extends WorkerEntrypoint {
  async fetch(request) {
    const { ctx, env } = this;
    const to = isPortal(new URL(request.url).pathname) ? await portal(ctx, env) : new Protocol(ctx, env);
    return to.fetch(request);
  }

  async scheduled(event) {
    return (await portal(this.ctx, this.env)).scheduled(event);
  }
}
