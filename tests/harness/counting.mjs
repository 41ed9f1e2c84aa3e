// Entry module of the test Worker: the built Worker, with every storage operation counted and faults on demand.
//   GET  /__count                              what happened since the last reset
//   POST /__count {"reset":true,"faults":{}}   starts again, switches faults
import built, { Access as BuiltAccess, App as BuiltApp, Grant as BuiltGrant, RateLimiter as BuiltRateLimiter } from "./built/index.js";
import { bindings, control, counts, isControl, objectState, watched } from "./proxies.mjs";

for (const name of ["log", "error"]) {
  const write = console[name];
  console[name] = (...args) => {
    counts.logLines += 1;
    write(...args);
  };
}

const object = (Class) =>
  new Proxy(Class, {
    construct: (target, [state, env], newTarget) => Reflect.construct(target, [objectState(state), bindings(env)], newTarget),
  });

export const Grant = object(BuiltGrant);
export const App = object(BuiltApp);
export const RateLimiter = object(BuiltRateLimiter);

export class Access extends BuiltAccess {
  constructor(ctx, env) {
    super(watched(ctx), bindings(env));
  }
}

/** The one module of development is a class, the entry of a deployment an object. */
const asked = (name, event, env, ctx) =>
  typeof built === "function" ? new built(watched(ctx), bindings(env))[name](event) : built[name](event, bindings(env), watched(ctx));

export default {
  fetch(request, env, ctx) {
    if (isControl(request)) return control(request);
    counts.workerRequests += 1;
    return asked("fetch", request, env, ctx);
  },
  scheduled(event, env, ctx) {
    return asked("scheduled", event, env, ctx);
  },
};
