// Storage operations of each flow on a warm isolate, counted, against the budgets of the design.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  authorize,
  authorizePath,
  connect,
  consentForm,
  exchange,
  introspect,
  me,
  pkce,
  post,
  refresh,
  revoke,
  serverApp,
  signedIn,
  spa,
} from "./harness/client.mjs";
import { makeKey } from "./harness/keys.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
const confidential = serverApp();
before(async () => {
  server = await startServer({ counting: true });
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());

/** Makes both apps' leases fresh: the budgets hold while they are. */
async function warm() {
  for (const client of [app, confidential]) await refresh(server, client, (await connect(server, owner, client)).refresh_token);
}

const NOTHING = { kvGet: 0, kvPut: 0, kvDelete: 0, kvList: 0, d1Statements: 0, d1Batches: 0, objectRequests: 0 };

/** What the Worker notes in the install row after the answer; the design does not count it. */
const NOTE = /^UPDATE installs SET used_at/;
/** What a development build keeps instead of sending it. */
const KEPT = /^INSERT INTO mail/;

/** Compares what a run cost with `budget`; what the budget does not name must not happen. */
async function costs(budget, run) {
  const { value, cost } = await server.counted(run);
  const { rowsWritten: allowedRows = 0, ...operations } = budget;
  const counted = Object.fromEntries(Object.keys(NOTHING).map((name) => [name, cost[name]]));
  // The budgets are those of a fresh lease; renewing it, once in seconds and app, belongs to no request.
  assert.ok(cost.requests.APP <= 2, `${cost.requests.APP} requests to App objects`);
  counted.objectRequests -= cost.requests.APP;
  counted.d1Statements -= cost.queries.filter((query) => NOTE.test(query) || KEPT.test(query)).length;
  assert.deepEqual(counted, { ...NOTHING, ...operations }, JSON.stringify(cost));
  assert.ok(cost.rowsWritten <= allowedRows, `${cost.rowsWritten} rows written, ${allowedRows} allowed`);
  return value;
}

const ANY = Infinity;

test("show consent: 1 D1 read", async () => {
  await warm();
  const path = authorizePath(app, { code_challenge: pkce().challenge });
  consentForm(await costs({ d1Statements: 1 }, () => owner.page(path)));
});

test("allow: 1 KV put and 1 D1 batch; deny: 1 D1 batch", async () => {
  await warm();
  const path = authorizePath(app, { code_challenge: pkce().challenge });
  for (const [decision, budget] of [
    ["allow", { kvPut: 1, d1Batches: 1 }],
    ["deny", { d1Batches: 1 }],
  ]) {
    const form = consentForm(await owner.page(path));
    const answer = await costs(budget, () => owner.submit(form, { account: form.values("account")[0] }, { decision }));
    assert.equal(answer.status, 303);
  }
});

test("allow of what is new: 1 D1 read more, after the answer, when people are told by e-mail", async () => {
  await warm();
  const path = authorizePath(app, { code_challenge: pkce().challenge });
  for (const told of [1, 0]) {
    const form = consentForm(await owner.page(path));
    const second = { account: form.values("account")[1] };
    const budget = { kvPut: 1, d1Batches: 1, d1Statements: told };
    assert.equal((await costs(budget, () => owner.submit(form, second, { decision: "allow" }))).status, 303);
  }
});

test("exchange a code: 1 KV get and 1 object request", async () => {
  for (const client of [app, confidential]) {
    const redirect = await authorize(owner, client);
    await warm();
    assert.equal((await costs({ kvGet: 1, objectRequests: 1, rowsWritten: ANY }, () => exchange(server, client, redirect))).status, 200);
  }
});

test("refresh: 1 object request and at most 2 rows; a retry writes nothing", async () => {
  await warm();
  for (const client of [app, confidential]) {
    const held = await connect(server, owner, client);
    assert.equal((await costs({ objectRequests: 1, rowsWritten: 2 }, () => refresh(server, client, held.refresh_token))).status, 200);
    assert.equal((await costs({ objectRequests: 1 }, () => refresh(server, client, held.refresh_token))).status, 200);
  }
});

test("check a bearer token: 1 object request; no row under a tenth of the limit, 0.2 rows on average above", async () => {
  await warm();
  const held = await connect(server, owner, app);
  await costs({ objectRequests: 8 }, async () => {
    for (let n = 0; n < 8; n += 1) assert.equal((await me(server, held.access_token)).status, 200);
  });
  await costs({ objectRequests: 80, rowsWritten: 16 }, async () => {
    for (let n = 0; n < 80; n += 1) assert.equal((await me(server, held.access_token)).status, 200);
  });
});

test("introspect: 1 object request on a fresh lease, counted or not; garbage and unknown resource servers cost nothing", async () => {
  await warm();
  const held = await connect(server, owner, app);
  const { key } = await makeKey(owner);
  await me(server, key); // the first use of a day is told to D1
  await introspect(server, held.access_token);
  await costs({ objectRequests: 4 }, async () => {
    for (const token of [held.access_token, key]) {
      for (const count of ["true", "false"]) assert.equal((await introspect(server, token, { count })).json.active, true);
    }
  });
  const objects = (await server.objects("Grant")).length + (await server.objects("App")).length;
  await costs({}, async () => {
    for (const token of ["garbage", held.refresh_token, held.code, `${held.access_token.slice(0, -1)}_`]) {
      assert.deepEqual((await introspect(server, token)).json, { active: false });
    }
    for (const id of ["nope", "demo-spa", "demo-server", "demo-resourcf", "x".repeat(3000)]) {
      assert.equal((await introspect(server, held.access_token, {}, { id, secret: "demo-server-secret" })).status, 401);
    }
    await server.fetch("/oauth/introspect");
    await server.fetch("/.well-known/oauth-protected-resource/api/v1/me");
  });
  assert.equal((await server.objects("Grant")).length + (await server.objects("App")).length, objects);
});

test("check an API key: 1 object request, no lease; D1 hears of the first use of a day after the answer", async () => {
  const { key } = await makeKey(owner);
  const { cost } = await server.counted(() => me(server, key));
  assert.deepEqual([cost.objectRequests, cost.d1Statements, cost.rowsWritten], [1, 1, 0]);
  assert.match(cost.queries[0], /^UPDATE api_keys SET used_at/);
  await costs({ objectRequests: 9 }, async () => {
    for (let n = 0; n < 9; n += 1) assert.equal((await me(server, key)).status, 200);
  });
});

test("revoke by token: 1 object request and 1 D1 statement", async () => {
  await warm();
  for (const which of ["refresh_token", "access_token"]) {
    const held = await connect(server, owner, app);
    const { value, cost } = await server.counted(() => revoke(server, app, held[which]));
    assert.equal(value.status, 200);
    assert.equal(cost.objectRequests - cost.requests.APP, 1);
    assert.ok(cost.d1Statements + cost.d1Batches <= 1);
    assert.equal(cost.kvGet + cost.kvPut + cost.kvDelete + cost.kvList, 0);
  }
});

test("invariant 6: garbage, forged, expired and foreign tokens and codes, and unknown clients, cost nothing and make no object", async () => {
  const held = await connect(server, owner, app);
  const redirect = await authorize(owner, app);
  const { key } = await makeKey(owner);
  await warm();
  const objects = (await server.objects("Grant")).length + (await server.objects("App")).length;
  const forged = (token) => [
    `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
    `${token.slice(0, 30)}${token[30] === "A" ? "B" : "A"}${token.slice(31)}`,
    token.slice(0, -4),
    "x",
    "",
  ];
  await costs({}, async () => {
    for (const token of [...forged(held.access_token), ...forged(key), held.refresh_token, redirect.code]) await me(server, token);
    for (const token of [...forged(held.refresh_token), held.access_token]) {
      await refresh(server, app, token);
      if (token) await revoke(server, app, token.replace("eg_at_", "eg_zz_"));
    }
    for (const code of forged(redirect.code)) await exchange(server, app, redirect, { code });
    // Another client's, which is as good as forged for this one.
    await refresh(server, confidential, held.refresh_token);
    await revoke(server, confidential, held.refresh_token);
    await exchange(server, confidential, redirect, { redirect_uri: app.redirectUri });
    for (const id of ["nope", "demo-spb", "", "x".repeat(3000), "'; DROP TABLE apps; --"]) {
      await exchange(server, { ...app, id }, redirect);
      await refresh(server, { ...confidential, id }, held.refresh_token);
      await revoke(server, { ...app, id }, held.refresh_token);
    }
    await post(server, "/oauth/token", { grant_type: "authorization_code" });
    await server.fetch("/oauth/token", { method: "OPTIONS", headers: { origin: "https://x.example" } });
    await server.fetch("/api/v1/me");
    await server.fetch("/.well-known/oauth-authorization-server");
  });
  assert.equal((await server.objects("Grant")).length + (await server.objects("App")).length, objects);
});

test("invariant 6: an expired token or code costs nothing", async () => {
  /** Fresh leases at the shifted time. */
  const renew = async () => refresh(server, app, (await connect(server, await signedIn(server), app)).refresh_token);
  const held = await connect(server, owner, app);
  const redirect = await authorize(owner, app);
  await server.clock(3_700_000);
  await renew();
  await costs({}, async () => {
    assert.equal((await me(server, held.access_token)).status, 401);
    assert.equal((await exchange(server, app, redirect)).status, 400);
  });
  await server.clock(181 * 86_400_000);
  await renew();
  await costs({}, async () => assert.equal((await refresh(server, app, held.refresh_token)).status, 400));
  await server.clock(0);
});

test("invariant 5: no protocol path lists anything, and only the exchange reads KV", async () => {
  await server.resetCount();
  const held = await connect(server, owner, confidential);
  const before = (await server.count()).kvGet;
  const next = await refresh(server, confidential, held.refresh_token);
  await refresh(server, confidential, held.refresh_token);
  await me(server, next.json.access_token);
  await revoke(server, confidential, next.json.refresh_token);
  const cost = await server.count();
  assert.equal(cost.kvList, 0);
  assert.equal(cost.kvGet, before);
});
