// Storage that fails: nobody is told that a good credential is bad, and nothing is lost.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import {
  authorize,
  authorizePath,
  Browser,
  connect,
  consentForm,
  exchange,
  manage,
  me,
  OWNER,
  pkce,
  refresh,
  revoke,
  serverApp,
  signedIn,
  spa,
} from "./harness/client.mjs";
import { oauthError, safePage, tokens } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

let server, owner, app;
const confidential = serverApp();
before(async () => {
  server = await startServer({ counting: true });
  owner = await signedIn(server);
  app = spa(server);
});
after(() => server.stop());
afterEach(async () => {
  await server.faults({});
  await server.clock(0);
});

async function during(faults, run) {
  await server.faults(faults);
  try {
    return await run();
  } finally {
    await server.faults({});
  }
}

/** Invariant 11 for apps: 503 with Retry-After and JSON, which no client takes as final. */
function unavailable(answer) {
  assert.equal(answer.status, 503, JSON.stringify(answer.json));
  assert.match(answer.headers.get("content-type"), /^application\/json/);
  assert.ok(Number(answer.headers.get("retry-after")) >= 1);
  assert.equal(answer.json.unparsable, undefined);
  assert.ok(!["invalid_client", "invalid_grant", "invalid_token"].includes(answer.json.error), answer.json.error);
  assert.doesNotMatch(JSON.stringify(answer.json), /injected|fault:|Error/, "nothing of the inside");
}

/** Invariant 11 for people: a page that says to try again. */
function tryAgain(answer) {
  assert.equal(answer.status, 503, answer.location ?? answer.text);
  safePage(answer);
  assert.match(answer.text, /again/i);
  assert.ok(Number(answer.headers.get("retry-after")) >= 1);
  assert.doesNotMatch(answer.html, /injected|fault:/);
}

test("A8, RC-09: a code that KV does not have is read from D1: it works, once", async () => {
  for (const client of [app, confidential]) {
    const redirect = await authorize(owner, client);
    await during({ kvGet: "miss" }, async () => {
      const first = tokens(await exchange(server, client, redirect));
      oauthError(await exchange(server, client, redirect), 400, "invalid_grant");
      assert.equal((await me(server, first.access_token)).status, 401, "A9: replay is noticed without KV");
    });
  }
});

test("A8: a code that was used is refused where KV still has it and where it does not", async () => {
  const redirect = await authorize(owner, app);
  tokens(await exchange(server, app, redirect));
  await during({ kvGet: "miss" }, async () => oauthError(await exchange(server, app, redirect), 400, "invalid_grant"));
  oauthError(await exchange(server, app, redirect), 400, "invalid_grant");
});

test("TK-37: KV and D1 both unreadable: 503, and the code works afterwards", async () => {
  const redirect = await authorize(owner, app);
  for (const faults of [
    { kvGet: "miss", d1: "throw" },
    { kvGet: "throw", d1: "throw" },
  ]) {
    unavailable(await during(faults, () => exchange(server, app, redirect)));
  }
  tokens(await exchange(server, app, redirect));
});

test("A8: a code is redeemed also when KV fails: D1 has the copy", async () => {
  const redirect = await authorize(owner, app);
  tokens(await during({ kvGet: "throw" }, () => exchange(server, app, redirect)));
});

test("A17: allow with a failing KV write still gives a code that works", async () => {
  const redirect = await during({ kvPut: "throw" }, () => authorize(owner, app));
  tokens(await exchange(server, app, redirect));
});

test("TK-37, RV-12: with the objects failing, token, revocation and API are 503, and everything works afterwards", async () => {
  const held = await connect(server, owner, confidential);
  const redirect = await authorize(owner, confidential);
  await during({ object: "throw" }, async () => {
    unavailable(await exchange(server, confidential, redirect));
    unavailable(await refresh(server, confidential, held.refresh_token));
    unavailable(await revoke(server, confidential, held.refresh_token));
    unavailable(await me(server, held.access_token));
  });
  tokens(await exchange(server, confidential, redirect));
  assert.equal((await me(server, held.access_token)).status, 200);
  tokens(await refresh(server, confidential, held.refresh_token));
});

