import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { handleCallback, parseCallback } from "../dist/index.js";
import { tokenAnswer } from "./server.mjs";
import { REDIRECT_URI, answerTo, login, pkceError, world } from "./setup.mjs";

/** A page at `url`: the two globals that the module uses. */
function page(url) {
  const history = {
    state: { kept: true },
    replaceState(state, _, cleaned) {
      assert.equal(state, this.state);
      globalThis.location.href = cleaned;
    },
  };
  Object.assign(globalThis, { location: { href: url }, history });
}

afterEach(() => {
  delete globalThis.location;
  delete globalThis.history;
});

test("the whole way: answer, exchange, tokens, and a clean address", async () => {
  world.server.answer("/token", tokenAnswer(1));
  const request = login({ returnTo: "/orders?page=2" });
  page(`${answerTo(request)}&tab=3#top`);
  const result = await handleCallback(world.config);
  assert.equal(location.href, `${REDIRECT_URI}?tab=3#top`);
  assert.equal(result.returnTo, "/orders?page=2");
  assert.equal(result.state, request.get("state"));
  assert.equal(result.tokens.accessToken, "at-1");
  assert.equal(result.tokens.refreshToken, "rt-1");
  assert.equal(result.tokens.scope, "account:read");
  assert.ok(Math.abs(result.tokens.expiresAt - Date.now() - 3600_000) < 10_000);

  const [{ method, headers, form }] = world.server.requests;
  assert.equal(method, "POST");
  assert.match(headers["content-type"], /^application\/x-www-form-urlencoded/);
  assert.equal(headers.cookie, undefined);
  assert.equal(headers.authorization, undefined);
  assert.deepEqual([...form.keys()].sort(), ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]);
  assert.equal(form.get("code"), "the-code");
  assert.equal(form.get("redirect_uri"), REDIRECT_URI);
  assert.equal(world.storage.length, 0);
});

test("nothing happens where there is no answer", async () => {
  login();
  page(`${REDIRECT_URI}?page=2`);
  assert.equal(await handleCallback(world.config), null);
  page("https://app.example/shop?code=SALE10&state=ohio");
  assert.equal(await handleCallback(world.config), null);
  assert.equal(location.href, "https://app.example/shop?code=SALE10&state=ohio");
  delete globalThis.location;
  assert.equal(await handleCallback(world.config), null);
  assert.equal(world.server.requests.length, 0);
});

test("a forged callback does not destroy a pending login", async () => {
  world.server.answer("/token", tokenAnswer(1));
  const request = login();
  const forged = [
    [{ state: "guess", code: "evil" }, "state_unknown"],
    [{ state: undefined, code: "evil" }, "state_missing"],
    [{ state: "guess", error: "access_denied", error_description: "call this number" }, "state_unknown"],
    [{ code: "evil", iss: "https://evil.example" }, "issuer_mismatch"],
    [{ code: "evil", iss: undefined }, "issuer_missing"],
    [{ error: "access_denied", error_description: "call this number", iss: "https://evil.example" }, "issuer_mismatch"],
  ];
  for (const [parameters, code] of forged) {
    page(answerTo(request, parameters));
    await assert.rejects(handleCallback(world.config), pkceError(code, { description: undefined }));
    assert.equal(location.href, REDIRECT_URI);
    assert.equal(world.storage.length, 1);
  }
  assert.equal(world.server.requests.length, 0);
  assert.equal((await handleCallback(world.config, answerTo(request))).tokens.accessToken, "at-1");
});

test("iss is compared as a string with the issuer stored at login", () => {
  const request = login();
  for (const iss of [`${world.config.issuer}/`, world.config.issuer.toUpperCase(), ""]) {
    const answer = answerTo(request, { code: "c", iss });
    assert.throws(() => parseCallback(world.config, answer), pkceError("issuer_mismatch"), iss);
  }
  const moved = { ...world.config, issuer: "https://other.example" };
  const answer = answerTo(request, { code: "c", iss: "https://other.example" });
  assert.throws(() => parseCallback(moved, answer), pkceError("state_unknown"));
});

test("a server that sends no iss needs to be configured so; a wrong one is refused even then", () => {
  const config = { ...world.config, issRequired: false };
  const request = login({}, config);
  const wrong = answerTo(request, { code: "c", iss: "https://evil.example" });
  assert.throws(() => parseCallback(config, wrong), pkceError("issuer_mismatch"));
  assert.equal(parseCallback(config, answerTo(request, { code: "c", iss: undefined })).code, "c");
});

