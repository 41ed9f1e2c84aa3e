// Signing in at an identity provider, with a real one: who somebody is, what they may, and the way out.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, test } from "node:test";
import { startChromium } from "./harness/browser.mjs";
import { authorize, authorizePath, Browser, exchange, me, OWNER, PASSWORD, pkce, signedIn, spa } from "./harness/client.mjs";
import { dump } from "./harness/dump.mjs";
import { safePage } from "./harness/expect.mjs";
import { begin, configured, logged, ProviderBrowser, realProvider } from "./harness/providers.mjs";
import { startServer } from "./harness/server.mjs";

let acme, umbrella, server;
before(async () => {
  [acme, umbrella] = await Promise.all([realProvider(), realProvider()]);
  const providers = [configured("acme", acme), configured("umbrella", umbrella)];
  server = await startServer({ vars: { OIDC_PROVIDERS: JSON.stringify(providers) } });
  acme.serve(server.issuer, "acme");
  umbrella.serve(server.issuer, "umbrella");
});
after(() => Promise.all([server?.stop(), acme?.close(), umbrella?.close()]));
afterEach(() => server.clock(0));

const of = { acme: () => acme, umbrella: () => umbrella };
const account = (id, role, name = `Account ${id}`) => ({ id, name, role });
const nav = (apps) => [...apps.html.matchAll(/href="(\/[^"]*)"/g)].map(([, href]) => href);

/** Signs in as a person with these claims and gives the browser with the last answer. */
async function signIn(id, login, claims, { browser = new Browser(server), returnTo } = {}) {
  const provider = of[id]();
  provider.people.set(login, claims);
  const address = await begin(browser, id, returnTo);
  const back = await new ProviderBrowser(provider.issuer).go(address, login);
  const answer = await browser.page(back.pathname + back.search);
  return { browser, answer, address, back };
}

/** The accounts that the consent page offers. */
async function accounts(browser) {
  const consent = await browser.page(authorizePath(spa(server), { code_challenge: pkce().challenge }));
  return { consent, names: [...consent.html.matchAll(/Account [\w-]+/g)].map(([name]) => name) };
}

test("the sign-in page has a button for each provider beside the password form, and its policy lets them be reached", async () => {
  const login = await new Browser(server).page("/login");
  safePage(login);
  assert.deepEqual(
    login.forms.map(({ action }) => action),
    ["/login", "/login/acme", "/login/umbrella"],
  );
  assert.match(login.text, /Continue with Acme Accounts/);
  const policy = login.headers.get("content-security-policy");
  assert.ok(policy.includes(`form-action 'self' ${[acme.issuer, umbrella.issuer].sort().join(" ")}`), policy);
});

test("the request has PKCE with S256, a nonce, a state of its own and the provider's own callback; nothing readable is kept", async () => {
  const browser = new Browser(server);
  const address = await begin(browser, "acme");
  const params = Object.fromEntries(address.searchParams);
  assert.equal(address.origin, acme.issuer);
  assert.equal(params.response_type, "code");
  assert.equal(params.code_challenge_method, "S256");
  assert.match(params.code_challenge, /^[\w-]{43}$/);
  assert.match(params.state, /^[\w-]{43}$/);
  assert.match(params.nonce, /^[\w-]{43}$/);
  assert.equal(params.redirect_uri, `${server.issuer}/login/acme/callback`);
  assert.equal(params.scope, "openid email profile");
  const cookies = [...browser.cookies].filter(([name]) => name.startsWith("edgegrant_flow_"));
  assert.equal(cookies.length, 1);
  for (const secret of [params.state, params.nonce]) assert.ok(!cookies.flat().some((text) => text.includes(secret)));
  const again = await begin(browser, "acme");
  for (const name of ["state", "nonce", "code_challenge"]) assert.notEqual(again.searchParams.get(name), params[name]);
});

test("somebody signs in at the provider, comes back to where they were going, and connects an app to an account of theirs", async () => {
  const path = authorizePath(spa(server), { code_challenge: pkce().challenge, state: "a b&c" });
  const claims = { email: "ann@acme.example", name: "Ann", accounts: [account("salon-1", "owner"), account("salon-2", "staff")] };
  const { browser, answer, back } = await signIn("acme", "ann", claims, { returnTo: path });
  assert.equal(`${answer.status} ${answer.location}`, `303 ${path}`);
  assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
  assert.deepEqual(
    [...browser.cookies.keys()].filter((name) => /flow/.test(name)),
    [],
    "the flow's cookie is gone",
  );
  const { consent, names } = await accounts(browser);
  assert.ok(names.includes("Account salon-1") && !names.includes("Account salon-2"), "only the account in which the role may consent");
  assert.match(consent.text, /ann@acme\.example/);
  const tokens = await exchange(server, spa(server), await authorize(browser, spa(server)));
  assert.equal((await me(server, tokens.json.access_token)).json.account.name, "Account salon-1");
  assert.ok(back.searchParams.get("iss"), "this provider sends iss");
});

