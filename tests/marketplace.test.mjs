// /marketplace: which apps are in it, what it says of them, and whose connections it marks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorize, Browser, connect, disconnectAll, manage, serverApp, signedIn, STAFF } from "./harness/client.mjs";
import { safePage } from "./harness/expect.mjs";
import { elements, text } from "./harness/html.mjs";
import {
  approved,
  developer as signedInDeveloper,
  fillIn,
  pass,
  registered,
  reviewer,
  SECOND_SALON,
  uniqueName,
} from "./harness/portal.mjs";
import { startServer } from "./harness/server.mjs";

const scope = "bookings:read";
const INSTALL = "https://ledger.example/install?from=marketplace&x=1";
let server, developer, anybody, ledger, plain, pending, rejected;
before(async () => {
  server = await startServer();
  developer = await signedInDeveloper(server);
  anybody = new Browser(server);
  [ledger, plain] = await approved(
    developer,
    {
      name: "Night Ledger",
      website: "https://ledger.example/about",
      install_url: INSTALL,
      scopes: [scope, "customers:read"],
      "reason:customers:read": "to name them",
    },
    {},
  );
  [pending, rejected] = [await registered(developer), await registered(developer)];
  assert.equal(
    (await fillIn(await reviewer(server), `${rejected.admin}/reject`, { reason: "It does nothing." })).location,
    "/admin?done=decided",
  );
});
after(() => server?.stop());

/** The cards of the page: name, text, and the link that installs or opens. */
async function cards(browser = anybody, path = "/marketplace") {
  const page = await browser.page(path);
  assert.equal(page.status, 200);
  safePage(page);
  return [...elements(page.tree, "li")]
    .filter((li) => li.attrs.some(({ value }) => value?.includes("connection")))
    .map((li) => {
      const [link] = [...elements(li, "a")].filter((a) => a.attrs.some(({ name, value }) => name === "class" && value.includes("button")));
      const href = link?.attrs.find(({ name }) => name === "href").value;
      return { name: text([...elements(li, "h2")][0]), text: text(li), action: link && text(link), href };
    });
}
const card = async (app, browser) => (await cards(browser)).find(({ name }) => name === app.name);

test("approved apps are there for everybody: maker, description, permissions in words, and the app's own address", async () => {
  const found = await card(ledger);
  assert.match(found.text, /by Second Salon · ledger\.example/);
  assert.match(found.text, /Writes your bookings into your books every night\./);
  assert.match(found.text, /May ask to See your bookings See your customers' names and contact details/);
  assert.doesNotMatch(found.text, /bookings:read|to write them down|dev@app\.example|Connected/);
  assert.equal(found.href, INSTALL);
  assert.match(found.action, /^Install Night Ledger$/);
  const other = await card(plain);
  assert.equal(other.href, undefined, "without an address there is nothing to press");
  const page = await anybody.page("/marketplace");
  assert.doesNotMatch(page.html, /name="csrf"|Sign out/);
  assert.equal(page.headers.get("set-cookie"), null);
});

test("what waits, was rejected, is in development or gone is not there; names are in order", async () => {
  const names = (await cards()).map(({ name }) => name);
  assert.deepEqual(
    names,
    names.toSorted((a, b) => a.toLowerCase().localeCompare(b.toLowerCase())),
  );
  assert.ok(names.includes("Salon Planner"), "the approved demo app");
  assert.ok(!names.includes("Ledger Link"), "in development");
  for (const app of [pending, rejected]) assert.ok(!names.includes(app.name));
});

test("an app is marked as connected for the people of that account only, until it is disconnected", async () => {
  const member = await signedIn(server, STAFF);
  const staff = await reviewer(server);
  assert.doesNotMatch((await card(ledger, developer)).text, /Connected/);
  await authorize(developer, ledger, { scope }); // for Demo Salon
  for (const browser of [developer, member]) {
    const found = await card(ledger, browser);
    assert.match(found.text, /Connected/);
    assert.match(found.action, /^Open/);
    assert.equal(found.href, INSTALL);
    assert.doesNotMatch((await card(plain, browser)).text, /Connected/);
  }
  for (const browser of [staff, anybody]) assert.doesNotMatch((await card(ledger, browser)).text, /Connected/);
  await disconnectAll(developer);
  await connect(server, developer, ledger, { scope, account: SECOND_SALON });
  assert.match((await card(ledger, developer)).text, /Connected/);
  assert.doesNotMatch((await card(ledger, member)).text, /Connected/, "of another account");
  await disconnectAll(developer);
  assert.doesNotMatch((await card(ledger, developer)).text, /Connected/);
  const over = new Browser(server);
  over.cookies.set("edgegrant_session", "garbage");
  assert.ok(await card(ledger, over), "a session that is over is nobody's");
});

test("strings of apps are text", async () => {
  const html = '<img src=x onerror=alert(1)><a href="javascript:alert(1)">';
  const name = `<b onclick=x>${uniqueName("")}`;
  const install_url = `https://app.example/?"><script>alert(1)</script>`;
  const [hostile] = await approved(developer, { name, description: html, install_url });
  const page = await anybody.page("/marketplace");
  safePage(page);
  for (const tag of ["b", "script"]) assert.deepEqual([...elements(page.tree, tag)], []);
  const found = await card(hostile);
  assert.equal(found.href, install_url);
  assert.ok(found.text.includes(html));
});

test("a suspended app disappears when that has answered and comes back when it is restored", async () => {
  await pass(server);
  assert.equal((await manage(server, plain.id, "suspend")).status, 200);
  assert.equal(await card(plain), undefined);
  await pass(server);
  assert.equal((await manage(server, plain.id, "restore")).status, 200);
  assert.ok(await card(plain));
});

test("many apps are shown page by page, each once", async () => {
  for (let n = 100; n < 170; n += 1) {
    await server.sql(
      "INSERT INTO apps (number, client_id, name, developer, description, website, status, created_at, details) SELECT ?, ?, ?, developer, description, website, status, created_at, json_set(details, '$.name', ?) FROM apps WHERE client_id = ?",
      ...[n, `many-${n}`, `Many ${n}`, `Many ${n}`, ledger.id],
    );
  }
  const seen = [];
  for (let path = "/marketplace"; path;) {
    seen.push(...(await cards(anybody, path)).map(({ name }) => name));
    const page = await anybody.page(path);
    const more = [...elements(page.tree, "a")].find((a) => text(a) === "Show more");
    path = more?.attrs.find(({ name }) => name === "href").value;
    assert.ok(seen.length < 200);
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(seen.filter((name) => name.startsWith("Many")).length, 70);
  for (const skip of ["-1", "x", "99999999999999", "4294967295", "1e3"]) await cards(anybody, `/marketplace?skip=${skip}`);
  assert.equal(serverApp().id, "demo-server");
});
