import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createAuthorizationRequest, generatePkce, parseCallback, startLogin } from "../dist/index.js";
import { MemoryStorage } from "./server.mjs";
import { REDIRECT_URI, answerTo, login, pkceError, world } from "./setup.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("base64url");

test("a pair is S256 of a fresh verifier", () => {
  const pair = generatePkce();
  assert.match(pair.codeVerifier, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(pair.codeChallenge, sha256(pair.codeVerifier));
  assert.equal(pair.codeChallengeMethod, "S256");
  assert.notEqual(generatePkce().codeVerifier, pair.codeVerifier);
});

test("startLogin sends one request with everything in it and stores one slot", () => {
  const request = login({
    returnTo: "/orders?page=2",
    prompt: "login",
    loginHint: "a@b.example",
    params: { ui: "de" },
  });
  assert.equal(request.get("response_type"), "code");
  assert.equal(request.get("client_id"), "demo-spa");
  assert.equal(request.get("redirect_uri"), REDIRECT_URI);
  assert.equal(request.get("scope"), "account:read");
  assert.equal(request.get("code_challenge_method"), "S256");
  assert.equal(request.get("prompt"), "login");
  assert.equal(request.get("login_hint"), "a@b.example");
  assert.equal(request.get("ui"), "de");
  assert.equal(world.storage.length, 1);
  const slot = new URLSearchParams(world.storage.getItem(`pkce-wasm.${request.get("state")}`));
  assert.equal(sha256(slot.get("verifier")), request.get("code_challenge"));
});

test("a login with its own scope, and a server whose endpoint has a query", () => {
  const config = { ...world.config, authorizationEndpoint: `${world.server.origin}/authorize?tenant=1` };
  const request = login({ scope: "bookings:read bookings:write" }, config);
  assert.equal(request.get("tenant"), "1");
  assert.equal(request.get("scope"), "bookings:read bookings:write");
});

test("createAuthorizationRequest stores nothing; the app keeps the flow", () => {
  const { url, state, flow, codeVerifier } = createAuthorizationRequest(world.config);
  assert.equal(world.storage.length, 0);
  const answer = answerTo(new URL(url).searchParams);
  assert.throws(() => parseCallback(world.config, answer), pkceError("state_unknown"));
  const grant = parseCallback(world.config, answer, flow);
  assert.deepEqual([grant.state, grant.codeVerifier], [state, codeVerifier]);
});

test("expired and unreadable slots are cleared away, other keys are left alone", () => {
  world.storage.setItem("theirs", "untouched");
  world.storage.setItem("pkce-wasm.old", `created_at=${Date.now() - 10 * 60 * 1000 - 1}`);
  world.storage.setItem("pkce-wasm.live", `created_at=${Date.now() - 9 * 60 * 1000}`);
  world.storage.setItem("pkce-wasm.broken", "{}");
  const key = `pkce-wasm.${login().get("state")}`;
  const keys = Array.from({ length: world.storage.length }, (_, index) => world.storage.key(index));
  assert.deepEqual(keys, ["theirs", "pkce-wasm.live", key]);
});

test("the oldest of six pending logins makes room", () => {
  const requests = Array.from({ length: 6 }, (_, place) => {
    const request = login();
    // Six logins within a millisecond have no order: give them one.
    const key = `pkce-wasm.${request.get("state")}`;
    const slot = new URLSearchParams(world.storage.getItem(key));
    slot.set("created_at", String(Date.now() - 1000 + place));
    world.storage.setItem(key, slot);
    return request;
  });
  assert.equal(world.storage.length, 5);
  assert.throws(() => parseCallback(world.config, answerTo(requests[0])), pkceError("state_unknown"));
  for (const request of requests.slice(1))
    assert.equal(parseCallback(world.config, answerTo(request)).code, "the-code");
});

test("configurations that cannot work or are not safe are refused before anybody leaves", async () => {
  const cases = [
    [{ issuer: "" }, "config_invalid"],
    [{ clientId: "" }, "config_invalid"],
    [{ redirectUri: undefined }, "config_invalid"],
    [{ issuer: "http://as.example" }, "insecure_endpoint"],
    [{ authorizationEndpoint: "/authorize" }, "config_invalid"],
    [{ authorizationEndpoint: "https://as.example/#x" }, "config_invalid"],
    [{ authorizationEndpoint: "http://as.example/authorize" }, "insecure_endpoint"],
    [{ authorizationEndpoint: "http://localhost.as.example/" }, "insecure_endpoint"],
    [{ authorizationEndpoint: "https://user:pw@as.example/" }, "insecure_endpoint"],
    [{ authorizationEndpoint: "javascript:alert(1)" }, "insecure_endpoint"],
  ];
  const navigate = () => assert.fail("nobody may leave");
  for (const [change, code] of cases) {
    const config = { ...world.config, ...change };
    await assert.rejects(startLogin(config, { navigate }), pkceError(code), JSON.stringify(change));
  }
  const intranet = { ...world.config, issuer: "http://as.intranet", authorizationEndpoint: "http://as.intranet/a" };
  await assert.rejects(startLogin(intranet, { navigate }), pkceError("insecure_endpoint"));
  assert.ok(login({}, { ...intranet, allowInsecure: true }).has("code_challenge"));
});

test("options that would leave the app or forge the request are refused", async () => {
  const navigate = () => assert.fail("nobody may leave");
  for (const returnTo of ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example"]) {
    await assert.rejects(startLogin(world.config, { returnTo, navigate }), pkceError("config_invalid"), returnTo);
  }
  for (const name of ["state", "redirect_uri", "code_challenge", "response_type"]) {
    await assert.rejects(startLogin(world.config, { params: { [name]: "x" }, navigate }), pkceError("config_invalid"));
  }
});

test("refused storage is said", async () => {
  class Full extends MemoryStorage {
    setItem() {
      throw new DOMException("full", "QuotaExceededError");
    }
  }
  const config = { ...world.config, storage: new Full() };
  await assert.rejects(startLogin(config, { navigate() {} }), pkceError("storage_unavailable"));
  const none = { ...world.config, storage: "session" }; // Node has none
  await assert.rejects(startLogin(none, { navigate() {} }), pkceError("storage_unavailable"));
});