test("two overlapping logins each get their own verifier", async () => {
  world.server.answer("/token", ({ form }) => tokenAnswer(form.get("code")));
  const first = login({ returnTo: "/first" });
  const second = login({ returnTo: "/second" });
  const late = await handleCallback(world.config, answerTo(second, { code: "two" }));
  const early = await handleCallback(world.config, answerTo(first, { code: "one" }));
  assert.deepEqual([early.returnTo, early.tokens.accessToken], ["/first", "at-one"]);
  assert.deepEqual([late.returnTo, late.tokens.accessToken], ["/second", "at-two"]);
  const [one, two] = world.server.requests.map(({ form }) => form.get("code_verifier"));
  assert.notEqual(one, two);
});

test("a login that took too long is expired and gone", () => {
  const request = login({ returnTo: "/orders" });
  const key = `pkce-wasm.${request.get("state")}`;
  const slot = new URLSearchParams(world.storage.getItem(key));
  slot.set("created_at", String(Date.now() - 10 * 60 * 1000 - 1));
  world.storage.setItem(key, slot);
  const properties = { retry: "login", returnTo: "/orders" };
  assert.throws(() => parseCallback(world.config, answerTo(request)), pkceError("state_expired", properties));
  assert.equal(world.storage.length, 0);
});

test("twice at a time is once; a reload of the answer is unknown, of the clean page nothing", async () => {
  world.server.answer("/token", tokenAnswer(1));
  const answer = answerTo(login());
  page(answer);
  const [one, two] = await Promise.all([handleCallback(world.config), handleCallback(world.config)]);
  assert.equal(one, two);
  assert.equal(world.server.requests.length, 1);
  assert.equal(await handleCallback(world.config), null);
  page(answer);
  await assert.rejects(handleCallback(world.config), pkceError("state_unknown", { retry: "login" }));
  assert.equal(location.href, REDIRECT_URI);
  assert.equal(world.server.requests.length, 1);
});

test("errors of the server come with their words and the way back", async () => {
  const denied = answerTo(login({ returnTo: "/orders" }), { error: "access_denied", error_description: "not today" });
  const about = { oauthError: "access_denied", description: "not today", returnTo: "/orders", retry: "no" };
  await assert.rejects(handleCallback(world.config, denied), pkceError("authorization_denied", about));
  const busy = answerTo(login(), { error: "temporarily_unavailable" });
  const later = { oauthError: "temporarily_unavailable", retry: "later" };
  await assert.rejects(handleCallback(world.config, busy), pkceError("authorization_error", later));
  assert.equal(world.server.requests.length, 0);
});

test("a code is exchanged again after a network failure or a busy server, and only then", async () => {
  const outcomes = [
    "hang up",
    { status: 503, headers: { "retry-after": "7" }, json: { error: "temporarily_unavailable" } },
  ];
  world.server.answer("/token", () => outcomes.shift() ?? tokenAnswer(1));
  page(answerTo(login({ returnTo: "/orders" })));
  await assert.rejects(handleCallback(world.config), pkceError("network", { retry: "later", returnTo: "/orders" }));
  const busy = { status: 503, retryAfter: 7, retry: "later", oauthError: "temporarily_unavailable" };
  await assert.rejects(handleCallback(world.config), pkceError("token_error", busy));
  const result = await handleCallback(world.config);
  assert.deepEqual([result.tokens.accessToken, result.returnTo], ["at-1", "/orders"]);
  assert.equal(await handleCallback(world.config), null);
  const codes = world.server.requests.map(({ form }) => form.get("code"));
  assert.deepEqual(codes, ["the-code", "the-code", "the-code"]);
});

test("a refused code is not tried again", async () => {
  world.server.answer("/token", { status: 400, json: { error: "invalid_grant", error_description: "used" } });
  page(answerTo(login()));
  const refused = { oauthError: "invalid_grant", description: "used", status: 400, retry: "login" };
  await assert.rejects(handleCallback(world.config), pkceError("token_error", refused));
  assert.equal(await handleCallback(world.config), null);
  assert.equal(world.server.requests.length, 1);
});

test("refused storage is said on the callback page only", () => {
  const config = { ...world.config, storage: "session" }; // Node has none
  const answer = answerTo(login());
  assert.throws(() => parseCallback(config, answer), pkceError("storage_unavailable"));
  assert.equal(parseCallback(config, "https://app.example/shop?code=SALE10&state=x"), null);
});
