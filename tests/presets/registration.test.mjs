// Who registers apps on each platform, what review means there, and what an app has when.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { manage, signedIn } from "../harness/client.mjs";
import { addSecret, DEMO_SALON, fillIn, registered, registration, SECOND_SALON, sendForm } from "../harness/portal.mjs";
import { start, STAFF } from "./steps.mjs";

const servers = [];
after(() => Promise.all(servers.map((server) => server.stop())));

async function platform(name) {
  const { server, owner } = await start(name);
  servers.push(server);
  return { server, owner, admin: await signedIn(server, "admin@demo.example") };
}

/** What a registration says under a preset: its own scope. */
const says = (name, scope, changes = {}) => ({
  name,
  account: SECOND_SALON,
  scopes: [scope],
  "reason:bookings:read": null,
  [`reason:${scope}`]: "to do what it is for",
  ...changes,
});
const edit = (browser, id, change) => fillIn(browser, `/developers/apps/${id}/edit`, change);
const tagged = async (browser, id) => (await browser.page(`/developers/apps/${id}`)).html.match(/class="tag[^"]*">([^<]+)/)?.[1];
const marketplace = async (browser) => (await browser.page("/marketplace")).text;

test("klippa-25 klippa-27: anybody registers an app by form; once approved it is in the marketplace", async () => {
  const { server, owner, admin } = await platform("klippa");
  const staff = await signedIn(server, STAFF);
  const { id } = await registered(staff, says("Chair Finder", "klippa.context", { account: DEMO_SALON, install_url: "https://app.example/start" }));
  assert.equal(await tagged(staff, id), "In review");
  const page = await staff.page(`/developers/apps/${id}`);
  assert.match(page.text, /within 2 business days/);
  assert.match((await admin.page("/admin")).text, /Chair Finder/);
  assert.doesNotMatch(await marketplace(owner), /Chair Finder/);
  assert.equal((await manage(server, id, "approve")).status, 200);
  assert.ok(await addSecret(staff, { page: `/developers/apps/${id}` }));
  assert.match(await marketplace(owner), /Chair Finder/);
});

test("cal-classic-29: only the platform's staff registers apps", async () => {
  const { owner, admin } = await platform("cal-classic");
  assert.equal((await owner.page("/developers")).status, 403);
  assert.equal((await owner.page("/developers/new")).status, 303);
  assert.equal((await sendForm(owner, "/developers/new", registration(says("Calendar Friend", "READ_BOOKING")))).status, 403);
  const { id } = await registered(admin, says("Calendar Friend", "READ_BOOKING", { account: null }));
  assert.equal(await tagged(admin, id), "In review");
  assert.equal((await owner.page(`/developers/apps/${id}`)).status, 404);
});

test("cal-v2-29 cal-v2-31: an app is pending, then approved or rejected with a reason; what people trust it by is reviewed again", async () => {
  const { server, owner } = await platform("cal-v2");
  const { id } = await registered(owner, says("Meeting Notes", "BOOKING_READ"));
  assert.equal(await tagged(owner, id), "In review");
  const rejected = await server.fetch(`/manage/v1/apps/${id}/reject`, {
    method: "POST",
    headers: { authorization: "Bearer demo-management-token" },
    body: JSON.stringify({ reason: "The website does not answer." }),
  });
  assert.equal(rejected.status, 200);
  const page = await owner.page(`/developers/apps/${id}`);
  assert.match(page.text, /Not approved.*The website does not answer\./);
  assert.equal((await edit(owner, id, { website: "https://app.example/notes" })).status, 303);
  assert.equal(await tagged(owner, id), "In review", "a rejected app that was mended asks again");
  assert.equal((await manage(server, id, "approve")).status, 200);

  const tags = async () => (await owner.page(`/developers/apps/${id}`)).text;
  assert.equal((await edit(owner, id, { description: "Writes notes of your meetings and sends them." })).location.includes("changed"), true);
  assert.doesNotMatch(await tags(), /Change in review/);
  for (const change of [{ name: "Meeting Notes Plus" }, { website: "https://other.example/" }]) {
    assert.match((await edit(owner, id, change)).location, /submitted/);
    assert.match(await tags(), /Change in review/);
  }
});

test("klaviyo-28: owners and managers create apps, an analyst does not", async () => {
  const { server, owner } = await platform("klaviyo");
  const analyst = await signedIn(server, STAFF);
  assert.equal((await analyst.page("/developers")).status, 403);
  assert.match((await analyst.page("/developers/new")).location, /\/developers$/);
  const said = registration(says("Segment Toys", "accounts:read", { account: DEMO_SALON }));
  assert.equal((await sendForm(analyst, "/developers/new", said)).status, 403);
  const { id } = await registered(owner, says("Segment Toys", "accounts:read"));
  assert.ok(id);
  assert.equal((await analyst.page(`/developers/apps/${id}`)).status, 404);
});

test("yappointment-26: an app of the admin panel has its id and secret at once, without review", async () => {
  const { server, owner } = await platform("yappointment");
  const { id } = await registered(owner, says("Booking Bridge", "bookings:read", { "reason:bookings:read": "to show them" }));
  assert.equal(await tagged(owner, id), "Approved");
  const secret = await addSecret(owner, { page: `/developers/apps/${id}` });
  const answer = await server.fetch(server.routes.token, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ grant_type: "authorization_code", client_id: id, client_secret: secret, code: "no-such-code", redirect_uri: "https://app.example/callback" }),
  });
  assert.match(JSON.stringify(await answer.json()), /invalid_grant/, "the client is known and proven");
  assert.match((await edit(owner, id, { name: "Booking Bridge Two" })).location, /changed/);
});
