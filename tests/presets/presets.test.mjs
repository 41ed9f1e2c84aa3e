// What holds for presets as such: they are files and nothing else, a typo does not build, a sixth one needs no code.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { unstable_readConfig } from "wrangler";
import { build } from "../../worker/tools/build.mjs";
import { report } from "../../worker/tools/presets.mjs";
import { setup } from "../../worker/tools/setup.mjs";
import { manageWith } from "../harness/client.mjs";
import { NAME, toml } from "./made-up.mjs";
import { accounts, address, APP, authorize, parallel, PENDING, postForm, postJson, send, start, statuses } from "./steps.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "edgegrant-presets-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("npm run presets: no row of the four platforms is open", () => {
  const { rows, problems } = report();
  assert.deepEqual(problems, []);
  assert.deepEqual(
    rows.filter(({ state }) => state === "open").map(({ id }) => id),
    [],
  );
  assert.ok(rows.length > 200);
});

test("every preset has an environment in wrangler.toml with the same bindings", () => {
  const presets = readdirSync(join(root, "worker/presets")).map((name) => name.replace(".toml", ""));
  const read = (env) => unstable_readConfig({ config: join(root, "wrangler.toml"), env }, { hideWarnings: true });
  const top = read(undefined);
  const shape = (config) => ({
    kv: config.kv_namespaces.map(({ binding }) => binding),
    d1: config.d1_databases.map(({ binding, migrations_dir }) => [binding, migrations_dir]),
    objects: config.durable_objects,
    limits: config.ratelimits.map(({ name }) => name),
    analytics: config.analytics_engine_datasets.map(({ binding }) => binding),
    mail: config.send_email.map(({ name }) => name),
    build: config.build.command,
    migrations: config.migrations,
    crons: config.triggers,
    public: [config.workers_dev, config.preview_urls, config.observability],
  });
  const own = [];
  for (const preset of presets.filter((name) => name !== "default")) {
    const config = read(preset);
    assert.deepEqual(shape(config), shape(top), preset);
    assert.equal(config.vars.PRESET, preset);
    own.push([config.name, config.d1_databases[0].database_name, config.ratelimits[0].namespace_id]);
  }
  const names = [top, ...own].map((config) => config.name ?? config[0]);
  assert.equal(new Set(names).size, presets.length, "a Worker for each");
  for (const column of [1, 2]) assert.equal(new Set(own.map((row) => row[column])).size, own.length, "nothing is shared");
});

test("a typo in a preset is a build error that names file, key and what is allowed", { timeout: 120_000 }, () => {
  for (const [change, words] of [
    [{ "refresh.rotation": "sometimes" }, "refresh.rotation: unknown variant `sometimes`, expected one of `rotate`, `rotate_and_end_pair`, `static`"],
    [{ "api.headers": { limt: "X" } }, "api.headers.limt: unknown field `limt`, expected one of `limit`, `remaining`, `reset`, `on_429`"],
    [{ "code.life_s": 601 }, "code.life_s: allowed is 10 to 600"],
    [{ "me.body": { shop: "$acount.name" } }, "me.body: there is no placeholder $acount.name; there are $account.id"],
    [{ "development.owner_role": "florist" }, "development.owner_role: one of authorize.consent_roles (gardener)"],
  ]) {
    const presets = join(folder, "typo");
    mkdirSync(presets, { recursive: true });
    writeFileSync(join(presets, "bloom.toml"), toml(change));
    const args = ["check", "--quiet", "-p", "edgegrant-worker", "--features", "development", "--target", "wasm32-unknown-unknown"];
    const { status, stderr } = spawnSync("cargo", args, { cwd: root, encoding: "utf8", env: { ...process.env, EDGEGRANT_PRESETS: presets } });
    assert.notEqual(status, 0);
    assert.ok(stderr.includes(`${join(presets, "bloom.toml")}: ${words}`), stderr.slice(-1500));
  }
});

