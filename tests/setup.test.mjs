// The first administrator: made with a token that is a secret of the deployment, once.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { Browser } from "./harness/client.mjs";
import { dump } from "./harness/dump.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { arrive, begin, configured, hostileProvider } from "./harness/providers.mjs";
import { startServer } from "./harness/server.mjs";

const HERE = "/admin/setup";
const EMAIL = "first@deployment.example";
const PASSWORD = "twelve-chars";
const TOKEN = randomBytes(32).toString("base64url");
const WRONG = randomBytes(32).toString("base64url");

let provider;
before(async () => (provider = await hostileProvider()));
after(() => provider.close());

/** Runs with a server that has nobody in it. */
async function empty(run, vars = {}) {
  const server = await startServer({ seed: false, vars: { SETUP_TOKEN: TOKEN, ...vars } });
  try {
    return await run(server);
  } finally {
    await server.stop();
  }
}

const providers = () => ({ OIDC_PROVIDERS: JSON.stringify([configured("acme", provider)]) });

/** Somebody who signs in at the provider. */
async function guest(server, sub) {
  const browser = new Browser(server);
  const { nonce, state } = Object.fromEntries((await begin(browser, "acme")).searchParams);
  Object.assign(provider, { nonce, claims: { sub, email: `${sub}@acme.example` } });
  assert.equal((await arrive(browser, "acme", { code: "x", state })).status, 303);
  return browser;
}

const setupForm = (page) => page.forms.find(({ action }) => action === HERE);
const admins = async (server) => (await server.sql("SELECT id FROM users WHERE platform_admin = 1")).length;

test("where nobody has an account, the token makes the first person, who signs in as administrator; then the page is gone", () =>
  empty(async (server) => {
    const browser = new Browser(server);
    const page = await browser.page(HERE);
    assert.equal(page.status, 200);
    safePage(page);
    const form = setupForm(page);
    for (const [fill, status, words] of [
      [{ token: WRONG, email: EMAIL, password: PASSWORD }, 403, /This is not the token/],
      [{ token: "", email: EMAIL, password: PASSWORD }, 403, /This is not the token/],
      [{ token: TOKEN, email: EMAIL, password: "eleven-char" }, 400, /Use 12 to 1024 characters/],
      [{ token: TOKEN, email: "nobody", password: PASSWORD }, 400, /Write an e-mail address/],
    ]) {
      const answer = await browser.submit(form, fill);
      errorPage(answer, status);
      assert.match(answer.text, words);
      for (const secret of [TOKEN, WRONG, PASSWORD, "eleven-char"]) assert.ok(!answer.html.includes(secret), "nothing secret comes back");
      assert.equal(setupForm(answer).values("email")[0], fill.email);
    }
    assert.deepEqual(await server.sql("SELECT id FROM users"), []);
    const done = await browser.submit(form, { token: ` ${TOKEN}\n`, email: ` ${EMAIL.toUpperCase()}`, password: PASSWORD });
    assert.equal(done.status, 200);
    safePage(done);
    assert.match(done.text, /Delete the secret SETUP_TOKEN now/);
    assert.equal((await browser.signIn(EMAIL, PASSWORD)).status, 303);
    assert.match((await browser.page("/account/apps")).html, /href="\/admin"/);
    const [entry, ...more] = await server.sql("SELECT actor, action, (SELECT id FROM users) AS user FROM audit WHERE action <> 'staff signed in'");
    assert.deepEqual([entry.actor, entry.action, more.length], [entry.user, "first_admin", 0]);
    errorPage(await browser.page(HERE), 404);
    errorPage(await browser.submit(form, { token: TOKEN, email: "second@deployment.example", password: PASSWORD }), 404);
    assert.equal(await admins(server), 1);
    for (const secret of [TOKEN, PASSWORD, EMAIL]) {
      assert.ok(!server.log.includes(secret) && !dump(server).some(({ bytes }) => bytes.includes(secret)));
    }
  }));

