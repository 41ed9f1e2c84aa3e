// What the package may weigh, measured as sizes.mjs does for its table.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BUDGET_GZIP } from "../../build.mjs";
import { measure } from "../../sizes.mjs";
import { removeProjects } from "./project.mjs";

let rows;
before(async () => {
  rows = new Map((await measure()).map(({ name, ...size }) => [name, size]));
});
after(removeProjects);

test("the whole client, bundled from the default entry, keeps to its budget", (context) => {
  const { gzip } = rows.get("pkce-wasm: whole");
  context.diagnostic(`${gzip} bytes gzip of ${BUDGET_GZIP}`);
  assert.ok(BUDGET_GZIP <= 14_000);
  assert.ok(gzip <= BUDGET_GZIP, `${gzip} bytes gzip`);
});

test("login, callback, refresh, revoke and discover from ./slim, with the module, keep to theirs", (context) => {
  const { gzip } = rows.get("pkce-wasm/slim: the same and discover: and pkce.wasm");
  context.diagnostic(`${gzip} bytes gzip of 10000`);
  assert.ok(gzip <= 10_000, `${gzip} bytes gzip`);
});

test("an app pays for the session and for DPoP only when it uses them", () => {
  const raw = (name) => rows.get(`pkce-wasm: ${name}`).raw;
  const login = raw("the same and discover");
  const parts = [raw("the same and createSession") - login, raw("instead of it createDpop") - login];
  assert.ok(Math.min(...parts) > 1_000, `they cost ${parts} bytes more`);
  assert.ok(raw("whole") - login > parts[0] + parts[1] - 500);
});

test("whole, it is smaller than the clients with a session that apps use today", () => {
  const { gzip } = rows.get("pkce-wasm: whole");
  const others = [...rows].filter(([name]) => /oidc-client-ts|auth0|msal/.test(name));
  assert.equal(others.length, 3);
  for (const [name, other] of others) assert.ok(gzip < other.gzip, `${name}: ${other.gzip}`);
});