test("A1: an app that cannot be read is 503 at every endpoint for apps, never invalid_client", async () => {
  const held = await connect(server, owner, confidential);
  await server.clock(20_000); // the lease has run out
  await during({ object: "throw", objectOnly: ["APP"] }, async () => {
    unavailable(await refresh(server, confidential, held.refresh_token));
    unavailable(await revoke(server, confidential, held.refresh_token));
    unavailable(await me(server, held.access_token));
  });
  await server.clock(0);
  assert.equal((await me(server, held.access_token)).status, 200);
});

test("RC-08: an answer lost on the way from the object: asking again gets the same tokens, never a second branch", async () => {
  const held = await connect(server, owner, app);
  unavailable(await during({ object: "lost", objectOnly: ["GRANT"] }, () => refresh(server, app, held.refresh_token)));
  const retry = tokens(await refresh(server, app, held.refresh_token));
  assert.equal((await me(server, retry.access_token)).status, 200);
  tokens(await refresh(server, app, retry.refresh_token));
});

test("RC-08: a claim whose answer was lost is used up: never a second success", async () => {
  const redirect = await authorize(owner, app);
  unavailable(await during({ object: "lost", objectOnly: ["GRANT"] }, () => exchange(server, app, redirect)));
  oauthError(await exchange(server, app, redirect), 400, "invalid_grant");
});

test("RV-12: a revocation whose answer was lost has happened; asking again is 200", async () => {
  const held = await connect(server, owner, app);
  unavailable(await during({ object: "lost", objectOnly: ["GRANT"] }, () => revoke(server, app, held.refresh_token)));
  assert.equal((await revoke(server, app, held.refresh_token)).status, 200);
  assert.equal((await me(server, held.access_token)).status, 401);
});

test("invariant 4: an object that could not write decides from its rows again: nothing half-done is remembered", async () => {
  const redirect = await authorize(owner, app);
  const held = await connect(server, owner, app);
  await during({ sqlWrite: "throw" }, async () => {
    unavailable(await exchange(server, app, redirect));
    unavailable(await revoke(server, app, held.refresh_token));
  });
  tokens(await exchange(server, app, redirect)); // no replay: nothing was handed out
  assert.equal((await me(server, held.access_token)).status, 200, "what was not revoked lives");
  unavailable(await during({ sqlWrite: "throw" }, () => refresh(server, app, held.refresh_token)));
  const next = tokens(await refresh(server, app, held.refresh_token));
  await server.evict("Grant");
  tokens(await refresh(server, app, next.refresh_token));
});

test("TK-13, TK-15: with a code's record gone from KV and D1 the object alone tells a valid second use from others", async () => {
  const redirect = await authorize(owner, app);
  const first = tokens(await exchange(server, app, redirect));
  await server.sql("DELETE FROM codes");
  await during({ kvGet: "miss" }, async () => {
    for (const changes of [{ code_verifier: pkce().verifier }, { code_verifier: undefined }, { redirect_uri: "https://x.example/" }]) {
      oauthError(await exchange(server, app, redirect, changes), 400, "invalid_grant");
    }
    assert.equal((await me(server, first.access_token)).status, 200);
    oauthError(await exchange(server, app, redirect), 400, "invalid_grant");
    assert.equal((await me(server, first.access_token)).status, 401);
  });
});

test("A18: with D1 failing a revocation is 200 and the token dead: the object is the truth, D1 is told afterwards", async () => {
  const held = await connect(server, owner, app);
  await during({ d1: "throw", d1Batch: "throw" }, async () => {
    assert.equal((await revoke(server, app, held.refresh_token)).status, 200);
    assert.equal((await me(server, held.access_token)).status, 401);
    oauthError(await refresh(server, app, held.refresh_token), 400, "invalid_grant");
    await server.count(); // waits for what is tried after the answer
  });
  assert.equal((await revoke(server, app, held.refresh_token)).status, 200);
});

