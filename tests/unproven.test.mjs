// Floods of requests that prove nothing: they are slowed down by address, and nobody with a real credential is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, exchange, me, post, refresh, revoke, serverApp, signedIn } from "./harness/client.mjs";
import { oauthError, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const LIMIT = 20;
const client = serverApp();
let server;
before(async () => (server = await startServer({ unprovenLimit: LIMIT })));
after(() => server.stop());

const flood = async (send) => {
  const answers = [];
  for (let n = 0; n < 3 * LIMIT; n += 1) answers.push(await send(n));
  return answers;
};

/** Some get their ordinary refusal, later ones 429 with Retry-After; never anything else. */
function slowed(answers, ordinary) {
  const statuses = new Set(answers.map((answer) => answer.status));
  for (const status of statuses) assert.ok([ordinary, 429].includes(status), `HTTP ${status}`);
  const refused = answers.filter((answer) => answer.status === 429);
  assert.ok(refused.length > 0, "none was slowed down");
  for (const answer of refused) {
    assert.ok(Number(answer.headers.get("retry-after")) >= 1);
    assert.equal(answer.json.error, "temporarily_unavailable");
  }
}

test("A11, TK-23, RV-14: garbage tokens and wrong secrets from one address end in 429; real credentials go on", async () => {
  const held = await connect(server, await signedIn(server), client);
  slowed(await flood((n) => me(server, `garbage-${n}`)), 401);
  slowed(await flood((n) => exchange(server, { ...client, secret: `wrong-${n}` }, { code: "x", verifier: "x" })), 401);
  assert.equal((await me(server, held.access_token)).status, 200);
  const next = tokens(await refresh(server, client, held.refresh_token));
  assert.equal((await revoke(server, client, next.refresh_token)).status, 200);
});

test("TK-23: another address is not slowed down", async () => {
  const elsewhere = { "cf-connecting-ip": "203.0.113.9" };
  const fields = { grant_type: "refresh_token", refresh_token: "x", client_id: client.id, client_secret: "wrong" };
  oauthError(await post(server, "/oauth/token", fields, elsewhere), 401, "invalid_client");
});
