// An API that says what reached it. A request may say in `x-answer` how it is answered: JSON with `status`, `headers`,
// `body`, or `throw`. At its own address, GET /seen tells what reached it since the last time: method and path each.
let seen = [];

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/seen") {
      const since = seen;
      seen = [];
      return Response.json(since);
    }
    seen.push(`${request.method} ${request.url.slice(url.origin.length)}`);
    const wanted = JSON.parse(request.headers.get("x-answer") ?? "null");
    if (wanted?.throw) throw new Error(wanted.throw);
    if (wanted) return new Response(wanted.body ?? null, { status: wanted.status ?? 200, headers: wanted.headers ?? {} });
    const body = request.body === null ? null : await request.text();
    return Response.json({ method: request.method, url: request.url, headers: [...request.headers], body });
  },
};