test("with D1 failing, people see a page to try again: no login page, no wrong password, no redirect", async () => {
  const path = authorizePath(app, { code_challenge: pkce().challenge });
  const form = consentForm(await owner.page(path));
  const browser = new Browser(server);
  const login = (await browser.page("/login")).forms[0];
  await during({ d1: "throw", d1Batch: "throw" }, async () => {
    tryAgain(await owner.page(path));
    tryAgain(await owner.page("/account/apps"));
    tryAgain(await owner.submit(form, { account: form.values("account")[0] }, { decision: "allow" }));
    tryAgain(await browser.submit(login, { email: OWNER, password: "demo-password" }));
  });
  assert.equal((await owner.submit(form, { account: form.values("account")[0] }, { decision: "allow" })).status, 303);
});

test("with the limiter failing, nobody signs in: it fails closed", async () => {
  const browser = new Browser(server);
  const login = (await browser.page("/login")).forms[0];
  const answer = await during({ object: "throw", objectOnly: ["RATE_LIMITER"] }, () =>
    browser.submit(login, { email: OWNER, password: "demo-password" }),
  );
  tryAgain(answer);
  assert.equal(browser.cookies.has("edgegrant_session"), false);
});

test("with the objects failing, a disconnect is not called done, and finishes when it is tried again", async () => {
  const held = await connect(server, owner, app);
  const apps = await owner.page("/account/apps");
  const link = apps.html.match(/\/account\/apps\/disconnect\?install=[^"'\s]+/)[0].replaceAll("&amp;", "&");
  const question = await owner.page(link);
  const form = question.forms.find((candidate) => candidate.action.endsWith("/account/apps/disconnect"));
  tryAgain(await during({ object: "throw", objectOnly: ["GRANT"] }, () => owner.submit(form)));
  const { html } = await owner.page("/account/apps");
  assert.ok(html.includes(link.split("install=")[1]), "still listed");
  const again = (await owner.page(link)).forms.find((candidate) => candidate.action.endsWith("/account/apps/disconnect"));
  assert.ok([200, 303].includes((await owner.submit(again)).status));
  assert.equal((await me(server, held.access_token)).status, 401);
});

test("A18: a disconnect left unfinished stays to be finished, also when the app is allowed again meanwhile", async () => {
  const older = await connect(server, owner, app);
  const link = async () => (await owner.page("/account/apps")).html.match(/\/account\/apps\/disconnect\?install=[^"'\s]+/)[0].replaceAll("&amp;", "&");
  const disconnectForm = async () =>
    (await owner.page(await link())).forms.find((candidate) => candidate.action.endsWith("/account/apps/disconnect"));
  const form = await disconnectForm();
  tryAgain(await during({ object: "throw", objectOnly: ["GRANT"] }, () => owner.submit(form)));
  const newer = await connect(server, owner, app);
  assert.match((await owner.page("/account/apps")).text, /Disconnect not finished/);
  assert.ok([200, 303].includes((await owner.submit(await disconnectForm())).status));
  for (const { access_token } of [older, newer]) assert.equal((await me(server, access_token)).status, 401);
});

test("suspending an app whose object fails is 503 and changes nothing", async () => {
  const answer = await during({ object: "throw", objectOnly: ["APP"] }, () => manage(server, app.id, "suspend"));
  assert.equal(answer.status, 503);
  assert.match(answer.headers.get("content-type"), /^application\/problem\+json/);
  assert.equal(answer.headers.get("retry-after"), "1");
  tokens(await exchange(server, app, await authorize(owner, app)));
});

test("MD-13: metadata needs no storage at all", async () => {
  await during({ kvGet: "throw", d1: "throw", d1Batch: "throw", object: "throw" }, async () => {
    assert.equal((await server.fetch("/.well-known/oauth-authorization-server")).status, 200);
  });
});
