// API keys as the platforms document them: beside OAuth, with their prefixes, their schemes and their limits.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { makeKey, revokeKey } from "../harness/keys.mjs";
import * as classic from "./cal-classic.mjs";
import { exchange, generateCodes, installationUrl } from "./klaviyo.mjs";
import { APP, authorize, send, start } from "./steps.mjs";

const servers = [];
after(() => Promise.all(servers.map((server) => server.stop())));

/** A preset with a key of its owner; `call` asks whose it is, with what an `Authorization` header says. */
async function keyOf(preset, options, serverOptions) {
  const { server, owner } = await start(preset, serverOptions);
  servers.push(server);
  const made = await makeKey(owner, options);
  const call = (authorization) => send(server, "GET", server.routes.me, { headers: { authorization } });
  return { server, owner, call, ...made };
}

/** How many of so many calls at once are answered. */
async function answered(call, key, count) {
  const answers = await Promise.all(Array.from({ length: count }, () => call(`Bearer ${key}`)));
  assert.ok(answers.every(({ status }) => status < 300 || status === 429));
  return answers.filter(({ status }) => status < 300).length;
}

test("klaviyo-33: a private key goes with Klaviyo-API-Key, and nothing but a key does", async () => {
  const { server, owner, call, key, id } = await keyOf("klaviyo", { scopes: ["accounts:read", "lists:read"] });
  assert.match(key, /^pk_/);
  const pass = () => server.clock((offset += 61_000));
  let offset = 0;
  for (const header of [`Klaviyo-API-Key ${key}`, `klaviyo-api-key ${key}`, `Bearer ${key}`]) {
    const answer = await call(header);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.data[0].attributes.contact_information.organization_name, "Demo Store");
    await pass();
  }
  for (const header of ["Klaviyo-API-Key", "Klaviyo-API-Key nonsense", `Klaviyo-API-Key ${key.slice(0, -1)}`, `Basic ${key}`, key]) {
    assert.equal((await call(header)).status, 401, header);
  }
  const inQuery = await send(server, "GET", `${server.routes.me}?api_key=${key}`);
  assert.equal(inQuery.status, 401, "never in the address");
  await revokeKey(owner, id);
  const answer = await call(`Klaviyo-API-Key ${key}`);
  assert.equal(answer.status, 401);
  assert.equal(answer.json.errors[0].code, "authentication_failed");
});

test("klaviyo-33: the scheme of keys carries no access token, and a key is held to its scopes", async () => {
  const { server, owner, call, key } = await keyOf("klaviyo", { scopes: ["lists:read"] });
  const answer = await call(`Klaviyo-API-Key ${key}`);
  assert.equal(answer.status, 403, "the account's name is for keys with accounts:read");
  assert.equal(answer.json.errors[0].code, "permission_denied");
  const { codeVerifier, codeChallenge } = generateCodes();
  const redirect = await authorize(owner, installationUrl(APP, "lists:read", codeChallenge, "c"));
  const { json } = await exchange(server, { code: redirect.code, codeVerifier });
  assert.equal((await call(`Klaviyo-API-Key ${json.access_token}`)).status, 401);
  assert.equal((await call(`Bearer ${json.access_token}`)).status, 200);
});

test("cal-v2-27: a key begins with cal_, goes as Bearer, and has 120 calls a minute", async () => {
  const { call, key } = await keyOf("cal-v2");
  assert.match(key, /^cal_(?!at_|rt_)/);
  assert.equal((await call(`Bearer ${key}`)).status, 200);
  assert.equal(await answered(call, key, 130), 119);
});

test("cal-classic-27: a resource that needs READ_BOOKING takes an API key or a bearer token that has it", async () => {
  // `me` stands for listBookings: it is the resource that is here.
  const vars = { POLICY: JSON.stringify({ me: { scope: "READ_BOOKING" } }) };
  const { server, owner, call, key } = await keyOf("cal-classic", { scopes: ["READ_BOOKING"] }, { vars });
  assert.match(key, /^cal_(?!at_|rt_)/);
  const held = await classic.connect(owner, { scope: "READ_BOOKING" });
  const others = [await makeKey(owner, { scopes: ["READ_PROFILE"] }), await classic.connect(owner, { scope: "READ_PROFILE" })];
  for (const credential of [key, held.access_token]) assert.equal((await call(`Bearer ${credential}`)).status, 201);
  for (const other of [others[0].key, others[1].access_token]) assert.equal((await call(`Bearer ${other}`)).status, 401);
  assert.equal((await send(server, "GET", `${server.routes.me}?apiKey=${key}`)).status, 401, "never in the address");
});

test("yappointment-24: a key begins with yapp_sk_live_, goes as Bearer, and has 1000 calls a minute", async () => {
  const { server, owner, call, key, id } = await keyOf("yappointment");
  assert.match(key, /^yapp_sk_live_/);
  const answer = await call(`Bearer ${key}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.json.status, true);
  for (let n = 0; n < 10; n += 1) assert.equal(await answered(call, key, 99), 99);
  assert.equal(await answered(call, key, 20), 9);
  await server.clock(61_000);
  assert.equal(await answered(call, key, 5), 5);
  await revokeKey(owner, id);
  assert.equal((await call(`Bearer ${key}`)).status, 401);
});
