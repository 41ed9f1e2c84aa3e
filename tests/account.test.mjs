// /account/apps: how a connection stands, from the first consent to its end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorize, exchange, me, serverApp, signedIn } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

let server;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

/** The list's text once it says what is expected: D1 is told of a first use after the answer. */
async function settled(browser, pattern) {
  for (let tries = 0; tries < 50; tries++) {
    const { text } = await browser.page("/account/apps");
    if (pattern.test(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return (await browser.page("/account/apps")).text;
}

test("A18: allowed, then connected with the first use, and still connected while a second consent waits for its code", async () => {
  const owner = await signedIn(server);
  const client = serverApp(server);
  const first = await authorize(owner, client);
  assert.match((await owner.page("/account/apps")).text, /Allowed, not used yet/);

  const answer = await exchange(server, client, first);
  assert.equal(answer.status, 200);
  assert.match(await settled(owner, /Connected(?! apps)/), /Connected(?! apps)/);

  await authorize(owner, client);
  const { text } = await owner.page("/account/apps");
  assert.doesNotMatch(text, /not used yet/);
  assert.equal((await me(server, answer.json.access_token)).status, 200, "the first connection goes on");
});