test("the session is a new one, also for somebody who is signed in already; then the provider is asked for somebody else", async () => {
  const browser = await signedIn(server);
  const old = browser.cookies.get("edgegrant_session");
  const { address } = await signIn("acme", "new-session", { email: "n@acme.example" }, { browser });
  assert.equal(address.searchParams.get("prompt"), "login");
  assert.notEqual(browser.cookies.get("edgegrant_session"), old);
  const copy = await server.fetch("/account/apps", { headers: { cookie: `edgegrant_session=${old}` } });
  assert.equal(copy.status, 303, "the session that was replaced has ended");
  assert.ok(!(await begin(new Browser(server), "acme")).searchParams.has("prompt"));
});

test("memberships and roles are taken afresh at each sign-in: added, changed, renamed, removed", async () => {
  const state = async () =>
    server.sql(
      `SELECT a.name, m.role FROM members m JOIN accounts a ON a.id = m.account_id JOIN provider_accounts p ON p.account_id = a.id
       WHERE m.user_id = (SELECT user_id FROM sessions ORDER BY created_at DESC, rowid DESC LIMIT 1) ORDER BY a.name`,
    );
  await signIn("acme", "bob", { accounts: [account("r-1", "owner"), account("r-2", "owner")] });
  assert.deepEqual(await state(), [
    { name: "Account r-1", role: "owner" },
    { name: "Account r-2", role: "owner" },
  ]);
  const ids = await server.sql("SELECT a.id FROM accounts a WHERE a.name = 'Account r-2'");
  const { browser } = await signIn("acme", "bob", { accounts: [account("r-2", "staff", "Account r-2 renamed"), account("r-3", "owner")] });
  assert.deepEqual(await state(), [
    { name: "Account r-2 renamed", role: "staff" },
    { name: "Account r-3", role: "owner" },
  ]);
  assert.deepEqual(await server.sql("SELECT a.id FROM accounts a WHERE a.name = 'Account r-2 renamed'"), ids, "the same account");
  assert.deepEqual([...new Set((await accounts(browser)).names)], ["Account r-3"]);
  await signIn("acme", "bob", {});
  assert.deepEqual(await state(), []);
});

test("an account of a provider is one for all its people, and another provider's account with the same id is another", async () => {
  for (const [provider, login] of [
    ["acme", "c-1"],
    ["acme", "c-2"],
    ["umbrella", "c-1"],
  ])
    await signIn(provider, login, { accounts: [account("shared", "owner", `Account ${provider}`)] });
  const rows = await server.sql(
    "SELECT a.name, count(*) AS people FROM accounts a JOIN members m ON m.account_id = a.id WHERE a.name IN ('Account acme', 'Account umbrella') GROUP BY a.id ORDER BY a.name",
  );
  assert.deepEqual(rows, [
    { name: "Account acme", people: 2 },
    { name: "Account umbrella", people: 1 },
  ]);
});

test("a sign-in leaves memberships in accounts of nobody and of other providers alone", async () => {
  await signIn("acme", "dora", { accounts: [account("own", "owner")] });
  const [{ user_id: user }] = await server.sql("SELECT user_id FROM sessions ORDER BY created_at DESC, rowid DESC LIMIT 1");
  await server.sql("INSERT INTO members (account_id, user_id, role) VALUES ('a0000000000000000000000000000001', ?1, 'staff')", user);
  await signIn("acme", "dora", {});
  assert.deepEqual(await server.sql("SELECT account_id, role FROM members WHERE user_id = ?1", user), [
    { account_id: "a0000000000000000000000000000001", role: "staff" },
  ]);
});

test("somebody is issuer and sub: the same address or the same sub at two providers and here is three people", async () => {
  const [{ before }] = await server.sql("SELECT count(*) AS before FROM users");
  const own = { email: OWNER, name: "Not Olivia" };
  const first = await signIn("acme", "same-sub", { ...own, accounts: [account("same-1", "owner")] });
  const second = await signIn("umbrella", "same-sub", { ...own, accounts: [account("same-2", "owner")] });
  for (const { answer } of [first, second]) assert.equal(answer.status, 303);
  const [{ after }] = await server.sql("SELECT count(*) AS after FROM users");
  assert.equal(after - before, 2);
  assert.ok(!(await accounts(first.browser)).consent.text.includes("Demo Salon"), "the embedded owner's account is not theirs");
  assert.deepEqual([...new Set((await accounts(second.browser)).names)], ["Account same-2"]);
  // The embedded person signs in as before.
  assert.equal((await new Browser(server).signIn(OWNER, PASSWORD)).status, 303);
  // A changed address is the same person.
  await signIn("acme", "same-sub", { email: "other@acme.example" });
  assert.equal((await server.sql("SELECT count(*) AS now FROM users"))[0].now, after);
});

