// The variant that is deployed: it refuses to work half configured, and has no door for developers.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { startServer } from "./harness/server.mjs";

const key = () => randomBytes(32).toString("base64url");
const all = () => ({
  EDGE_KEYS: `1:${key()}`,
  HASH_KEYS: `1:${key()}`,
  SEAL_KEYS: `1:${key()}`,
  DATA_KEYS: `1:${key()}`,
  GATEWAY_KEYS: `1:${key()}`,
  GRANT_ID_KEY: key(),
});
const PATHS = [
  "/.well-known/oauth-authorization-server",
  "/health",
  "/oauth/authorize",
  "/login",
  "/oauth/token",
  "/api/v1/me",
  "/account/apps",
  "/manage/v1/apps/x/suspend",
];

/** Starts the release variant with `vars`, runs, and stops it whatever happens. */
async function released(vars, run) {
  const server = await startServer({ variant: "release", vars });
  try {
    return await run(server);
  } finally {
    await server.stop();
  }
}

/** Everything is refused with "set-up unfinished", the log says what is missing, and the answer does not. */
const unfinished = (vars, missing) =>
  released(vars, async (server) => {
    for (const path of PATHS) {
      const answer = await server.fetch(path, { method: path.endsWith("token") || path.endsWith("suspend") ? "POST" : "GET" });
      assert.equal(answer.status, 503, `${path} without ${missing}`);
      const text = await answer.text();
      assert.match(text, /set-up/i);
      assert.ok(!text.includes(missing));
    }
    assert.ok(server.log.includes(missing), `the log names ${missing}: ${server.log}`);
  });

test("A31: without one of its secrets a deployment serves nothing but that its set-up is unfinished", async () => {
  for (const name of ["EDGE_KEYS", "GATEWAY_KEYS", "GRANT_ID_KEY"]) {
    const vars = all();
    delete vars[name];
    await unfinished(vars, name);
  }
});

test("A31: secrets that are malformed are as good as missing", async () => {
  for (const [name, value] of [
    ["SEAL_KEYS", "1:tooshort"],
    ["HASH_KEYS", "0:" + key()],
  ])
    await unfinished({ ...all(), [name]: value }, name);
});

test("a preset or an override that is wrong stops it at the start; the log names the key and what is allowed", async () => {
  for (const [vars, words] of [
    [{ PRESET: "klavyio" }, 'PRESET is "klavyio", and must be one of cal-classic, cal-v2, default, klaviyo, klippa, yappointment'],
    [{ POLICY: '{"refresh":{"rotation":"sometimes"}}' }, "POLICY: refresh.rotation: unknown variant `sometimes`, expected one of `rotate`"],
    [{ POLICY: '{"acess":{"life_s":600}}' }, "POLICY: acess.life_s: unknown field `acess`, expected one of `platform`"],
    [{ PRESET: "klaviyo", POLICY: '{"token":{"refresh_header":true}}' }, "POLICY: token.refresh_header: allowed is false, or"],
    [{ POLICY: "{" }, "POLICY: it is not JSON"],
    [{ POLICY: '{"mail":{"words":{"app_approved":{"subject":"$nmae"}}}}' }, "mail.words.app_approved.subject: there is no placeholder $nmae"],
    [{ UPSTREAM: "http://api.example.com" }, "UPSTREAM must be an origin: https://host without path"],
    [{ UPSTREAM: "https://api.example.com/v1" }, "UPSTREAM must be an origin: https://host without path"],
    [{ MAIL_FROM: "Edgegrant <notices@auth.example>" }, "MAIL_FROM must be an address such as notices@example.com, without a name"],
    [
      { OIDC_PROVIDERS: '[{"id":"a","name":"A","client_id":"x","issuer":"http://127.0.0.1:3000"}]' },
      "OIDC_PROVIDERS[0].issuer: allowed is an https address",
    ],
  ])
    await unfinished({ ...all(), ...vars }, words);
});

test("with its secrets it serves, without development routes, demo page and demo apps", async () => {
  // A sender without the binding EMAIL is no reason not to serve.
  await released({ ...all(), MAIL_FROM: "notices@auth.example" }, async (server) => {
    assert.equal((await server.fetch("/.well-known/oauth-authorization-server")).status, 200);
    const health = await server.fetch("/health");
    assert.deepEqual([health.status, health.headers.get("server-timing")], [200, null], "how long parts take is nobody's to know");
    for (const [path, method] of [
      ["/__dev/seed", "POST"],
      ["/__dev/clock", "POST"],
      ["/__dev/mail", "GET"],
      ["/__dev/mail.json", "GET"],
      ["/demo/", "GET"],
      ["/react/", "GET"],
      ["/pkce-wasm/index.js", "GET"],
    ]) {
      assert.equal((await server.fetch(path, { method })).status, 404, path);
    }
    const body = new URLSearchParams({ grant_type: "authorization_code", code: "x", client_id: "demo-spa" });
    const answer = await server.fetch("/oauth/token", { method: "POST", body });
    assert.equal((await answer.json()).error, "invalid_client");
  });
});

test("the static files of a deployment have no demo", () => {
  const built = new URL("../.build/release/", import.meta.url);
  assert.ok(existsSync(new URL("assets/", built)));
  for (const name of ["demo", "pkce-wasm", "react"]) assert.equal(existsSync(new URL(`assets/${name}`, built)), false);
  const headers = readFileSync(new URL("assets/_headers", built), "utf8");
  assert.match(headers, /^\/\*\n  Strict-Transport-Security: max-age=31536000\n/m, "a deployment is on https");
  const landing = readFileSync(new URL("assets/index.html", built), "utf8");
  assert.ok(landing.includes("/account/apps") && !/\/(demo|react)\//.test(landing), "no link to what is not there");
});
