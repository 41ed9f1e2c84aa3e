// Signing in and out: sessions, cookies, where it leads, and guessing passwords.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { authorizePath, Browser, OWNER, PASSWORD, pkce, signedIn, spa, STAFF } from "./harness/client.mjs";
import { errorPage, safePage } from "./harness/expect.mjs";
import { startServer } from "./harness/server.mjs";

const WRONG = /The e-mail address or the password is not right\./;

let server;
before(async () => (server = await startServer()));
after(() => server.stop());
afterEach(() => server.clock(0));

const isSignedIn = async (browser) => (await browser.page("/account/apps")).status === 200;
const cookieHeader = (browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");

test("UI-09: the login form has e-mail address and password with what password managers need", async () => {
  const login = await new Browser(server).page("/login");
  assert.equal(login.status, 200);
  safePage(login);
  assert.match(login.headers.get("cache-control"), /no-store/);
  assert.deepEqual(
    ["email", "password"].map((name) => login.forms[0].values(name).length),
    [1, 1],
  );
  assert.match(login.html, /autocomplete="current-password"/);
  assert.match(login.html, /autocomplete="(username|email)"/);
});

test("the right password leads to where the person was going", async () => {
  const browser = new Browser(server);
  const path = authorizePath(spa(server), { code_challenge: pkce().challenge, state: "a b&c" });
  const sent = await browser.page(path);
  const login = await browser.page(sent.location);
  const answer = await browser.submit(login.forms[0], { email: OWNER, password: PASSWORD });
  assert.equal(answer.status, 303);
  assert.equal(answer.location, path);
  assert.equal((await browser.page(answer.location)).status, 200);
});

test("without a place to go the connected apps are shown; e-mail addresses ignore case and surrounding space", async () => {
  const browser = new Browser(server);
  const answer = await browser.signIn(` ${OWNER.toUpperCase()} `);
  assert.equal(answer.status, 303);
  assert.equal(answer.location, "/account/apps");
  assert.ok(await isSignedIn(browser));
});

test("a wrong password and an unknown name are answered alike: 401, the form again, no session", async () => {
  const answers = [];
  for (const [email, password] of [
    [STAFF, "not-the-password-7391"],
    ["nobody@demo.example", PASSWORD],
    [STAFF, ""],
    ["", PASSWORD],
  ]) {
    const browser = new Browser(server);
    const answer = await browser.signIn(email, password, "/account/apps");
    assert.equal(answer.status, 401);
    safePage(answer);
    assert.match(answer.text, WRONG);
    assert.ok(!answer.html.includes("not-the-password-7391"), "the password is not sent back");
    assert.equal(await isSignedIn(browser), false);
    assert.equal(answer.forms[0].values("return_to")[0], "/account/apps");
    answers.push(answer.text.replace(/Development:.*$/, "")); // a note of the development build
  }
  assert.equal(answers[0], answers[1]);
});

test("AZ-42: the session cookie is out of reach of scripts and of other sites", async () => {
  const browser = new Browser(server);
  const login = await browser.page("/login");
  const answer = await browser.submit(login.forms[0], { email: OWNER, password: PASSWORD });
  const line = answer.headers.getSetCookie().find((cookie) => cookie.startsWith("edgegrant_session="));
  for (const attribute of [/; *HttpOnly/i, /; *SameSite=Lax/i, /; *Path=\/(;|$)/i]) assert.match(line, attribute);
  assert.doesNotMatch(line, /Domain=/i);
  assert.ok(!line.includes("owner"), "nothing readable in it");
  assert.ok(login.headers.getSetCookie().every((cookie) => /HttpOnly/i.test(cookie)));
});

test("AZ-42, OP-03: on https the cookie has the __Host- prefix and Secure, and every answer asks for https from then on", async () => {
  const secure = await startServer({ vars: { ISSUER: "https://auth.example.com" } });
  try {
    const answer = await secure.fetch("/login");
    const [cookie] = answer.headers.getSetCookie();
    assert.equal(answer.status, 200);
    assert.match(cookie, /^__Host-edgegrant_login=/);
    assert.match(cookie, /; *Secure/i);
    for (const path of ["/login", "/oauth/token", "/api/v1/me", "/nowhere", "/.well-known/oauth-authorization-server"]) {
      const { headers } = await secure.fetch(path);
      assert.match(headers.get("strict-transport-security") ?? "", /max-age=31536000/, path);
    }
  } finally {
    await secure.stop();
  }
});

test("UI-08: signing in makes a new session, and an old or invented one is worth nothing", async () => {
  const browser = new Browser(server);
  browser.cookies.set("edgegrant_session", "fixed-by-the-attacker");
  assert.equal(await isSignedIn(browser), false);
  await browser.signIn();
  const first = browser.cookies.get("edgegrant_session");
  assert.notEqual(first, "fixed-by-the-attacker");
  const copy = cookieHeader(browser);
  await browser.signIn();
  assert.notEqual(browser.cookies.get("edgegrant_session"), first);
  const old = await server.fetch("/account/apps", {
    headers: { cookie: copy.split("; ").find((pair) => pair.startsWith("edgegrant_session=")) },
  });
  assert.equal(old.status, 303, "the session that was replaced has ended");
});

test("login CSRF: the form needs the pre-session of this browser and our origin", async () => {
  const victim = new Browser(server);
  const attacker = new Browser(server);
  const form = (await attacker.page("/login")).forms[0];
  const fill = { email: STAFF, password: PASSWORD };
  for (const browser of [victim]) {
    await browser.page("/login");
    const answer = await browser.submit(form, fill);
    assert.equal(answer.status, 403);
    assert.equal(await isSignedIn(browser), false);
  }
  const own = (await victim.page("/login")).forms[0];
  errorPage(await victim.submit(own, fill, {}, { origin: "https://attacker.example", "sec-fetch-site": "cross-site" }), 403);
  const data = own.data(fill);
  data.delete("csrf");
  assert.equal((await victim.page("/login", { method: "POST", body: data, headers: { origin: server.issuer } })).status, 403);
});

test("a form of another media type is 415, a huge one 413; both are pages with a way on", async () => {
  const browser = new Browser(server);
  const headers = { origin: server.issuer };
  for (const path of ["/login", "/logout", "/oauth/authorize", "/oauth/authorize/decision", "/account/apps/disconnect"]) {
    const json = { ...headers, "content-type": "application/json" };
    const large = new URLSearchParams({ email: "a".repeat(65_600) });
    for (const [status, init] of [
      [415, { headers: json, body: "{}" }],
      [413, { headers, body: large }],
    ]) {
      const answer = await browser.page(path, { method: "POST", ...init });
      errorPage(answer, status);
      assert.match(answer.html, /<a class="button" href="\/"/);
    }
  }
});

test("somebody who is signed in already may go on from the sign-in page without a password", async () => {
  const browser = new Browser(server);
  await browser.signIn();
  const login = await browser.page("/login?return_to=%2Faccount%2Fapps%3Fskip%3D20");
  assert.match(login.text, new RegExp(`Go on as ${OWNER}`));
  assert.match(login.html, /<a href="\/account\/apps\?skip(=|&#61;)20"/);
  assert.doesNotMatch((await new Browser(server).page("/login")).text, /Go on as/);
});

test("return_to leads to this server only", async () => {
  const elsewhere = [
    "https://attacker.example/",
    "//attacker.example/",
    "/\\attacker.example/",
    "\\\\attacker.example",
    "javascript:alert(1)",
    "/\t/attacker.example",
    "/%0d%0aSet-Cookie:a=b",
    "http:attacker.example",
    "account/apps",
    "/@attacker.example",
    " /x",
    "/\n/x",
  ];
  for (const target of elsewhere) {
    const answer = await new Browser(server).signIn(OWNER, PASSWORD, target);
    assert.equal(answer.status, 303, target);
    assert.equal(new URL(answer.location, server.issuer).origin, server.issuer, target);
    assert.ok(answer.location.startsWith("/") && !/^\/[/\\]/.test(answer.location) && !/[\r\n\t\\]/.test(answer.location), answer.location);
    assert.deepEqual(
      answer.headers.getSetCookie().filter((cookie) => cookie.startsWith("a=")),
      [],
    );
  }
});

test("A30: logging out ends the session, also for a copy of the cookie, and only this one", async () => {
  const browser = await signedIn(server);
  const other = await signedIn(server);
  const copy = cookieHeader(browser);
  const apps = await browser.page("/account/apps");
  const form = apps.forms.find((candidate) => candidate.action.endsWith("/logout"));
  errorPage(await browser.submit(form, {}, {}, { origin: "https://attacker.example", "sec-fetch-site": "cross-site" }), 403);
  assert.ok(await isSignedIn(browser));
  const answer = await browser.submit(form);
  assert.equal(`${answer.status} ${answer.location}`, "303 /");
  assert.equal((await server.fetch("/account/apps", { headers: { cookie: copy } })).status, 303);
  assert.ok(await isSignedIn(other));
  assert.ok([404, 405].includes((await server.fetch("/logout")).status), "a link logs nobody out");
});

test("A30: a session ends after 12 hours without use and after 7 days in any case", async () => {
  const browser = await signedIn(server);
  await server.clock(11 * 3_600_000);
  assert.ok(await isSignedIn(browser));
  await server.clock(24 * 3_600_000);
  assert.equal(await isSignedIn(browser), false);
  await server.clock(0);
  const used = await signedIn(server);
  for (let hours = 11; hours < 7 * 24; hours += 11) {
    await server.clock(hours * 3_600_000);
    assert.ok(await isSignedIn(used), `after ${hours} hours`);
  }
  await server.clock((7 * 24 + 1) * 3_600_000);
  assert.equal(await isSignedIn(used), false);
});

test("AZ-32: nothing typed into the form comes back as markup", async () => {
  const answer = await new Browser(server).signIn(`"><script>alert(1)</script>@demo.example`, "x", `/account/apps?"><img src=x>`);
  safePage(answer);
  assert.ok(!answer.html.includes("<script>") && !answer.html.includes("<img src=x>"));
});

test("UI-07, A20: after too many tries even the right password is refused, with Retry-After; waiting that long works", async () => {
  const browser = new Browser(server);
  let answer;
  let tries = 0;
  do {
    answer = await browser.signIn(STAFF, `wrong ${tries}`);
    tries += 1;
  } while (answer.status === 401 && tries < 100);
  assert.equal(answer.status, 429, `${tries} wrong passwords were allowed`);
  safePage(answer);
  assert.doesNotMatch(answer.text, WRONG);
  const wait = Number(answer.headers.get("retry-after"));
  assert.ok(Number.isInteger(wait) && wait > 0);
  assert.equal((await browser.signIn(STAFF)).status, 429, "the right password");
  assert.equal((await new Browser(server).signIn(STAFF)).status, 429, "another browser");
  assert.equal((await new Browser(server).signIn(STAFF.toUpperCase())).status, 429, "another spelling");
  assert.equal((await new Browser(server).signIn(OWNER)).status, 303, "another person");
  await server.clock(wait * 1000 + 1000);
  assert.equal((await browser.signIn(STAFF)).status, 303);
});

test("UI-07: parallel guesses do not get past the limit", async () => {
  const browsers = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const browser = new Browser(server);
      return { browser, form: (await browser.page("/login")).forms[0] };
    }),
  );
  const answers = await Promise.all(
    browsers.map(({ browser, form }, n) => browser.submit(form, { email: "admin@demo.example", password: `guess ${n}` })),
  );
  const tried = answers.filter((answer) => answer.status === 401).length;
  assert.ok(tried <= 20, `${tried} of 40 parallel guesses were tried`);
  assert.equal(answers.filter((answer) => answer.status === 429).length, 40 - tried);
});
