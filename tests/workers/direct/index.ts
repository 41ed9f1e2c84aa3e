// An API that is a Worker itself, protected by Edgegrant through a service binding.
import type { Access, Allowed, Refused } from "../../../worker/access";

interface Env {
  AUTH: Access;
}

/** What each route needs. */
const SCOPES = new Map([
  ["/bookings", "bookings:read"],
  ["/customers", "account:read customers:read"],
]);

export default {
  async fetch(request, env) {
    const scope = SCOPES.get(new URL(request.url).pathname);
    if (scope === undefined) return new Response(null, { status: 404 });

    let access: Allowed | Refused;
    try {
      access = await env.AUTH.check(request.headers.get("authorization"), { scope });
    } catch {
      return new Response(null, { status: 503, headers: { "retry-after": "1" } });
    }
    if (!access.allowed) return new Response(access.response.body, access.response);

    return Response.json({ of: access.account.name, for: access.clientId });
  },
} satisfies ExportedHandler<Env>;