test("two first sign-ins of one person at once are one person", async () => {
  const [{ before }] = await server.sql("SELECT count(*) AS before FROM users");
  const claims = { accounts: [account("twice", "owner")] };
  const all = await Promise.all(Array.from({ length: 5 }, () => signIn("acme", "twin", claims)));
  assert.deepEqual(new Set(all.map(({ answer }) => answer.status)), new Set([303]));
  assert.equal((await server.sql("SELECT count(*) AS after FROM users"))[0].after - before, 1);
  assert.equal((await server.sql("SELECT id FROM accounts WHERE name = 'Account twice'")).length, 1);
});

test("a new hash key changes nobody: person and account are found under the old one", async () => {
  const key = () => randomBytes(32).toString("base64url");
  const old = `1:${key()}`;
  const rotating = await startServer({ vars: { HASH_KEYS: old, OIDC_PROVIDERS: JSON.stringify([configured("umbrella", umbrella)]) } });
  const all = () => rotating.sql("SELECT u.id, m.account_id FROM users u JOIN identities i ON i.user_id = u.id JOIN members m ON m.user_id = u.id");
  try {
    umbrella.serve(rotating.issuer, "umbrella");
    const enter = () => signIn("umbrella", "kim", { accounts: [account("kept", "owner")] }, { browser: new Browser(rotating) });
    await enter();
    const first = await all();
    rotating.options.vars.HASH_KEYS = `2:${key()},${old}`;
    await rotating.restart();
    assert.equal((await enter()).answer.status, 303);
    assert.deepEqual(await all(), first);
    assert.equal(first.length, 1);
  } finally {
    umbrella.serve(server.issuer, "umbrella");
    await rotating.stop();
  }
});

test("nobody of a provider can sign in with a password, whatever it is", async () => {
  await signIn("acme", "eve", { email: "eve@acme.example" });
  for (const password of ["", "eve", "null"]) {
    const answer = await new Browser(server).signIn("eve@acme.example", password);
    assert.equal(answer.status, 401);
  }
  const rows = await server.sql("SELECT password_hash FROM users u JOIN identities i ON i.user_id = u.id");
  assert.ok(rows.length > 0 && rows.every((row) => row.password_hash === ""));
});

test("the claim that names staff makes a platform administrator, and a sign-in without it takes that back", async () => {
  const isStaff = async (browser) => nav(await browser.page("/account/apps")).includes("/admin");
  const { browser } = await signIn("acme", "sam", { groups: ["x", "edgegrant-staff"] });
  assert.equal(await isStaff(browser), true);
  await signIn("acme", "sam", { groups: ["x"] });
  assert.equal(await isStaff(browser), false, "in the other browser too");
  const other = await signIn("acme", "tom", { groups: "edgegrant" });
  assert.equal(await isStaff(other.browser), false);
  const audit = await server.sql("SELECT action FROM audit WHERE action LIKE '%admin' OR action = 'staff signed in' ORDER BY id");
  assert.deepEqual(
    audit.map(({ action }) => action),
    ["became_admin", "staff signed in", "no_longer_admin"],
  );
});

test("what somebody else has made an administrator stays one without the claim", async () => {
  await signIn("acme", "uma", {});
  await server.sql("UPDATE users SET platform_admin = 1 WHERE id = (SELECT user_id FROM sessions ORDER BY created_at DESC, rowid DESC LIMIT 1)");
  const { browser } = await signIn("acme", "uma", {});
  assert.ok(nav(await browser.page("/account/apps")).includes("/admin"));
});

test("a session from a provider ends after 8 hours, however much it is used; one from here does not", async () => {
  const { browser } = await signIn("acme", "vic", {});
  const own = await signedIn(server);
  const status = async (who) => (await who.page("/account/apps")).status;
  for (const hours of [3, 6, 7.9]) {
    await server.clock(hours * 3_600_000);
    assert.equal(await status(browser), 200, `after ${hours} hours`);
    assert.equal(await status(own), 200);
  }
  await server.clock(8.1 * 3_600_000);
  assert.equal(await status(browser), 303);
  assert.equal(await status(own), 200);
});

