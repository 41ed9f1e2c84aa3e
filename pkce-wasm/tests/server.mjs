// An authorization server for the tests: real HTTP, no protocol. Each test says what it answers.
import { createServer } from "node:http";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const JSON_HEADERS = { "content-type": "application/json", "cache-control": "no-store" };

/** Starts a server; `requests` holds what came, `answer(path, work)` says what to answer, with the headers `always`. */
export async function startServer() {
  const requests = [];
  const answers = new Map();
  const always = {};
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const seen = {
      method: request.method,
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body,
      form: new URLSearchParams(body),
      gone: () => request.socket.destroyed,
    };
    requests.push(seen);
    const answer = answers.get(pathname);
    if (!answer) return response.writeHead(404).end();
    const made = await answer(seen, requests);
    if (made === "hang up") return request.socket.destroy();
    const { status = 200, headers = {}, json, text } = made;
    response.writeHead(status, { ...JSON_HEADERS, ...always, ...headers }).end(text ?? JSON.stringify(json));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    requests,
    answers,
    always,
    answer: (path, work) => answers.set(path, typeof work === "function" ? work : () => work),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Waits for a condition. */
export async function until(condition, name = condition) {
  for (const end = Date.now() + 10_000; !(await condition()); await sleep(5)) {
    if (Date.now() > end) throw new Error(`never: ${name}`);
  }
}

/** Tokens numbered as they are handed out. */
export function tokenAnswer(number, extra = {}) {
  const json = { access_token: `at-${number}`, token_type: "Bearer", expires_in: 3600, refresh_token: `rt-${number}` };
  return { json: { ...json, ...extra } };
}

/** The part of `Storage` that the module uses, and nothing else. */
export class MemoryStorage {
  #entries = new Map();

  get length() {
    return this.#entries.size;
  }

  key(index) {
    return [...this.#entries.keys()][index] ?? null;
  }

  getItem(key) {
    return this.#entries.get(key) ?? null;
  }

  setItem(key, value) {
    this.#entries.set(key, String(value));
  }

  removeItem(key) {
    this.#entries.delete(key);
  }
}