test("somebody who signed in at a provider becomes the administrator with the token, and stays it at the next sign-in", () =>
  empty(async (server) => {
    const browser = await guest(server, "ann");
    const form = setupForm(await browser.page(HERE));
    assert.deepEqual([...form.data().keys()], ["csrf", "token"]);
    errorPage(await browser.submit(form, { token: WRONG }), 403);
    errorPage(await browser.submit(form, { token: TOKEN }, {}, { origin: "https://attacker.example", "sec-fetch-site": "cross-site" }), 403);
    const other = await guest(server, "bob");
    errorPage(await other.submit(form, { token: TOKEN }), 403); // the form of somebody else's session
    assert.equal(await admins(server), 0);
    assert.equal((await browser.submit(form, { token: TOKEN })).status, 200);
    assert.match((await browser.page("/account/apps")).html, /href="\/admin"/);
    errorPage(await other.page(HERE), 404);
    assert.match((await (await guest(server, "ann")).page("/account/apps")).html, /href="\/admin"/);
    assert.equal(await admins(server), 1);
  }, providers()));

test("where people are but nobody is signed in, the page asks to sign in and makes nobody", () =>
  empty(async (server) => {
    await guest(server, "ann");
    const stranger = new Browser(server);
    for (const init of [{}, { method: "POST", body: new URLSearchParams({ token: TOKEN, email: EMAIL, password: PASSWORD }) }]) {
      const answer = await stranger.page(HERE, init);
      assert.equal(answer.status, 303);
      assert.match(answer.location, /^\/login\?return_to=/);
    }
    assert.equal((await server.sql("SELECT id FROM users")).length, 1);
    assert.equal(await admins(server), 0);
  }, providers()));

test("where passwords are off, the first person signs in at a provider", () =>
  empty(async (server) => {
    assert.equal((await new Browser(server).page(HERE)).status, 303);
    const browser = await guest(server, "ann");
    assert.equal((await browser.submit(setupForm(await browser.page(HERE)), { token: TOKEN })).status, 200);
  }, { ...providers(), POLICY: '{"login":{"password":false}}' }));

test("of two who send the token at once one becomes the administrator", () =>
  empty(async (server) => {
    const browsers = [];
    for (const sub of ["a", "b", "c", "d"]) browsers.push(await guest(server, sub));
    const forms = await Promise.all(browsers.map(async (browser) => setupForm(await browser.page(HERE))));
    const answers = await Promise.all(browsers.map((browser, n) => browser.submit(forms[n], { token: TOKEN })));
    assert.deepEqual(
      answers.map(({ status }) => status).sort(),
      [200, 404, 404, 404],
    );
    assert.equal(await admins(server), 1);
    assert.equal((await server.sql("SELECT id FROM audit WHERE action = 'first_admin'")).length, 1);
  }, providers()));

test("of two first persons at once one is made", () =>
  empty(async (server) => {
    const form = setupForm(await new Browser(server).page(HERE));
    const answers = await Promise.all(
      ["a", "b", "c"].map((name) => new Browser(server).submit(form, { token: TOKEN, email: `${name}@deployment.example`, password: PASSWORD })),
    );
    // Who comes after the first one has been made is asked to sign in.
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.ok(answers.every(({ status }) => [200, 303, 404].includes(status)));
    assert.equal((await server.sql("SELECT id FROM users")).length, 1);
  }));

test("without the secret, and where an administrator is, there is no such page", async () => {
  await empty(async (server) => errorPage(await new Browser(server).page(HERE), 404), { SETUP_TOKEN: "" });
  const seeded = await startServer({ vars: { SETUP_TOKEN: TOKEN } });
  try {
    errorPage(await new Browser(seeded).page(HERE), 404);
    const body = new URLSearchParams({ token: TOKEN, email: EMAIL, password: PASSWORD });
    errorPage(await new Browser(seeded).page(HERE, { method: "POST", body }), 404);
  } finally {
    await seeded.stop();
  }
});