test("a platform's policy lets staff set the knobs it names for one app, and no others", async () => {
  const { server } = await start("yappointment");
  const put = (client, knobs) => manageWith(server, "PUT", `${client}/policy`, knobs);
  const set = await put(APP.id, { "api.rate": { limit: 5, window_s: 60 }, "authorize.pkce": "required" });
  assert.deepEqual(set.json, { client_id: APP.id, policy: { "api.rate": { limit: 5, window_s: 60 }, "authorize.pkce": "required" } });
  for (const [client, knobs, words] of [
    [APP.id, { "refresh.rotation": "static" }, /refresh\.rotation: this platform's policy does not let it be set/],
    [APP.id, { "api.rat": {} }, /unknown field `api\.rat`, expected one of `authorize\.pkce`/],
    [APP.id, { "api.rate": { limit: 0, window_s: 60 } }, /api\.rate\.limit: allowed is 1 to 1000000/],
    ["demo-spa", { "authorize.pkce": "required_for_public" }, /for confidential clients/],
  ]) {
    const refused = await put(client, knobs);
    assert.equal(refused.status, 400);
    assert.match(JSON.stringify(refused.json), words);
  }
  await server.stop();
});

test("what staff has set for an app holds for its requests and no others", async () => {
  const { server, owner } = await start("yappointment");
  await manageWith(server, "PUT", `${APP.id}/policy`, { "api.rate": { limit: 5, window_s: 60 }, "authorize.pkce": "required" });
  const ask = { response_type: "code", client_id: APP.id, redirect_uri: APP.redirectUri, scope: "bookings:read", state: "s" };
  const refused = await owner.page(address("/oauth/authorize", ask));
  assert.match(refused.location, /error=invalid_request&error_description=code_challenge/);
  await manageWith(server, "PUT", `${APP.id}/policy`, { "api.rate": { limit: 5, window_s: 60 } });
  const { code } = await authorize(owner, address("/oauth/authorize", ask));
  const identity = { client_id: APP.id, client_secret: APP.secret };
  const { json } = await postForm(server, "/oauth/token", { grant_type: "authorization_code", code, redirect_uri: APP.redirectUri, ...identity });
  const headers = { authorization: `Bearer ${json.access_token}` };
  assert.deepEqual(statuses(await parallel(15, () => send(server, "GET", "/api/v1/me", { headers }))), { 200: 5, 429: 10 });
  await server.stop();
});

// The made-up platform, built from its table.
let bloom, owner;
before(
  async () => {
    const presets = join(folder, "made-up");
    mkdirSync(presets);
    writeFileSync(join(presets, `${NAME}.toml`), toml());
    process.env.EDGEGRANT_PRESETS = presets;
    await build("made-up", await setup(), { quiet: true });
    delete process.env.EDGEGRANT_PRESETS;
    ({ server: bloom, owner } = await start(NAME, { variant: "made-up" }));
  },
  { timeout: 170_000 },
);
after(() => bloom?.stop());

const basic = { authorization: `Basic ${Buffer.from(`${APP.id}:${APP.secret}`).toString("base64")}` };
const ask = (more) => address("/connect", { client_id: APP.id, redirect_uri: APP.redirectUri, state: "s", ...more });
const exchange = (code, more) =>
  postJson(bloom, "/connect/token", { grant_type: "authorization_code", code, redirect_uri: APP.redirectUri, ...more }, basic);
const whose = (token) => send(bloom, "POST", "/whose", { headers: { authorization: `Bearer ${token}` } });

test("a made-up platform: its own addresses, words, roles and colour, from the table alone", async () => {
  const page = await owner.page(ask({}));
  assert.match(page.text, /Watering asks for access to your flower shop.*See your shop.*For which flower shop\?/);
  assert.deepEqual(
    accounts(page).map(({ name }) => name),
    ["Rosa", "Tulipa"],
  );
  assert.match(await (await bloom.fetch("/platform.css")).text(), /--main: #8a1c4a/);
  const denied = await authorize(owner, ask({}), { decision: "deny" });
  assert.equal(`${denied.error}: ${denied.error_description}`, "access_denied: Not today");
  const stateless = await owner.page(ask({ state: null }));
  assert.match(stateless.location, /error=invalid_request&error_description=state/);
  for (const path of ["/oauth/authorize", "/oauth/token", "/api/v1/me"]) assert.equal((await bloom.fetch(path)).status, 404, path);
  const metadata = await (await bloom.fetch("/.well-known/oauth-authorization-server")).json();
  assert.equal(metadata.token_endpoint, `${bloom.issuer}/connect/token`);
  assert.deepEqual(metadata.token_endpoint_auth_methods_supported, ["client_secret_basic", "none"]);
});

test("a made-up platform: answers, refusals and limits have the table's shapes and figures", async () => {
  const { code } = await authorize(owner, address("/v0/connect", { client_id: APP.id, redirect_uri: APP.redirectUri, state: "s", scope: "shop.all" }));
  const wrong = await exchange("nonsense");
  assert.deepEqual([wrong.status, wrong.json], [418, { oops: { why: "invalid_grant", what: "no such flower", status: 418 } }]);
  assert.equal((await postForm(bloom, "/connect/token", { code }, basic)).status, 415);
  assert.equal((await exchange(code, { redirect_uri: undefined })).json.oops.why, "invalid_grant");
  const held = await exchange(code);
  assert.deepEqual(Object.keys(held.json).sort(), ["access_token", "expires_in", "refresh_token"]);
  assert.equal(held.json.expires_in, 90);
  assert.match(held.json.access_token, /^bloom_a_/);
  const mine = await whose(held.json.access_token);
  assert.deepEqual([mine.status, mine.json], [202, { shop: ["Rosa"], may: "shop.all", nothing: null }]);
  assert.deepEqual([mine.headers.get("x-petals"), mine.headers.get("x-petals-left")], ["6", "5"]);
  assert.deepEqual((await whose("nonsense")).json, { wilted: "unknown_flower" });
  assert.deepEqual(statuses(await parallel(10, () => whose(held.json.access_token))), { 202: 3, 429: 7 });
  await bloom.clock(2000);
  const limited = await parallel(10, () => whose(held.json.access_token));
  assert.deepEqual(statuses(limited), { 202: 2, 429: 8 }, "six in thirty seconds, four in two");
  assert.equal(limited.find(({ status }) => status === 429).headers.get("x-petals"), null);
  await bloom.clock(0);
});

test("a made-up platform: refreshes by header at their own address, three in half a minute; revocation answers nothing", async () => {
  const { code } = await authorize(owner, ask({}));
  const { json } = await exchange(code);
  const renew = () => postJson(bloom, "/connect/renew", { grant_type: "refresh_token", client_id: APP.id, client_secret: APP.secret }, { authorization: `Bearer ${json.refresh_token}` });
  const body = await renew();
  assert.equal(body.json.oops.why, "invalid_client", "the table serves Basic only, and the header is taken");
  await manageWith(bloom, "PUT", `${APP.id}/policy`, { "refresh.rotation": "rotate" });
  const rotated = await postJson(bloom, "/connect/renew", { grant_type: "refresh_token", refresh_token: json.refresh_token }, basic);
  assert.ok(rotated.json.refresh_token, "what rotates is handed out, whatever the table leaves out");
  await manageWith(bloom, "PUT", `${APP.id}/policy`, {});
  const again = () => postJson(bloom, "/connect/renew", { grant_type: "refresh_token", refresh_token: rotated.json.refresh_token }, basic);
  const answers = await parallel(8, again);
  assert.deepEqual(statuses(answers), { 200: 2, 429: 6 });
  assert.deepEqual(Object.keys(answers.find(({ status }) => status === 200).json), ["access_token"]);
  const ended = await postJson(bloom, "/connect/end", { token: rotated.json.refresh_token }, basic);
  assert.deepEqual([ended.status, ended.text], [200, ""]);
  assert.equal((await whose(rotated.json.access_token)).status, 401);
});

test("a made-up platform: without review an app in waiting works, and its people's data needs a tick", async () => {
  const parameters = { client_id: PENDING.id, redirect_uri: PENDING.redirectUri, state: "s", scope: "shop.all" };
  const { code, page } = await authorize(owner, address("/connect", parameters), { items: ["shop.customers"] });
  assert.doesNotMatch(page.text, /not been reviewed/);
  const headers = { authorization: `Basic ${Buffer.from(`${PENDING.id}:${PENDING.secret}`).toString("base64")}` };
  const { json } = await postJson(bloom, "/connect/token", { grant_type: "authorization_code", code, redirect_uri: PENDING.redirectUri }, headers);
  assert.equal(json.scope, "shop.all shop.customers", "told, because it is more than was asked for");
});
