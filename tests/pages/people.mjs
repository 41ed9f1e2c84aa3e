// People in browsers of their own, for the tests of pages.
import { createServer } from "node:http";
import { connect, OWNER, PASSWORD, pkce, serverApp, signedIn, STAFF } from "../harness/client.mjs";
import { account, DEMO_SALON, person } from "../harness/made.mjs";

/** Where apps are sent back to: somebody listens there for as long as the tests run. */
const callback = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<title>app</title>back at the app")).unref();
await new Promise((done) => callback.listen(0, "127.0.0.1", done));
export const CALLBACK = `http://127.0.0.1:${callback.address().port}/callback`;
export const ADMIN = "admin@demo.example";
export const NEWCOMER = "newcomer@demo.example";
export const NOBODY = "nobody-yet@demo.example";

/** A page of somebody who is signed in, or of a stranger. */
export async function pageOf(chromium, server, email, options = {}) {
  const context = await chromium.context({ baseURL: server.issuer, bypassCSP: true, viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(20_000);
  if (email) {
    const browser = await signedIn(server, email);
    const cookies = [...browser.cookies].map(([name, value]) => ({ name, value, url: server.issuer }));
    await context.addCookies(cookies);
  }
  return context.newPage();
}

/** An owner of an account of their own, and somebody of no account: both see everything empty. */
export async function newcomers(server) {
  const shop = await account(server, "New Shop");
  await person(server, NEWCOMER, { name: "Nora Newcomer", roles: { [shop]: "owner" } });
  await person(server, NOBODY, { name: "Nobody Yet" });
}

export const details = (name, more = {}) => ({
  client_type: "confidential",
  contact: "dev@ledger.example",
  details: {
    name,
    description: "Writes your bookings into your books every night, so that nobody has to.",
    website: "https://ledger.example/",
    install_url: "https://ledger.example/install",
    redirect_uris: ["https://ledger.example/cb", CALLBACK],
    scopes: [
      { name: "bookings:read", reason: "to write them down" },
      { name: "customers:read", reason: "to name them" },
    ],
    ...more,
  },
});

/** A request of the management API, which must be done. */
export async function done(server, method, path, body, type = "application/json") {
  const headers = { authorization: "Bearer demo-management-token", ...(body && { "content-type": type }) };
  const sent = type === "application/json" && body ? JSON.stringify(body) : body;
  const answer = await server.fetch(`/manage/v1${path}`, { method, headers, body: sent });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Apps of Demo Salon in every state, with what can be said of each; connections that work, wait, ended and are stopped. */
export async function furnish(server) {
  const make = async (name, more) => (await done(server, "POST", "/apps", { account: DEMO_SALON, ...details(name, more) })).client_id;
  const names = ["Night Ledger", "Chair Planner", "Stamp Card", "Mirror Notes with a very long name, for a phone", "Voucher Desk"];
  const [pending, approved, rejected, suspended, changed] = await Promise.all(names.map((name) => make(name)));
  for (const id of [approved, changed]) for (let made = 0; made < 2; made += 1) await done(server, "POST", `/apps/${id}/secrets`);
  await Promise.all([
    done(server, "POST", `/apps/${approved}/approve`),
    done(server, "POST", `/apps/${changed}/approve`),
    done(server, "POST", `/apps/${rejected}/reject`, { reason: "The website does not answer. Say there what the app does." }),
    done(server, "POST", `/apps/${suspended}/suspend`, { reason: "It copied more than it said." }),
  ]);
  const { contact, details: now } = details("Voucher Desk", { website: "https://vouchers.example/" });
  const scopes = [...now.scopes, { name: "bookings:write", reason: "to move them" }];
  await done(server, "PUT", `/apps/${changed}`, { contact, details: { ...now, name: "Voucher Desk Two", scopes } });
  await server.sql("UPDATE apps SET submitted_at = submitted_at - 900000, rate_wish = ?1 WHERE client_id = ?2", "500 calls a minute: each salon has ten chairs.", pending);
  const owner = await signedIn(server, OWNER);
  await connect(server, owner, serverApp());
  for (const attempt of ["a", "b"]) {
    const body = new URLSearchParams({ grant_type: "authorization_code", code: `wrong-${attempt}`, client_id: approved, client_secret: "wrong" });
    await server.fetch("/oauth/token", { method: "POST", body });
  }
  return { pending, approved, rejected, suspended, changed };
}

/** The address that asks the owner for a connection. */
export function asking(id, scope, more = {}) {
  const query = { response_type: "code", client_id: id, redirect_uri: CALLBACK, scope, state: "s", code_challenge: pkce().challenge, code_challenge_method: "S256" };
  return `/oauth/authorize?${new URLSearchParams({ ...query, ...more })}`;
}

export { OWNER, PASSWORD, STAFF };
