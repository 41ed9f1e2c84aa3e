// Notices by e-mail: who is told what, that nothing secret is in them, and that nothing waits for them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  authorize,
  authorizePath,
  connect,
  consentForm,
  disconnectAll,
  manageWith,
  OWNER,
  pkce,
  redirectParams,
  serverApp,
  signedIn,
  spa,
  STAFF,
} from "./harness/client.mjs";
import { safePage } from "./harness/expect.mjs";
import { page } from "./harness/html.mjs";
import { makeKey } from "./harness/keys.mjs";
import { startServer } from "./harness/server.mjs";

const SALON = "a0000000000000000000000000000001";
const ADMIN = "admin@demo.example";
/** 32 random bytes as base64url, and what begins like a token: nothing like it is ever sent. */
const SECRET = /[\w-]{43}|(at|rt|key)_[\w-]{20}/;

/** What was sent, the newest first. Waits for what goes on after an answer, so the server must count. */
async function mails(server, to = "") {
  await server.count();
  return (await server.fetch(`/__dev/mail.json?${new URLSearchParams({ to })}`)).json();
}

/** What an action makes the server send. */
async function sent(server, action) {
  const known = new Set((await mails(server)).map(({ id }) => id));
  const value = await action();
  return { value, mails: (await mails(server)).filter(({ id }) => !known.has(id)) };
}

const parts = ({ subject, text, html }) => [subject, text, html].join("\n");

function withoutSecret(mail, ...secrets) {
  for (const secret of secrets) assert.ok(!parts(mail).includes(secret), `${mail.kind} holds ${secret}`);
  assert.doesNotMatch(parts(mail), SECRET, mail.kind);
}

/** The one link of a mail, the same in both parts. */
function linkOf(mail) {
  const links = [...mail.html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href);
  assert.equal(links.length, 1, mail.html);
  assert.ok(mail.text.split("\n").includes(links[0]), mail.text);
  return links[0];
}

/** What the log says of mails that were not sent. */
const said = (server) => server.log.split("\n").filter((line) => line.includes('"what":"mail"'));

const kinds = (mails) => mails.map(({ to, kind }) => `${kind} to ${to}`).sort();

