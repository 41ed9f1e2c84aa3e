// What a later consent leaves out is taken from the earlier ones before the app hears of it, whatever fails or runs at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { consentForm } from "../harness/client.mjs";
import { exchange, me, question, refresh } from "./klippa.mjs";
import { authorize, decide, parallel, start } from "./steps.mjs";

const CLIENTS = "klippa.context.clients";

let server, owner;
before(async () => {
  ({ server, owner } = await start("klippa", { counting: true }));
});
after(() => server.stop());

const connect = async (items) => (await exchange(server, (await authorize(owner, question({}), { items })).code)).json;
const scopes = async (token) => (await me(server, token)).json.scopes;

test("a withdrawal costs one object request, and only where an earlier consent could hold what is left out", async () => {
  const cost = async (items) => {
    const page = await owner.page(question({}));
    return (await server.counted(() => decide(owner, page, { items }))).cost;
  };
  const first = await cost([]);
  assert.deepEqual([first.objectRequests, first.d1Batches, first.kvPut], [0, 1, 1], "the first consent has nothing to take back");
  assert.equal((await cost([CLIENTS])).objectRequests, 0, "nothing is left out");
  const again = await cost([]);
  assert.deepEqual([again.objectRequests, again.d1Batches, again.kvPut], [1, 1, 1]);
});

test("when the withdrawal fails the person is asked to try again and the app gets no code; the next answer does it", async () => {
  const held = await connect([CLIENTS]);
  assert.ok((await scopes(held.access_token)).includes(CLIENTS));
  const page = await owner.page(question({}));
  const form = consentForm(page);
  const press = () =>
    owner.submit(form, { account: form.values("account")[0] }, { decision: "allow" });
  await server.faults({ object: "throw", objectOnly: ["GRANT"] });
  const failed = await press();
  await server.faults({});
  assert.equal(failed.status, 503);
  assert.equal(failed.location, null);
  assert.match(failed.text, /try again/i);
  assert.equal((await press()).status, 403, "a form decides once");
  await connect([]);
  assert.ok(!(await scopes(held.access_token)).includes(CLIENTS));
  assert.ok(!(await refresh(server, held.refresh_token)).json.scope.includes(CLIENTS));
});

test("once the consent without it has answered, no parallel call or refresh of the earlier one shows it", async () => {
  for (let round = 0; round < 10; round += 1) {
    const held = await connect([CLIENTS]);
    const page = await owner.page(question({}));
    const racing = parallel(8, () => refresh(server, held.refresh_token));
    await decide(owner, page);
    const late = await parallel(8, () => refresh(server, held.refresh_token));
    for (const { json } of late) assert.ok(!json.scope.includes(CLIENTS), json.scope);
    const tokens = [...(await racing), ...late].map(({ json }) => json.access_token);
    for (const token of new Set(tokens)) {
      const answer = await me(server, token);
      assert.ok(answer.status === 401 || (answer.status === 200 && !answer.json.scopes.includes(CLIENTS)), answer.text);
    }
    await server.clock((round + 1) * 61_000);
  }
  await server.clock(0);
});
