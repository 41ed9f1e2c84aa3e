// The smallest Worker that asks over the service binding.
export default {
  async fetch(request, env) {
    const access = await env.AUTH.check(request.headers.get("authorization"));
    return access.allowed ? Response.json(access) : new Response(access.response.body, access.response);
  },
};
