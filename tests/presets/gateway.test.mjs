// Each platform's own API behind the gateway, as far as the sample of `npm run dev` plays it: what goes through, and the
// platform's words for what does not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BOOKINGS } from "../harness/bookings.mjs";
import { PLATFORMS, Platform } from "./dialects.mjs";
import { get, postJson, send, start } from "./steps.mjs";
import { yappointment } from "./yappointment.mjs";

/** An address that a token with `scope` may read, what its answer has, one that it may not, and where its refusal says what. */
const CALLS = {
  klippa: { scope: "klippa.book", path: "/api/v1/bookings", has: "bookings", not: "/api/v1/customers", lacks: "klippa.context.clients" },
  "cal-classic": { scope: "READ_PROFILE", path: null, not: "/api/bookings", lacks: "READ_BOOKING", status: 401 },
  "cal-v2": { scope: "PROFILE_READ BOOKING_READ", path: "/v2/bookings", has: "bookings", post: "/v2/bookings", lacks: "BOOKING_WRITE" },
  klaviyo: { scope: "profiles:read", path: "/api/profiles", has: "customers", post: "/api/profiles", lacks: "profiles:write" },
  yappointment: { scope: "bookings:read", path: "/api/v1/bookings", has: "bookings", not: "/api/v1/customers", lacks: "customers:read" },
};

for (const dialect of PLATFORMS) {
  const { preset } = dialect;
  const { scope, path, has, not, post, lacks, status = 403 } = CALLS[preset];
  test(`${preset}: a call goes through to the account's own data; without its scope, or a rule, the platform's words say so`, async () => {
    const { server } = await start(preset, BOOKINGS);
    try {
      const platform = new Platform(dialect, server);
      const { access_token: token } = await platform.install({ scope });
      const call = async (method, where) => {
        await platform.pass(4100); // apart, where a second has its own limit
        return send(server, method, where, { headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, ...(method === "POST" && { body: "{}" }) });
      };
      if (path) {
        const answer = await call("GET", path);
        assert.equal(answer.status, 200, answer.text);
        assert.ok(answer.json[has].length >= 2);
      }
      const refused = await (post ? call("POST", post) : call("GET", not));
      assert.equal(refused.status, status, refused.text);
      const challenge = refused.headers.get("www-authenticate");
      assert.match(challenge, new RegExp(`error="insufficient_scope".*scope="${lacks}"`));
      const missing = await call("GET", `${(path ?? not).replace(/[a-z]+$/, "")}nothing-there`);
      assert.equal(missing.status, 404);
      // The refusal has the platform's shape: that of the address that nothing has.
      const shape = (body) => JSON.stringify(body, (_, value) => (value && typeof value === "object" ? value : typeof value));
      assert.equal(shape(refused.json), shape(missing.json));
      const none = await get(server, path ?? not);
      assert.equal(none.status, 401);
    } finally {
      await server.stop();
    }
  });
}

test("yappointment-23: POST /api/v1/bookings lists bookings by a filter in the body", async () => {
  const y = await yappointment(BOOKINGS);
  try {
    const { access_token: token } = await y.connect();
    const list = (filter) => postJson(y.server, "/api/v1/bookings", { filter }, { authorization: `Bearer ${token}` });
    const confirmed = await list({ status: "confirmed" });
    assert.equal(confirmed.status, 200, confirmed.text);
    assert.ok(confirmed.json.bookings.length > 0 && confirmed.json.bookings.every(({ status }) => status === "confirmed"));
    assert.ok((await list({})).json.bookings.length > confirmed.json.bookings.length);
    const made = await postJson(y.server, "/api/v1/bookings", { service: "Cut", starts_at: "2026-12-01T09:00:00Z" }, { authorization: `Bearer ${token}` });
    assert.equal(made.status, 403, "reading is no writing");
  } finally {
    await y.server.stop();
  }
});