describe("the developer of an app", () => {
  let server;
  before(async () => (server = await startServer({ preset: "klippa", counting: true })));
  after(() => server.stop());

  const decide = async (app, action, body) => {
    const answer = await manageWith(server, "POST", `${app}/${action}`, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
  };

  test("klippa-25: an approval is told with the client_id and a link behind which the secret appears", async () => {
    const { mails } = await sent(server, () => decide("demo-pending", "approve"));
    assert.deepEqual(kinds(mails), [`app_approved to ${OWNER}`]);
    const [mail] = mails;
    assert.equal(mail.subject, "Your app Fresh Cut is approved on Klippa", "the preset's words");
    for (const part of [mail.text, mail.html]) assert.match(part, /client_id: (<bdi>)?demo-pending/);
    assert.ok(mail.html.includes("#7c2d6b"), "the platform's colour");
    assert.equal(linkOf(mail), `${server.issuer}/developers/apps/demo-pending`);
    withoutSecret(mail, "demo-pending-secret");
  });

  test("a secret that was added is told, and is in no part of the message", async () => {
    const { value, mails } = await sent(server, () => manageWith(server, "POST", "demo-server/secrets", {}));
    assert.equal(value.status, 201);
    assert.deepEqual(kinds(mails), [`secret_added to ${OWNER}`]);
    withoutSecret(mails[0], value.json.client_secret);
  });

  test("refused, stopped and restored are told once, with the reason as it was written", async () => {
    const reason = "<b>No imprint</b> & no terms: see https://klippa.example/rules";
    const both = () => Promise.all([decide("demo-pending", "reject", { reason }), decide("demo-server", "suspend", { reason })]);
    const { mails } = await sent(server, both);
    assert.deepEqual(kinds(mails), [`app_rejected to ${OWNER}`, `app_suspended to ${OWNER}`]);
    for (const mail of mails) {
      assert.ok(mail.text.includes(`\nReason: ${reason}\n`), mail.text);
      assert.ok(page(mail.html).text.includes(reason) && !mail.html.includes("<b>"), mail.html);
    }
    assert.deepEqual((await sent(server, both)).mails, [], "they were so already");
    const again = await sent(server, () => decide("demo-server", "restore"));
    assert.deepEqual(kinds(again.mails), [`app_restored to ${OWNER}`]);
  });

  test("registration goes to the account's developers; what staff decides, to the contact, and a change by its own words", async () => {
    const contact = "dev@app.example";
    const details = {
      name: "Night Shift",
      description: "Plans who works when, and tells everybody.",
      website: "https://app.example/",
      redirect_uris: ["https://app.example/cb"],
      scopes: [{ name: "klippa.book", reason: "To make bookings" }],
    };
    const post = async (path, method, body) => {
      const answer = await server.fetch(`/manage/v1/apps${path}`, {
        method,
        headers: { authorization: "Bearer demo-management-token", "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      assert.ok(answer.ok, await answer.clone().text());
      return answer.json();
    };
    const made = await sent(server, () => post("", "POST", { account: SALON, client_type: "confidential", contact, details }));
    assert.deepEqual(kinds(made.mails), [`app_submitted to ${OWNER}`, `app_submitted to ${STAFF}`]);
    const id = made.value.client_id;
    const change = { details: { ...details, name: "Day Shift" } };
    for (const [action, expected] of [
      [() => decide(id, "approve"), [`app_approved to ${contact}`]],
      [() => post(`/${id}`, "PUT", change), [`app_submitted to ${OWNER}`, `app_submitted to ${STAFF}`]],
      [() => decide(id, "reject", { reason: "Night Shift is the better name" }), [`change_rejected to ${contact}`]],
    ]) {
      const { mails } = await sent(server, action);
      assert.deepEqual(kinds(mails), expected);
      for (const mail of mails) withoutSecret(mail);
    }
  });
});

describe("the people of an account", () => {
  let server, owner;
  before(async () => {
    server = await startServer({ counting: true });
    owner = await signedIn(server);
  });
  after(() => server.stop());

  test("who may connect apps is told of a new connection, each alone; who may not is told nothing", async () => {
    await server.sql("INSERT INTO members (account_id, user_id, role) SELECT ?1, id, 'owner' FROM users WHERE platform_admin = 1", SALON);
    const { value, mails } = await sent(server, () => connect(server, owner, spa(server)));
    assert.deepEqual(kinds(mails), [`app_connected to ${ADMIN}`, `app_connected to ${OWNER}`]);
    for (const mail of mails) {
      assert.equal(mail.subject, "Salon Planner was connected to Demo Salon");
      assert.ok(mail.text.includes("\n- See your bookings\n") && mail.text.includes("your business account Demo Salon on Edgegrant"), mail.text);
      assert.equal(linkOf(mail), `${server.issuer}/account/apps`);
      withoutSecret(mail, value.access_token, value.refresh_token, value.code, value.verifier);
      for (const person of [OWNER, STAFF, ADMIN]) assert.ok(!parts(mail).includes(person), "no address in a message");
    }
    await server.sql("DELETE FROM members WHERE user_id IN (SELECT id FROM users WHERE platform_admin = 1)");
  });

  test("asking again is no news; being allowed more is, and so is connecting after a disconnect", async () => {
    const again = (scope) => sent(server, () => authorize(owner, serverApp(), { scope }));
    assert.deepEqual(kinds((await again("account:read")).mails), [`app_connected to ${OWNER}`]);
    assert.deepEqual(kinds((await again("account:read")).mails), []);
    const more = (await again("account:read customers:read")).mails;
    assert.deepEqual(kinds(more), [`app_connected to ${OWNER}`]);
    assert.match(more[0].text, /customers' names/);
    assert.deepEqual(kinds((await again("account:read")).mails), [], "less is none");
    await disconnectAll(owner);
    assert.deepEqual(kinds((await again("account:read")).mails), [`app_connected to ${OWNER}`]);
    assert.deepEqual((await sent(server, () => authorize(owner, spa(server), { decision: "deny" }))).mails, []);
  });

  test("who manages the API keys is told of a new one, which is in no part of the message", async () => {
    const { value, mails } = await sent(server, () => makeKey(owner, { label: "Nightly report" }));
    assert.deepEqual(kinds(mails), [`key_issued to ${OWNER}`]);
    assert.equal(mails[0].subject, "An API key was made for Demo Salon");
    assert.ok(mails[0].text.includes("\nKey: Nightly report\n"), mails[0].text);
    assert.equal(linkOf(mails[0]), `${server.issuer}/account/keys`);
    withoutSecret(mails[0], value.key, value.key.slice(-20));
  });

  test("a name with HTML, line breaks or turned writing is a name in every part", async () => {
    const name = 'Salon</p><img src=x onerror=alert(1)>\r\nBcc: all@evil.example\r\n\r\n\u202e\u2066gnp.exe\u0000 ' + "x".repeat(500);
    await server.sql("UPDATE accounts SET name = ?1 WHERE id = ?2", name, SALON);
    await disconnectAll(owner);
    const [mail] = (await sent(server, () => connect(server, owner, spa(server), { account: SALON }))).mails;
    assert.doesNotMatch(mail.subject, /[\u0000-\u001f\u202a-\u202e\u2066-\u2069]/);
    assert.ok(mail.subject.length < 160 && mail.subject.includes("…"), mail.subject);
    assert.doesNotMatch(mail.text, /^Bcc|[\u202a-\u202e\u2066-\u2069\u0000\r]/m);
    assert.doesNotMatch(mail.html, /<img|<\/p>[^\n]|\u202e|\r/);
    assert.ok(page(mail.html).text.includes("Salon</p><img src=x"), mail.html);
    await server.sql("UPDATE accounts SET name = 'Demo Salon' WHERE id = ?1", SALON);
  });

  test("the developer sees them listed, and each part; the HTML part can do nothing", async () => {
    const [mail] = await mails(server, OWNER);
    const list = await owner.page("/__dev/mail");
    safePage(list);
    assert.ok(list.html.includes(`/__dev/mail/${mail.id}"`) && list.text.includes(OWNER), list.text);
    assert.deepEqual(await mails(server, "nobody@demo.example"), []);
    const one = await owner.page(`/__dev/mail/${mail.id}`);
    safePage(one);
    assert.ok(one.html.includes(`/__dev/mail/${mail.id}.html`));
    const html = await owner.fetch(`/__dev/mail/${mail.id}.html`);
    assert.equal(await html.text(), mail.html);
    assert.match(html.headers.get("content-security-policy"), /^default-src 'none'; style-src 'unsafe-inline';.*sandbox/);
    assert.equal(await (await owner.fetch(`/__dev/mail/${mail.id}.txt`)).text(), mail.text);
    for (const path of ["999999", "x", `${mail.id}.pdf`, ""]) assert.equal((await owner.fetch(`/__dev/mail/${path}`)).status, 404, path);
    assert.ok(server.log.includes(`/__dev/mail/${mail.id}`), "the console says where");
    assert.ok(!server.log.includes(OWNER), "and not to whom");
  });

  test("a database that does not answer costs the message, not what it is about", async () => {
    await disconnectAll(owner);
    const form = consentForm(await owner.page(authorizePath(spa(server), { code_challenge: pkce().challenge })));
    const { value, mails } = await sent(server, async () => {
      await server.faults({ d1: "throw" });
      const answer = await owner.submit(form, { account: form.values("account")[0] }, { decision: "allow" });
      await server.count();
      await server.faults({});
      return answer;
    });
    assert.ok(redirectParams(value.location).code, value.text);
    assert.deepEqual(mails, []);
    assert.equal(said(server).length, 1, server.log);
  });
});

describe("sending", () => {
  /** Runs with a server that has a sender; `email` binds Miniflare's mail service. */
  const sending = async (options, run) => {
    const server = await startServer({ counting: true, ...options, vars: { MAIL_FROM: "notices@auth.example", ...options.vars } });
    try {
      const held = await connect(server, await signedIn(server), spa(server));
      assert.ok(held.access_token);
      await server.count();
      await run(server);
    } finally {
      await server.stop();
    }
  };
  test("the binding gets sender, recipient and both parts", () =>
    sending({ email: { allowed_sender_addresses: ["notices@auth.example"], allowed_destination_addresses: [OWNER] } }, async (server) => {
      const [mail] = await mails(server, OWNER);
      assert.deepEqual(said(server), []);
      assert.deepEqual(await stored(server, 2), [mail.html, mail.text].sort());
    }));

  test("a refusal is one line of the log, without address and text, and nothing else", () =>
    sending({ email: { allowed_destination_addresses: ["somebody@else.example"] } }, (server) => {
      assert.equal(said(server).length, 1, server.log);
      assert.match(said(server)[0], /"place":"EMAIL send"/);
      assert.ok(!server.log.includes(OWNER), server.log);
    }));

  test("a deployment without the binding works, and its log says what is missing", () =>
    sending({}, (server) => {
      assert.equal(said(server).length, 1, server.log);
      assert.match(said(server)[0], /no binding EMAIL/);
    }));

  test("a policy leaves kinds out", () =>
    sending({ vars: { POLICY: '{"mail":{"notices":["app_approved"]}}' } }, async (server) => {
      assert.deepEqual(await mails(server), []);
      assert.deepEqual(said(server), []);
    }));
});

/** What Miniflare's mail service has stored, when it is `count` files: it does so after its answer. */
async function stored(server, count) {
  for (let tries = 0; tries < 200; tries += 1) {
    const folder = join(server.storage, "sent");
    const names = readdirSync(folder, { recursive: true }).filter((name) => /\.(txt|html)$/.test(name));
    const files = names.map((name) => readFileSync(join(folder, name), "utf8"));
    if (files.length === count && files.every(Boolean)) return files.sort();
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error("no message was stored");
}
