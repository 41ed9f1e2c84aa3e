// An API on a port of this computer, for `UPSTREAM`: each test decides what it answers, and it keeps what reached it.
import { once } from "node:events";
import { createServer } from "node:http";

/** Listens; `api.answer = (request, response) => …` decides from then on, `api.seen` is every request. */
export async function upstream() {
  const api = { seen: [], answer: echo };
  const server = createServer({ maxHeaderSize: 262_144 }, (request, response) => {
    api.seen.push(request);
    api.answer(request, response);
  });
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  api.origin = `http://127.0.0.1:${server.address().port}`;
  api.host = new URL(api.origin).host;
  api.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return api;
}

/** Method, target, headers as they came (`[name, value]`) and body, as JSON. */
export async function echo(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method, url } = request;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ method, url, headers: pairs(request), body: Buffer.concat(chunks).toString() }));
}

/** The headers of a Node request as they came, names in lower case. */
export const pairs = ({ rawHeaders }) =>
  Array.from({ length: rawHeaders.length / 2 }, (_, n) => [rawHeaders[2 * n].toLowerCase(), rawHeaders[2 * n + 1]]);