test("several sign-ins at once in one browser, in any order; of many the oldest gives way", async () => {
  acme.people.set("wil", {});
  const browser = new Browser(server);
  const flows = [];
  for (let n = 0; n < 6; n++) flows.push(await begin(browser, "acme", `/account/apps?skip=${n}`));
  assert.equal([...browser.cookies.keys()].filter((name) => /flow/.test(name)).length, 5);
  const finish = async (address) => {
    const back = await new ProviderBrowser(acme.issuer).go(address, "wil");
    return browser.page(back.pathname + back.search);
  };
  assert.equal((await finish(flows[4])).location, "/account/apps?skip=4");
  assert.equal((await finish(flows[3])).location, "/account/apps?skip=3");
});

test("signing out ends the session here and leads to where it ends at the provider, and back", async () => {
  acme.people.set("xena", {});
  const browser = new Browser(server);
  const there = new ProviderBrowser(acme.issuer);
  const back = await there.go(await begin(browser, "acme"), "xena");
  await browser.page(back.pathname + back.search);
  const apps = await browser.page("/account/apps");
  assert.ok(apps.headers.get("content-security-policy").endsWith(`form-action 'self' ${acme.issuer}`), "the redirect is allowed");
  const copy = browser.cookies.get("edgegrant_session");
  const answer = await browser.submit(apps.forms.find(({ action }) => action === "/logout"));
  const address = new URL(answer.location);
  assert.equal(`${answer.status} ${address.origin}${address.pathname}`, `303 ${acme.issuer}/session/end`);
  assert.deepEqual(Object.fromEntries(address.searchParams), { client_id: "edgegrant", post_logout_redirect_uri: `${server.issuer}/login` });
  assert.equal((await server.fetch("/account/apps", { headers: { cookie: `edgegrant_session=${copy}` } })).status, 303);
  assert.equal((await there.go(address)).href, `${server.issuer}/login`);
  const own = await signedIn(server);
  const page = await own.page("/account/apps");
  assert.ok(page.headers.get("content-security-policy").endsWith("form-action 'self'"));
  assert.equal((await own.submit(page.forms.find(({ action }) => action === "/logout"))).location, "/");
});

test("nothing of a provider's person can be read in the storage or the log", async () => {
  const claims = { email: "zoe.secret@acme.example", name: "Zoe Unreadable", accounts: [account("external-id-4711", "owner", "Account zoe")] };
  const { back } = await signIn("acme", "subject-of-zoe", claims);
  const texts = ["zoe.secret", "Unreadable", "subject-of-zoe", "external-id-4711"];
  const files = dump(server);
  assert.ok(files.some(({ bytes }) => bytes.includes("Account zoe")), "the scan finds what is readable");
  for (const text of texts) assert.deepEqual(files.filter(({ bytes }) => bytes.includes(text)).map(({ name }) => name), [], text);
  const secrets = [...texts, back.searchParams.get("code"), back.searchParams.get("state"), "the-secret-of-edgegrant"];
  for (const text of secrets) assert.ok(!server.log.includes(text), `${text} in the log`);
  assert.ok((await logged(server, '"route":"/login/*/callback"')) && !server.log.includes("/login/acme"));
});

test("in a real browser without scripts: button, provider, consent page, and out again through the provider", async () => {
  acme.people.set("yves", { email: "yves@acme.example", accounts: [account("y-1", "owner")] });
  const chromium = await startChromium();
  try {
    const context = await chromium.context({ javaScriptEnabled: false });
    const tab = await context.newPage();
    await tab.goto(server.issuer + authorizePath(spa(server), { code_challenge: pkce().challenge }));
    await tab.getByRole("button", { name: "Continue with Acme Accounts" }).click();
    await tab.locator("input[name=login]").fill("yves");
    await tab.locator("input[name=password]").fill("any");
    await tab.locator("button[type=submit]").click();
    await tab.locator("button[type=submit]").click(); // the provider's own consent
    await tab.getByRole("button", { name: "Allow" }).waitFor();
    assert.match(await tab.textContent("main"), /Account y-1/);
    await tab.goto(`${server.issuer}/account/apps`);
    await tab.getByRole("button", { name: "Sign out" }).click();
    await tab.waitForURL(`${acme.issuer}/session/end**`);
    await tab.getByRole("button", { name: "Yes" }).click();
    await tab.waitForURL(`${server.issuer}/login`);
    // The provider's own pages want fonts from elsewhere; ours refuse nothing.
    assert.deepEqual(
      context.errors.filter((error) => /security policy/i.test(error)),
      [],
    );
  } finally {
    await chromium.close();
  }
});
