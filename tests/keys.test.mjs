// API keys: made on a page, shown once, checked like access tokens, revoked at once.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { connect, me, post, refresh, revoke, serverApp, signedIn, STAFF } from "./harness/client.mjs";
import { dump, occurrences } from "./harness/dump.mjs";
import { invalidToken, json, notStored, oauthError, safePage } from "./harness/expect.mjs";
import { keyForm, makeKey, revokeKey, sendKeyForm, shownKey } from "./harness/keys.mjs";
import { startServer } from "./harness/server.mjs";

const DAY = 86_400_000;
const [DEMO, SECOND] = ["a0000000000000000000000000000001", "a0000000000000000000000000000002"];
let server, owner;
before(async () => {
  server = await startServer({ vars: { POLICY: JSON.stringify({ keys: { max: 12 } }) } });
  owner = await signedIn(server);
});
after(() => server?.stop());
afterEach(async () => {
  await server.clock(0);
  const live = await server.sql("SELECT id FROM api_keys WHERE status = 'live'");
  for (const { id } of live) await revokeKey(owner, id);
});

const works = async (key) => (await me(server, key)).status === 200;
/** The list's text once it says what is expected: D1 is told of a use after the answer. */
async function settled(pattern, path = "/account/keys") {
  for (let tries = 0; tries < 50; tries++) {
    const { text } = await owner.page(path);
    if (pattern.test(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return (await owner.page(path)).text;
}
const audit = () => server.sql("SELECT action, actor, account_id, subject, detail FROM audit WHERE action LIKE 'key %' ORDER BY id");

test("a key is made on the page, shown once, works, and is listed without itself", async () => {
  assert.match((await owner.page("/account/apps")).html, /href="\/account\/keys"/, "the navigation leads there");
  const { key, data, page } = await makeKey(owner, { label: "Nightly report", scopes: ["account:read", "bookings:read"] });
  safePage(page);
  assert.match(page.headers.get("cache-control"), /no-store/);
  assert.match(key, /^eg_key_[\w-]{92}$/);
  assert.match(page.text, /never shown again/);

  const answer = await me(server, key);
  assert.equal(answer.status, 200);
  json(answer);
  notStored(answer);
  const { account, app, scope, expires_at } = answer.json;
  assert.deepEqual({ account, app, scope }, { account: { id: DEMO, name: "Demo Salon" }, app: { client_id: null }, scope: "account:read bookings:read" });
  assert.ok(Math.abs(expires_at - Date.now() / 1000 - 90 * 86_400) < 60, `${expires_at}`);

  const list = await owner.page("/account/keys");
  safePage(list);
  assert.ok(!list.html.includes(key.slice(0, 40)) && !list.html.includes(key.slice(-20)));
  for (const shown of ["Nightly report", `…${key.slice(-4)}`, "Demo Salon", "See your bookings", "owner@demo.example", "Active"]) {
    assert.ok(list.text.includes(shown), shown);
  }
  const again = await sendKeyForm(owner, data);
  assert.equal(again.status, 409, "the form sent again");
  assert.equal(shownKey(again), undefined);
  assert.equal((await server.sql("SELECT count(*) AS n FROM api_keys WHERE status = 'live'"))[0].n, 1);
});

test("the last use is listed, once a day", async () => {
  const { key } = await makeKey(owner);
  assert.match((await owner.page("/account/keys")).text, /Last used not yet/);
  assert.ok(await works(key));
  assert.match(await settled(/Last used \d/), /Last used \d+ \w+ \d{4}/);
  const [first] = await server.sql("SELECT used_at FROM api_keys WHERE status = 'live'");
  await works(key);
  await server.evict("Grant");
  await works(key);
  await server.clock(DAY);
  await works(key);
  for (let tries = 0; tries < 50; tries++) {
    const [{ used_at }] = await server.sql("SELECT used_at FROM api_keys WHERE status = 'live'");
    if (used_at !== first.used_at) {
      assert.ok(used_at - first.used_at > 80_000, "not within the day");
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("the next day's use was not told");
});

test("a form sent 10 times at once makes one key and shows it once", async () => {
  const { data } = await keyForm(owner);
  const pages = await Promise.all(Array.from({ length: 10 }, () => sendKeyForm(owner, new URLSearchParams(data))));
  assert.equal(pages.map(shownKey).filter(Boolean).length, 1);
  assert.equal((await server.sql("SELECT count(*) AS n FROM api_keys WHERE status = 'live'"))[0].n, 1);
  assert.equal((await audit()).filter(({ action }) => action === "key issued").length, (await server.sql("SELECT count(*) AS n FROM api_keys"))[0].n);
});

test("a key is held to its scopes and has no app", async () => {
  const { key } = await makeKey(owner, { scopes: ["bookings:read"] });
  const answer = await me(server, key);
  assert.deepEqual(answer.json.scopes, ["bookings:read"]);
});

test("a key ends at its second; one without an end does not", async () => {
  const [short, long] = [await makeKey(owner, { days: "30" }), await makeKey(owner, { days: "0" })];
  assert.equal((await me(server, long.key)).json.expires_at, null);
  await server.clock(30 * DAY - 5000);
  assert.ok(await works(short.key));
  await server.clock(30 * DAY + 1000);
  invalidToken(await me(server, short.key));
  await server.clock(3000 * DAY);
  assert.ok(await works(long.key));
  await server.clock(30 * DAY + 1000);
  owner = await signedIn(server);
  assert.match((await owner.page("/account/keys")).text, /Expired/);
  await server.clock(0);
  owner = await signedIn(server);
});

test("Revoke ends a key at once, for 50 calls at the same time too, and leaves the others", async () => {
  const [one, other] = [await makeKey(owner, { label: "One" }), await makeKey(owner, { label: "Other" })];
  assert.ok(await works(one.key));
  const answer = await revokeKey(owner, one.id);
  assert.equal(answer.status, 303);
  const calls = await Promise.all(Array.from({ length: 50 }, () => me(server, one.key)));
  for (const call of calls) invalidToken(call);
  assert.ok(await works(other.key));
  assert.match((await owner.page(answer.location)).text, /The key is revoked/);
  assert.match((await owner.page("/account/keys")).text, /Revoked/);
  const again = await owner.page(`/account/keys/revoke?key=${one.id}`);
  assert.equal(again.location, "/account/keys", "there is nothing left to revoke");
});

test("issuing and revoking are recorded, with account, person and which key", async () => {
  const { key, id } = await makeKey(owner, { label: "Recorded" });
  await revokeKey(owner, id);
  const [issued, revoked] = (await audit()).slice(-2);
  const what = { actor: "b0000000000000000000000000000001", account_id: DEMO, subject: key.slice(-4), detail: "Recorded" };
  assert.deepEqual([issued, revoked], [{ action: "key issued", ...what }, { action: "key revoked", ...what }]);
});

test("another account's key is not found, and nobody makes one for a foreign account", async () => {
  const { key, id } = await makeKey(owner, { account: SECOND });
  const staff = await signedIn(server, STAFF);
  await server.sql("UPDATE members SET role = 'admin' WHERE user_id = 'b0000000000000000000000000000002'");
  assert.equal((await staff.page(`/account/keys/revoke?key=${id}`)).status, 404);
  const { data } = await keyForm(staff);
  data.set("account", SECOND);
  assert.equal((await sendKeyForm(staff, data)).status, 404);
  const mine = await makeKey(staff, { label: "Of the staff" });
  assert.ok(!(await staff.page("/account/keys")).text.includes("Second Salon"));
  const form = await owner.page(`/account/keys/revoke?key=${id}`);
  const sent = form.forms.find(({ action }) => action === "/account/keys/revoke").data();
  sent.set("csrf", data.get("csrf"));
  const answer = await staff.page("/account/keys/revoke", { method: "POST", body: sent, headers: { origin: server.issuer } });
  assert.equal(answer.status, 404);
  assert.ok((await works(key)) && (await works(mine.key)));
  await server.sql("UPDATE members SET role = 'staff' WHERE user_id = 'b0000000000000000000000000000002'");
});

test("who has no role for keys sees who has, and makes and revokes none", async () => {
  const { key, id } = await makeKey(owner);
  const { data } = await keyForm(owner);
  const staff = await signedIn(server, STAFF);
  for (const path of ["/account/keys", "/account/keys/new"]) {
    const page = await staff.page(path);
    assert.equal(page.status, 403);
    safePage(page);
    assert.match(page.text, /Only an owner or admin of a business account/);
    assert.ok(!page.text.includes("Nightly"));
  }
  const csrf = (await staff.page("/account/apps")).forms[0].data().get("csrf");
  data.set("csrf", csrf);
  assert.equal((await sendKeyForm(staff, data)).status, 403);
  const answer = await staff.page("/account/keys/revoke", { method: "POST", body: new URLSearchParams({ csrf, key: id }), headers: { origin: server.issuer } });
  assert.equal(answer.status, 403);
  assert.ok(await works(key));
});

test("a form without this session's token, or of another site, changes nothing", async () => {
  const { data } = await keyForm(owner);
  const { key, id } = await makeKey(owner);
  for (const csrf of ["", "x", (await keyForm(await signedIn(server))).data.get("csrf")]) {
    const sent = new URLSearchParams(data);
    sent.set("csrf", csrf);
    assert.equal((await sendKeyForm(owner, sent)).status, 403);
    const end = await owner.page("/account/keys/revoke", { method: "POST", body: new URLSearchParams({ csrf, key: id }), headers: { origin: server.issuer } });
    assert.equal(end.status, 403);
  }
  assert.equal((await sendKeyForm(owner, data, { origin: "https://evil.example" })).status, 403);
  assert.ok(await works(key));
  const signedOut = new (owner.constructor)(server);
  assert.match((await signedOut.page("/account/keys")).location, /^\/login\?/);
});

test("what is wrong with a new key is said beside its field", async () => {
  for (const [change, problem] of [
    [{ label: "" }, /name of 1 to 60/],
    [{ label: "x".repeat(61) }, /name of 1 to 60/],
    [{ label: "a\u0007b" }, /name of 1 to 60/],
    [{ scopes: [] }, /at least one/],
    [{ scopes: ["nothing:read"] }, /at least one/],
  ]) {
    const { data } = await keyForm(owner, change);
    const page = await sendKeyForm(owner, data);
    assert.equal(page.status, 400, JSON.stringify(change));
    assert.match(page.text, problem);
  }
  const { data } = await keyForm(owner);
  data.set("life", "never");
  assert.equal((await sendKeyForm(owner, data)).status, 400);
  data.set("life", "90");
  data.delete("account");
  assert.match((await sendKeyForm(owner, data)).text, /Choose one/);
  assert.equal((await server.sql("SELECT count(*) AS n FROM api_keys WHERE status = 'live'"))[0].n, 0);
});

test("a label is text wherever it is shown", async () => {
  const label = `<img src=x onerror=alert(1)>"'&`;
  const { page, id } = await makeKey(owner, { label });
  for (const shown of [page, await owner.page("/account/keys"), await owner.page(`/account/keys/revoke?key=${id}`)]) {
    safePage(shown);
    assert.ok(!shown.html.includes("<img src=x"));
    assert.ok(shown.text.includes(label), shown.text);
  }
});

test("each key has a limit of its own", async () => {
  const [one, other] = [await makeKey(owner), await makeKey(owner)];
  const answers = await Promise.all(Array.from({ length: 105 }, () => me(server, one.key)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 100);
  const refused = answers.find(({ status }) => status === 429);
  assert.ok(Number(refused.headers.get("retry-after")) >= 1);
  assert.ok(await works(other.key));
});

test("an account has no more live keys than the policy allows; none is pushed out", async () => {
  const keys = [];
  for (let n = 0; n < 12; n += 1) keys.push(await makeKey(owner, { label: `Key ${n}` }));
  const { data } = await keyForm(owner);
  const full = await sendKeyForm(owner, data);
  assert.equal(full.status, 409);
  assert.match(full.text, /12 live API keys/);
  assert.ok(await works(keys[0].key));
  await makeKey(owner, { account: SECOND });
  await revokeKey(owner, keys[3].id);
  assert.ok(shownKey(await sendKeyForm(owner, data)), "the same form, when there is room");
});

test("no client refreshes or revokes a key, nor does a key stand for one", async () => {
  const { key } = await makeKey(owner);
  const app = serverApp();
  oauthError(await refresh(server, app, key), 400, "invalid_grant");
  oauthError(await revoke(server, app, key), 400, "invalid_grant");
  oauthError(await post(server, "/oauth/token", { grant_type: "refresh_token", refresh_token: key, client_id: "AAAAAA" }), 401, "invalid_client");
  assert.ok(await works(key));
  const held = await connect(server, owner, app);
  invalidToken(await me(server, held.access_token.replace("eg_at_", "eg_key_")));
  invalidToken(await me(server, key.replace("eg_key_", "eg_at_")));
});

test("keys survive a crash and eviction, revoked ones stay dead, and the storage holds none", async () => {
  const [live, dead] = [await makeKey(owner), await makeKey(owner)];
  await revokeKey(owner, dead.id);
  await server.restart();
  assert.ok(await works(live.key));
  invalidToken(await me(server, dead.key));
  await server.evict("Grant");
  assert.ok(await works(live.key));
  invalidToken(await me(server, dead.key));
  await server.kill();
  for (const { key } of [live, dead]) assert.deepEqual(occurrences(dump(server), key), []);
  await server.restart();
  assert.ok(!server.log.includes(live.key.slice(10)));
});

test("without roles for them there are no API keys", async () => {
  const { key } = await makeKey(owner);
  const storage = server.options.vars;
  server.options.vars = { POLICY: JSON.stringify({ keys: { roles: [] } }) };
  await server.restart();
  for (const path of ["/account/keys", "/account/keys/new", "/account/keys/revoke"]) assert.equal((await owner.page(path)).status, 404);
  assert.doesNotMatch((await owner.page("/account/apps")).html, /account\/keys/);
  invalidToken(await me(server, key));
  server.options.vars = { POLICY: JSON.stringify({ keys: { life_max_s: 604_800 } }) };
  await server.restart();
  assert.ok(await works(key));
  const { form, data } = await keyForm(owner, { days: "7" });
  assert.deepEqual(form.values("life"), ["7"]);
  data.set("life", "30");
  assert.equal((await sendKeyForm(owner, data)).status, 400, "longer than the policy allows");
  server.options.vars = storage;
  await server.restart();
});
