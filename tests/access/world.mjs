// The callers of the table and the things that they call for.
import { randomBytes } from "node:crypto";
import { Browser, connect, OWNER, serverApp, signedIn, STAFF } from "../harness/client.mjs";
import { account, DEMO_SALON, managementToken, person, SECOND_SALON } from "../harness/made.mjs";
import { letters, registration, REQUESTS, resourceServer } from "./requests.mjs";

const OTHER = "other@demo.example";
const PEOPLE = { member: STAFF, owner: OWNER, other: OTHER, staff: "admin@demo.example", forged: OWNER };

/** The token of the session's forms. */
async function formToken(browser) {
  const page = await browser.page("/account/apps");
  return page.forms.find((form) => form.action === "/logout").values("csrf")[0];
}

export class World {
  browsers = {};
  csrf = {};
  /** Things that refused calls are about: they must stay as they are. */
  shared = {};
  #connecting = Promise.resolve();

  static async made(server, provider) {
    const world = Object.assign(new World(), { server, provider });
    world.theirs = await account(server, "Other Company");
    await person(server, OTHER, { name: "Ottilie Other", roles: { [world.theirs]: "owner" } });
    for (const [caller, email] of Object.entries(PEOPLE)) {
      world.browsers[caller] = await signedIn(server, email);
      world.csrf[caller] = await formToken(world.browsers[caller]);
    }
    world.csrf.forged = world.csrf.other;
    await connect(server, world.browsers.owner, serverApp());
    const held = await connect(server, world.browsers.other, serverApp());
    world.bearer = {
      app: held.access_token,
      token: await managementToken(server, "*"),
      platform: await managementToken(server, "*"),
      ours: await managementToken(server, "*", { account: DEMO_SALON }),
      theirs: await managementToken(server, "*", { account: world.theirs }),
      expired: await managementToken(server, "*", { expiresAt: Math.floor(Date.now() / 1000) - 1 }),
    };
    [{ logo: world.logo }] = await server.sql("SELECT logo FROM apps WHERE number = 1");
    await Promise.all(["app", "approved", "suspended"].map(async (kind) => (world.shared[kind] = await world.#app(kind, true))));
    world.shared.server = await world.#resourceServer(false);
    for (const kind of ["key", "person", "id"]) world.shared[kind] = await world.#thing(kind);
    return world;
  }

  /** A browser for a call, with the token of its forms: nobody's, somebody's, or of somebody else with the same roles. */
  async somebody(caller, alone) {
    if (!PEOPLE[caller]) return [new Browser(this.server), this.csrf.owner];
    if (!alone || caller === "forged") return [this.browsers[caller], this.csrf[caller]];
    const roles = {
      member: { [DEMO_SALON]: "staff" },
      owner: { [DEMO_SALON]: "owner", [SECOND_SALON]: "owner" },
      other: { [this.theirs]: "owner" },
      staff: {},
    };
    const email = `${letters()}@demo.example`;
    await person(this.server, email, { roles: roles[caller], staff: caller === "staff" });
    const browser = await signedIn(this.server, email);
    return [browser, await formToken(browser)];
  }

  /** What stands in the braces of a path and what forms name: new things, or those that refused calls are about. */
  async things(row, own) {
    const { secrets = false, single = false, ...needs } = REQUESTS[row.request] ?? {};
    const names = [...row.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const things = { account: DEMO_SALON, client: serverApp().id, provider: this.provider, logo: this.logo, world: this };
    for (const name of [...names, ...Object.keys(needs)]) {
      if (["app", "approved", "suspended"].includes(name)) {
        const app = own ? await this.#app(name, secrets) : this.shared[name];
        Object.assign(things, app, { [name]: app.client_id });
      } else if (name === "server") {
        const server = own ? await this.#resourceServer(single) : this.shared.server;
        Object.assign(things, server, { server: server.client_id });
      } else if (["key", "person", "id"].includes(name)) {
        // A new member is none yet.
        things[name] = own ? await this.#thing(name, row.method === "POST" && name === "person") : this.shared[name];
      }
    }
    return { ...things, path: row.path.replace(/\{(\w+)\}/g, (_, name) => things[name]) };
  }

  async manage(method, path, json) {
    const headers = { authorization: `Bearer ${this.bearer.platform}`, ...(json && { "content-type": "application/json" }) };
    const address = path.startsWith("/") ? path : `/apps/${path}`;
    const answer = await this.server.fetch(`/manage/v1${address}`, { method, headers, body: json && JSON.stringify(json) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** An app of Demo Salon: in review, approved or suspended; with two secrets when asked for. */
  async #app(kind, secrets) {
    const form = { ...registration(), account: DEMO_SALON };
    const answer = await this.#owner("/developers/new", form);
    const id = answer.headers.get("location")?.match(/apps\/([^?]+)/)?.[1];
    if (!id) throw new Error(`registration: ${answer.status} ${await answer.text()}`);
    let hint = "";
    for (let made = 0; secrets && made < 2; made += 1) hint = (await this.manage("POST", `${id}/secrets`)).client_secret.slice(-4);
    if (kind !== "app") await this.manage("POST", `${id}/${kind === "approved" ? "approve" : "suspend"}`);
    const { version } = await this.manage("GET", id);
    return { client_id: id, hint, version, name: form.name };
  }

  /** A resource server with two secrets, or with a single one. */
  async #resourceServer(single) {
    const { client_id, secret_hints } = await this.manage("POST", "/resource-servers", { ...resourceServer(), scopes: ["bookings:read"] });
    if (!single) await this.manage("POST", `/resource-servers/${client_id}/secrets`);
    return { client_id, hint: secret_hints[0] };
  }

  /** An API key of Demo Salon, somebody who is a member of it (or not), or a management token: its id. */
  async #thing(kind, outside = false) {
    if (kind === "person") return person(this.server, `${letters()}@demo.example`, { roles: outside ? {} : { [DEMO_SALON]: "staff" } });
    if (kind === "id") {
      const label = letters();
      await managementToken(this.server, "apps:read", { label });
      return (await this.server.sql("SELECT id FROM management_tokens WHERE label = ?1", label))[0].id;
    }
    const id = randomBytes(16).toString("hex");
    const form = { id, account: DEMO_SALON, label: letters(), scope: "bookings:read", life: "30" };
    const answer = await this.#owner("/account/keys/new", form);
    if (answer.status !== 200) throw new Error(`key: ${answer.status} ${await answer.text()}`);
    return id;
  }

  #owner(path, form) {
    const body = new URLSearchParams({ ...form, csrf: this.csrf.owner });
    return this.browsers.owner.fetch(path, { method: "POST", body, headers: { origin: this.server.issuer } });
  }

  /** The connection of demo-server to Demo Salon, made again when it has ended; one case at a time may end it. */
  withInstall(run) {
    const before = this.#connecting;
    this.#connecting = (async () => {
      await before.catch(() => {});
      const [row] = await this.server.sql("SELECT status FROM installs WHERE account_id = ?1 AND app = 2", DEMO_SALON);
      if (row.status === "ended") await connect(this.server, this.browsers.owner, serverApp());
      return run(`${DEMO_SALON}.2`);
    })();
    return this.#connecting;
  }

  /** Everything that a refused call must leave as it was: the rows, and the apps as their objects know them. */
  async state() {
    const tables = await this.server.sql(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'
       AND name NOT IN ('sessions', 'decisions', 'codes', 'idempotency', 'counters', 'd1_migrations')`,
    );
    const state = {};
    for (const { name } of tables.filter((table) => table.name !== "audit")) state[name] = await this.server.sql(`SELECT * FROM "${name}" ORDER BY 1, 2, 3`);
    // That somebody has read a copy of a person's data is on record, as it has to be.
    state.audit = await this.server.sql("SELECT * FROM audit WHERE action <> 'person exported' ORDER BY id");
    for (const { client_id } of Object.values(this.shared).filter((thing) => thing.version))
      state[client_id] = (await this.browsers.owner.page(`/developers/apps/${client_id}`)).text;
    state["resource server"] = [await this.manage("GET", `/resource-servers/${this.shared.server.client_id}`)];
    return state;
  }
}
