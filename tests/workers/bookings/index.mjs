// A sample of a platform's own API, behind the gateway: bookings of an account and its customers, who are personal data.
// Paths begin with whatever the platform's do; their last part says what is asked for.
import { DurableObject } from "cloudflare:workers";
import { caller } from "./gateway.mjs";

/** Scopes that may make something new, under one platform or another. The gateway's rules need them too; an API looks again. */
const WRITING = ["bookings:write", "klippa.book", "BOOKING_WRITE", "profiles:write"];
const BODY_MAX = 10_000;
const STATUSES = ["confirmed", "cancelled"];

const json = (status, body, headers) => Response.json(body, { status, headers });
const problem = (status, code, message) => json(status, { error: { code, message } });

/** The bookings and customers of one account. */
export class Account extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec(`
      CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS bookings (id INTEGER PRIMARY KEY, service TEXT NOT NULL, starts_at TEXT NOT NULL,
        customer_id INTEGER NOT NULL REFERENCES customers (id), status TEXT NOT NULL)`);
    if (this.sql.exec("SELECT count(*) AS n FROM customers").one().n === 0) this.begin();
  }

  begin() {
    for (const [name, email] of [["Ada Nowak", "ada@customers.example"], ["Bo Lindqvist", "bo@customers.example"]]) {
      this.sql.exec("INSERT INTO customers (name, email) VALUES (?, ?)", name, email);
    }
    const booking = "INSERT INTO bookings (service, starts_at, customer_id, status) VALUES (?, ?, ?, ?)";
    this.sql.exec(booking, "Cut and dry", "2026-12-01T09:00:00Z", 1, "confirmed");
    this.sql.exec(booking, "Colour", "2026-12-01T10:30:00Z", 2, "cancelled");
  }

  bookings(status) {
    const some = "SELECT id, service, starts_at, customer_id, status FROM bookings WHERE ?1 IS NULL OR status = ?1 ORDER BY starts_at, id LIMIT 100";
    return this.sql.exec(some, status ?? null).toArray();
  }

  booking(id) {
    return this.sql.exec("SELECT id, service, starts_at, customer_id, status FROM bookings WHERE id = ?", id).toArray()[0];
  }

  customers() {
    return this.sql.exec("SELECT id, name, email FROM customers ORDER BY id LIMIT 100").toArray();
  }

  add({ name, email }) {
    return this.sql.exec("INSERT INTO customers (name, email) VALUES (?, ?) RETURNING id, name, email", name, email).one();
  }

  /** The id of a new booking; null when there is no such customer. */
  book({ service, starts_at, customer_id }) {
    if (this.sql.exec("SELECT id FROM customers WHERE id = ?", customer_id).toArray().length === 0) return null;
    const insert = "INSERT INTO bookings (service, starts_at, customer_id, status) VALUES (?, ?, ?, 'confirmed') RETURNING id";
    return this.sql.exec(insert, service, starts_at, customer_id).one().id;
  }
}

/** The body as an object; null when it is none, or too long. */
async function body(request) {
  const text = await request.text();
  if (text.length > BODY_MAX) return null;
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** What is wrong with a booking; nothing when it can be made. */
function fault({ service, starts_at }) {
  if (typeof service !== "string" || service.trim() === "" || service.length > 200) return "service: a text of 1 to 200 characters";
  if (typeof starts_at !== "string" || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(starts_at) || Number.isNaN(Date.parse(starts_at))) {
    return "starts_at: a time such as 2026-12-01T09:00:00Z";
  }
  return null;
}

const notReadable = () => problem(400, "invalid_body", "Send a JSON object of at most 10,000 characters");
const mayNotWrite = () => problem(403, "forbidden", `One of these is needed: ${WRITING.join(", ")}`);
const mayWrite = ({ scopes }) => scopes.some((scope) => WRITING.includes(scope));

async function createCustomer(request, who, account) {
  const wanted = await body(request);
  if (!wanted) return notReadable();
  if (!mayWrite(who)) return mayNotWrite();
  const isText = (value) => typeof value === "string" && value.trim() !== "" && value.length <= 200;
  if (!isText(wanted.name) || !isText(wanted.email) || !wanted.email.includes("@")) {
    return problem(422, "invalid_customer", "name and email: texts of 1 to 200 characters, the second one an e-mail address");
  }
  return json(201, await account.add({ name: wanted.name.trim(), email: wanted.email.trim() }));
}

async function createBooking(request, who, account, path) {
  const wanted = await body(request);
  if (!wanted) return notReadable();
  // Some platforms list with POST and a filter.
  if ("filter" in wanted) return list(who, account, wanted.filter?.status);
  if (!mayWrite(who)) return mayNotWrite();
  const wrong = fault(wanted);
  if (wrong) return problem(422, "invalid_booking", wrong);
  const id = await account.book({ service: wanted.service.trim(), starts_at: wanted.starts_at, customer_id: wanted.customer_id ?? 1 });
  if (id === null) return problem(422, "invalid_booking", "customer_id: the id of a customer of this account");
  return json(201, await account.booking(id), { location: `${path}/${id}` });
}

async function list(who, account, status) {
  if (status !== undefined && !STATUSES.includes(status)) return problem(400, "invalid_filter", `status: ${STATUSES.join(" or ")}`);
  return json(200, { account: who.account, asked_by: who.app ?? "an API key", bookings: await account.bookings(status) });
}

async function answer(request, who, account) {
  const { pathname, searchParams } = new URL(request.url);
  const [last, before] = pathname.split("/").reverse();
  const reads = request.method === "GET" || request.method === "HEAD";
  if (last === "bookings") {
    if (reads) return list(who, account, searchParams.get("status") ?? undefined);
    return request.method === "POST" ? createBooking(request, who, account, pathname) : problem(405, "method_not_allowed", "GET or POST");
  }
  if (before === "bookings" && reads) {
    const booking = /^\d{1,9}$/.test(last) ? await account.booking(Number(last)) : undefined;
    return booking ? json(200, booking) : problem(404, "not_found", "There is no such booking");
  }
  if (last === "customers" || last === "profiles") {
    if (reads) return json(200, { account: who.account, customers: await account.customers() });
    return request.method === "POST" ? createCustomer(request, who, account) : problem(405, "method_not_allowed", "GET or POST");
  }
  return problem(404, "not_found", "There is nothing at this address");
}

export default {
  async fetch(request, env) {
    const who = await caller(request, env.GATEWAY_KEYS, env.NOW_MS);
    if (!who) return problem(403, "not_through_the_gateway", "This API is called through its gateway");
    return answer(request, who, env.ACCOUNT.get(env.ACCOUNT.idFromName(who.account)));
  },
};
