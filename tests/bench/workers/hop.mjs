// The bare hop: a Worker that asks one SQLite object, with the storage operations of a check or refresh and nothing else.
// No token is decoded, no key is there, nothing is decided: what is left is what the platform takes.
import { DurableObject } from "cloudflare:workers";

const ASKED = "a".repeat(240); // about as long as a check on its way to its object

export class Hop extends DurableObject {
  used = 0;

  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS families (number INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT");
  }

  fetch(request) {
    this.used += 1;
    if (request.url.endsWith("write")) {
      const state = new Uint8Array(300).fill(this.used & 255);
      const statement = "INSERT INTO families (number, state) VALUES (1, ?) ON CONFLICT (number) DO UPDATE SET state = excluded.state";
      this.sql.exec(statement, state);
    }
    return new Response(null, { headers: { answer: request.headers.get("command") ?? "" } });
  }
}

const HEADERS = { "cache-control": "no-store", pragma: "no-cache", "x-content-type-options": "nosniff", vary: "Origin" };

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const hop = env.HOP.getByName("one");
    // The cheapest form: one request on, its answer back.
    if (pathname === "/on") return hop.fetch(request);
    const address = pathname === "/write" ? "https://object/write" : "https://object/";
    const answer = await hop.fetch(address, { headers: { command: ASKED } });
    return Response.json({ account: { id: answer.headers.get("answer") } }, { headers: HEADERS });
  },
};
