// The entrypoint `Access`, for Workers with a service binding to this one. Its types are in access.d.ts.
import { WorkerEntrypoint } from "cloudflare:workers";

const OPTIONS = ["scope", "count"];

/** What a caller without types may get wrong: an option that is not known would be a check that is not made. */
function checked(authorization, options) {
  const { scope = "", count = true } = options;
  if (!(authorization === null || authorization === undefined || typeof authorization === "string"))
    throw new TypeError("check(authorization): the value of an Authorization header, or null");
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw new TypeError(`check(): there is no option ${unknown}`);
  if (typeof scope !== "string" || typeof count !== "boolean")
    throw new TypeError("check(): scope is a string with spaces between scopes, count a boolean");
  return { scope, count };
}

/** The entrypoint in front of the module that has the protocol. */
export const access = (Protocol) =>
  class Access extends WorkerEntrypoint {
    async check(authorization, options = {}) {
      const { scope, count } = checked(authorization, options);
      const { env, ctx } = this;
      return JSON.parse(await new Protocol(ctx, env).check(authorization, scope, count, env, ctx));
    }
  };
