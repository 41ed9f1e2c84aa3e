// Refresh: whose it is, what a rotated token does, what parallel requests do. RFC 6749 §6, RFC 9700 §2.2.2 and §4.14.
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { check, need, skip } from "../suite.mjs";
import { brief } from "../target.mjs";

const refused = (answer, code, what = "") => assert.equal(answer.json?.error, code, `${what} ${brief(answer)}`);

/** A public client's token rotated twice, the first one tried again once retries are over, then the newest. */
const rotation = (target) =>
  target.once("rotation", async () => {
    const client = need(target.clients.public, "a public client");
    const first = await target.refreshable(client);
    const second = await target.refresh(client, first.refresh_token);
    assert.equal(second.status, 200, brief(second));
    if (second.json.refresh_token === undefined || second.json.refresh_token === first.refresh_token) return { rotates: false };
    const third = await target.refresh(client, second.json.refresh_token);
    assert.equal(third.status, 200, brief(third));
    await wait(target.graceMs);
    const replay = await target.refresh(client, first.refresh_token);
    const alive = target.triable ? await target.alive(third.json.access_token) : undefined;
    return { rotates: true, replay, alive, newest: await target.refresh(client, third.json.refresh_token) };
  });

const rotating = async (target) => {
  const scenario = await rotation(target);
  return scenario.rotates ? scenario : skip("the refresh token of a public client is not rotated");
};

export default [
  check("RT-01", async (target) => {
    const client = target.any;
    const held = await target.refreshable(client);
    refused(await target.refresh(target.other(client), held.refresh_token), "invalid_grant");
    const own = await target.refresh(client, held.refresh_token);
    assert.equal(own.status, 200, `another client's try ended it: ${brief(own)}`);
  }),
  check("RT-02", async (target) => {
    const client = target.confidential;
    const { refresh_token: token } = await target.refreshable(client);
    const answer = await target.refresh({ ...client, method: "none" }, token);
    refused(answer, "invalid_client");
  }),
  check("RT-03", async (target) => {
    const { rotates, replay } = await rotation(target);
    assert.ok(rotates, "the same refresh token comes back, bound to no key");
    refused(replay, "invalid_grant", "a token rotated away twice over:");
  }),
  check("RT-04", async (target) => {
    refused((await rotating(target)).newest, "invalid_grant", "after a replay the newest token still works:");
  }),
  check("RT-05", async (target) => {
    const { alive } = await rotating(target);
    assert.equal(alive ?? skip("needs an API or introspection"), false, "after a replay the access token still works");
  }),
  check("RT-07", async (target) => {
    const client = target.any;
    const narrow = need(target.narrowScope, "two scopes");
    const { refresh_token: first } = await target.refreshable(client);
    const narrowed = await target.refresh(client, first, { scope: narrow });
    assert.equal(narrowed.status, 200, brief(narrowed));
    assert.deepEqual((narrowed.json.scope ?? "").split(" ").sort(), narrow.split(" ").sort(), "the answer tells another scope");
    const full = await target.refresh(client, narrowed.json.refresh_token ?? first);
    assert.equal(full.status, 200, brief(full));
    const scope = full.json.scope ?? target.scope;
    assert.deepEqual(scope.split(" ").sort(), target.scope.split(" ").sort(), "the new refresh token has lost scopes");
  }),
  check("RT-08", async (target) => {
    const client = target.any;
    const narrow = need(target.narrowScope, "two scopes");
    const { refresh_token: token } = await target.refreshable(client, { scope: narrow });
    const answer = await target.refresh(client, token, { scope: target.scope });
    if (answer.status !== 200) return refused(answer, "invalid_scope");
    const got = (answer.json.scope ?? target.scope).split(" ");
    assert.ok(got.every((scope) => narrow.split(" ").includes(scope)), `granted: ${got.join(" ")}`);
  }),
  check("RT-14", async (target) => {
    const { refresh_token: token } = await target.refreshable(target.any);
    for (const wrong of ["garbage", token.slice(0, -2), `${token}x`]) refused(await target.refresh(target.any, wrong), "invalid_grant");
  }),
  check("RC-03", async (target) => {
    const { refreshed } = await parallel(target);
    assert.ok(refreshed.size <= 1, `10 parallel refreshes of one token brought ${refreshed.size} different refresh tokens`);
  }),
  check("RC-04", async (target) => {
    const { client, refreshed, old } = await parallel(target);
    for (const token of refreshed.size ? refreshed : [old]) if ((await target.refresh(client, token)).status === 200) return;
    assert.fail("after 10 parallel refreshes of one token no refresh token works any more");
  }),
];

const parallel = (target) =>
  target.once("parallel", async () => {
    const client = target.any;
    const { refresh_token: old } = await target.refreshable(client);
    const answers = await Promise.all(Array.from({ length: 10 }, () => target.refresh(client, old)));
    const brought = answers.filter(({ status }) => status === 200).map(({ json }) => json.refresh_token ?? old);
    return { client, old, refreshed: new Set(brought) };
  });
