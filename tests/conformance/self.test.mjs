// Edgegrant passes its own table; and rules that no other test looks at, on the same server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { signedIn } from "../harness/client.mjs";
import { addSecret, approved, CALLBACK } from "../harness/portal.mjs";
import { report } from "./report.mjs";
import { edgegrant } from "./servers/edgegrant.mjs";
import { lax } from "./servers/lax.mjs";
import { other } from "./servers/other.mjs";
import { allChecks, check, need, run } from "./suite.mjs";

let ours;
before(async () => {
  ours = await edgegrant({ bare: true });
});
after(() => ours?.stop());

test("Edgegrant passes every check of npm run conformance, and none is left out", async () => {
  const results = await run(ours.target, await allChecks());
  assert.deepEqual(results.filter(({ result }) => result !== "pass"), []);
  assert.ok(results.length > 100);
});

test("every check finds what it looks for: at a server that does all wrong only what its flow needs passes", async () => {
  const { target, stop } = await lax();
  try {
    const results = await run(target, await allChecks());
    const found = results.filter(({ result }) => result !== "fail").map(({ id }) => id);
    assert.deepEqual(found, ["AZ-01", "AZ-02", "TK-18", "TK-19", "TK-24", "RC-04"]);
    for (const { id, reason } of results) assert.doesNotMatch(reason, /fetch failed|is not a function|undefined \(/, id);
  } finally {
    await stop();
  }
});

test("a check that fails or cannot be made is told with its reason, and tokens are not", async () => {
  const checks = [
    check("AZ-01", () => assert.fail("it is not so")),
    check("AZ-02", () => need(undefined, "an address")),
    check("AZ-03", () => assert.equal("secret-of-somebody", "another", "two values differ")),
    check("AZ-15", () => {}),
  ];
  const text = report([{ target: { name: "Some server", version: "1" }, results: await run({}, checks) }]);
  assert.match(text, /\| AZ-01 \| M +\| .*RFC 6749 §3\.1\) +\| fail/);
  assert.match(text, /\| AZ-15 \| M\* +\| .* pass/, "what no RFC demands is marked");
  assert.match(text, /MUST of an RFC +\| 0 passed, 2 failed, 1 skipped/);
  assert.match(text, /Some server 1, failed:\n {2}AZ-01 {2}it is not so\n {2}AZ-03 {2}two values differ\n/);
  assert.match(text, /Some server 1, skipped:\n {2}AZ-02: needs an address/);
  assert.doesNotMatch(text, /secret-of-somebody/);
});

test("any server: with the cookie of somebody who is signed in, with a command, and with neither", async () => {
  const { server } = ours;
  const { cookies } = await signedIn(server);
  const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
  const values = { issuer: server.issuer, "client-id": "demo-spa", "redirect-uri": `${server.issuer}/demo/`, scope: "account:read" };
  const checks = (await allChecks()).filter(({ id }) => ["IS-01", "AZ-01", "AZ-06", "AZ-27", "AZ-41", "TK-12", "TK-17"].includes(id));
  const of = async (more) => (await run(await other({ ...values, ...more }), checks)).map(({ result }) => result[0]).join("");
  assert.equal(await of({ "login-cookie": cookie }), "pppppps", "all but what needs a client with a secret");
  // No browser here: whatever is asked leads to this address.
  assert.equal(await of({ "code-command": `echo "about to press $DECISION"; echo "${server.issuer}/demo/?code=made-up&iss=${server.issuer}"` }), "pppfsfs");
  assert.equal(await of({}), "sspssss", "what is refused without anybody's help is seen");
});

test("AZ-08: the query of a registered redirect URI is kept, and a request with another one is refused", async () => {
  const { target, server } = ours;
  const owner = await signedIn(server);
  const [app] = await approved(owner, { client_type: "public", scopes: ["account:read"], "reason:account:read": "to greet you", redirect_uris: `${CALLBACK}?x=1&y=%20` });
  const client = { ...app, method: "none" };
  const granted = await target.grant(client, { scope: "account:read" });
  assert.ok(granted.location.href.startsWith(`${CALLBACK}?x=1&y=%20&code=`), "the query as it was registered, then the answer");
  assert.equal((await target.redeem(client, granted)).status, 200);
  for (const other of ["?x=2&y=%20", "?y=%20&x=1", "?x=1", "", "?x=1&y=%20&code=attacker"]) {
    assert.equal((await target.request(client, { redirect_uri: `${CALLBACK}${other}` })).location, null, other);
  }
});

test("UI-03: an app gets no scope that it has not registered, though the server has it", async () => {
  const { target } = ours;
  for (const client of [target.clients.public, target.clients.confidential]) {
    for (const scope of ["customers:read", `${target.scope} customers:read`]) {
      const { location } = await target.request(client, { scope });
      assert.equal(location.searchParams.get("error"), "invalid_scope", scope);
    }
    const held = await target.tokens(client, { scope: "account:read" });
    const wider = await target.refresh(client, held.refresh_token, { scope: "account:read bookings:read" });
    assert.equal(`${wider.status} ${wider.json.error}`, "400 invalid_scope");
  }
});

test("CL-15: client secrets have 256 bits, and no two are alike", async () => {
  const { id, page } = ours.target.clients.confidential;
  const owner = await signedIn(ours.server);
  const secrets = [ours.target.clients.confidential.secret, ours.target.clients.second.secret, await addSecret(owner, { id, page })];
  for (const secret of secrets) assert.equal(Buffer.from(secret, "base64url").length, 32);
  const places = [...secrets[0]].filter((_, at) => new Set(secrets.map((secret) => secret[at])).size > 1);
  assert.ok(places.length >= 36, `${places.length} of 43 places differ`);
});

test("RC-01: a code that two servers of one app exchange at once is good once, whichever client authentication they use", async () => {
  const { target } = ours;
  const client = target.clients.confidential;
  const granted = await target.grant(client);
  const both = [client, { ...client, method: "client_secret_post" }];
  const answers = await Promise.all([...both, ...both].map((one) => target.redeem(one, granted)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  for (const { status, json } of answers) if (status !== 200) assert.equal(json.error, "invalid_grant");
});
