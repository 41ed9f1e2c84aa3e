// Headers of a deployment on https: every GET of tests/access/table.mjs for somebody who is not signed in, sign-in, refusals
// and preflights. What each kind of answer must have is in tests/access/headers.mjs, which access.test.mjs applies to all.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { kindOf, wrongHeaders } from "./access/headers.mjs";
import { OPERATIONS, PAGES, rows } from "./access/table.mjs";
import { Browser, OWNER, PASSWORD } from "./harness/client.mjs";
import { startServer } from "./harness/server.mjs";

const ISSUER = "https://auth.example";
let server;
before(async () => {
  server = await startServer({ vars: { ISSUER }, workers: [{ name: "bookings", script: "workers/bookings/index.mjs" }], services: { API: "bookings" } });
});
after(() => server.stop());

/** A row's address, with something that is not there in its braces. */
const plain = ({ path }) => path.replace(/\{\w+\}/g, "a".repeat(32));

test("every address answers on https with the headers of its kind, to somebody who is not signed in", async () => {
  const paths = new Set([...rows(PAGES), ...rows(OPERATIONS)].map(plain).filter((path) => !["/", "/openapi.json"].includes(path)));
  const wrong = [];
  const kinds = new Set();
  for (const path of [...paths, "/nowhere", "/api/v1/nowhere", "/manage/v1/nowhere", "/.well-known/oauth-protected-resource/api/v1/me"])
    for (const method of ["GET", "POST"]) {
      const answer = await server.fetch(path, { method });
      kinds.add(kindOf(path, answer));
      // Beside metadata nothing is served below its address, and what refuses there is not kept.
      const refused = answer.status >= 400 && path.startsWith("/.well-known/");
      wrong.push(...wrongHeaders(path, answer, { secure: true }).filter((line) => !(refused && line.includes("cache-control is no-store"))));
    }
  assert.deepEqual(wrong, []);
  assert.deepEqual([...kinds].sort(), ["api", "client", "json", "metadata", "page", "redirect"]);
});

test("signing in on https: cookies are of this host, for https, out of reach of scripts", async () => {
  const browser = new Browser(server);
  const login = await browser.page("/login");
  assert.deepEqual(wrongHeaders("/login", login, { secure: true }), []);
  const answer = await browser.submit(login.forms[0], { email: OWNER, password: PASSWORD });
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.getSetCookie().length, 3);
  assert.deepEqual(wrongHeaders("/login", answer, { secure: true }), []);
  const page = await browser.page("/account/profile");
  assert.deepEqual([page.status, page.headers.get("cross-origin-opener-policy")], [200, "same-origin"]);
  assert.deepEqual(wrongHeaders("/account/profile", page, { secure: true }), []);
});

test("a window that an app opened for sign-in and consent keeps its way back to the app", async () => {
  for (const path of ["/login", "/oauth/authorize?client_id=demo-server", "/nowhere"]) {
    assert.equal((await server.fetch(path)).headers.get("cross-origin-opener-policy"), null, path);
  }
});

test("preflights: apps' endpoints are open to scripts without credentials, and nothing else is", async () => {
  const headers = { origin: "https://app.example", "access-control-request-method": "POST" };
  for (const [path, open] of [
    ["/oauth/token", true],
    ["/oauth/revoke", true],
    ["/api/v1/me", true],
    ["/api/v1/bookings", true],
    ["/.well-known/oauth-authorization-server", true],
    ["/oauth/introspect", false],
    ["/oauth/authorize", false],
    ["/oauth/authorize/decision", false],
    ["/login", false],
    ["/account/profile/export", false],
    ["/admin/tokens/new", false],
    ["/manage/v1/apps", false],
    ["/health", false],
  ]) {
    const answer = await server.fetch(path, { method: "OPTIONS", headers });
    assert.equal(answer.headers.get("access-control-allow-origin"), open ? "*" : null, path);
    assert.equal(answer.headers.get("access-control-allow-credentials"), null, path);
    if (open) assert.equal(answer.status, 204, path);
  }
});

test("another host learns nothing: its answer has the headers of a page", async () => {
  const answer = await server.fetch("/login", { headers: { host: "other.example" } });
  const wrong = wrongHeaders("/login", answer, { secure: true }).filter((line) => !line.includes("x-request-id"));
  assert.deepEqual(wrong, []);
});
