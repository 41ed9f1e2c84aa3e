// Introspection at its limits: of a token, and of a resource server that asks about garbage.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, introspect, managementApi, me, signedIn, spa } from "./harness/client.mjs";
import { activeToken as active, inactiveToken as inactive } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const times = (count, run) => Promise.all(Array.from({ length: count }, (_, n) => run(n)));

test("IN-09: who asks about garbage gets 429, and no other resource server does; good tokens are still answered", async () => {
  const limit = 30;
  const other = await startServer({ vars: { POLICY: JSON.stringify({ unproven: { rate: { limit, window_s: 60 } } }) } });
  try {
    const made = await managementApi(other, "POST", "/resource-servers", { name: "B", resource: "https://b.example", scopes: ["bookings:read"] });
    const second = { id: made.json.client_id, secret: made.json.client_secret };
    const { access_token } = await connect(other, await signedIn(other), spa(other));
    const answers = await times(100, (n) => introspect(other, `eg_at_garbage-${n}`));
    const refused = answers.filter((answer) => answer.status === 429);
    assert.equal(refused.length, 100 - limit);
    for (const { headers, json } of refused) {
      assert.ok(Number(headers.get("retry-after")) >= 1);
      assert.equal(json.error, "temporarily_unavailable");
      assert.equal(json.active, undefined);
    }
    inactive(await introspect(other, "eg_at_garbage", {}, second));
    active(await introspect(other, access_token));
    // Wrong secrets count by address, as those of apps do; it is not the resource server's count.
    const wrong = await times(100, () => introspect(other, access_token, {}, { ...second, secret: "wrong" }));
    assert.deepEqual([...new Set(wrong.map((answer) => answer.status))].sort(), [401, 429]);
    active(await introspect(other, access_token, {}, second));
    await other.clock(61_000);
    inactive(await introspect(other, "eg_at_garbage"));
  } finally {
    await other.stop();
  }
});

test("count=true counts as a call of me does, and a limit is told beside an active token", async () => {
  const other = await startServer({ vars: { POLICY: JSON.stringify({ api: { rate: { limit: 30, window_s: 60 } } }) } });
  try {
    const { access_token: token } = await connect(other, await signedIn(other), spa(other));
    for (const count of [undefined, "false"]) {
      assert.equal(active(await introspect(other, token, { count })).rate_limit, undefined);
    }
    const first = active(await introspect(other, token, { count: "true" })).rate_limit;
    assert.deepEqual({ ...first, reset: 60 }, { allowed: true, limit: 30, remaining: 29, reset: 60 });
    assert.ok(first.reset > 0 && first.reset <= 60);
    assert.equal((await me(other, token)).headers.get("ratelimit-remaining"), "28");
    const answers = await times(60, () => introspect(other, token, { count: "true" }));
    const told = answers.map((answer) => active(answer));
    assert.equal(told.filter(({ rate_limit }) => rate_limit.allowed).length, 28, "exactly as many as are left");
    for (const { rate_limit, ...rest } of told.filter((each) => !each.rate_limit.allowed)) {
      assert.equal(rate_limit.remaining, 0);
      assert.ok(rate_limit.reset > 0 && rate_limit.reset <= 60);
      assert.equal(rest.account_name, "Demo Salon");
    }
    assert.equal((await me(other, token)).status, 429);
    assert.equal(active(await introspect(other, token)).rate_limit, undefined, "who only looks is not told of limits");
    const wait = Math.max(...told.map(({ rate_limit }) => rate_limit.reset));
    await other.clock(wait * 1000);
    assert.equal(active(await introspect(other, token, { count: "true" })).rate_limit.allowed, true);
  } finally {
    await other.stop();
  }
});
