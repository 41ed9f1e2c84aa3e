// Mistakes of the platforms that no preset repeats. Each is tried wherever a preset could have brought it back.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { unstable_readConfig } from "wrangler";
import { dump, occurrences } from "../harness/dump.mjs";
import { DESCRIPTION } from "../harness/expect.mjs";
import { Platform, PLATFORMS } from "./dialects.mjs";
import { address, APP, authorize, get, parallel, pkce, postForm, send, signedIn, start, statuses } from "./steps.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const DAY = 86_400_000;
const HOUR = 3_600_000;
const OTHER_URI = "http://127.0.0.1:5002/callback";
const CREDENTIALS = { client_id: APP.id, client_secret: APP.secret };

for (const dialect of PLATFORMS) {
  describe(dialect.preset, () => {
    let platform, server;
    before(async () => {
      ({ server } = await start(dialect.preset));
      platform = new Platform(dialect, server);
    });
    after(() => server?.stop());

    test("defect-1: of 25 exchanges of one code at once exactly one succeeds", async () => {
      for (let rounds = 0; rounds < 3; rounds += 1) {
        const redirect = await platform.allow();
        const answers = await parallel(25, () => platform.exchange(redirect));
        assert.deepEqual(statuses(answers), { 200: 1, [platform.bad.code[0]]: 24 });
        const others = answers.filter(({ status }) => status !== 200);
        for (const { json } of others) assert.equal(`${json.access_token} ${json.refresh_token}`, "undefined undefined");
      }
    });

    test("defect-2: a redirect_uri that is the app's, but not the one of the request, is refused at the token URL", async () => {
      const other = await platform.allow({ redirect_uri: OTHER_URI });
      assert.ok(other.location.startsWith(`${OTHER_URI}?`), "it is the app's");
      const redirect = await platform.allow();
      for (const [of, sent] of [
        [redirect, OTHER_URI],
        [redirect, "http://127.0.0.1/callback"], // as it is registered
        [other, APP.redirectUri],
      ]) {
        const answer = await platform.exchange(of, { redirect_uri: sent });
        assert.deepEqual([answer.status, answer.json.error], platform.bad.code, sent);
      }
      assert.equal((await platform.exchange(redirect)).status, 200);
      assert.equal((await platform.exchange(other, { redirect_uri: OTHER_URI })).status, 200);
    });

    test("defect-3: a revoked or rotated refresh token is dead, and the page says how long one lives", async () => {
      const revoked = await platform.install();
      assert.ok(revoked.page.text.includes(platform.lasts), platform.lasts);
      assert.equal((await platform.revokeToken(revoked.refresh_token)).status, 200);
      await platform.deadRefresh(revoked.refresh_token);

      if (!platform.fixed) {
        const first = await platform.install();
        const second = await platform.refreshed(first.refresh_token);
        // A lost answer may be asked for again, and gives no second token that lives.
        const retry = await platform.refresh(first.refresh_token);
        assert.equal(retry.json.refresh_token, second.refresh_token);
        await platform.pass(31_000);
        await platform.deadRefresh(first.refresh_token);
        await platform.deadRefresh(second.refresh_token);
      }

      const life = (platform.idleDays ?? platform.absoluteDays) * DAY;
      const [used, idle] = [await platform.install(), await platform.install()];
      await platform.pass(life - HOUR);
      await platform.refreshed(used.refresh_token);
      await platform.pass(2 * HOUR);
      await platform.deadRefresh(idle.refresh_token);
    });

    test("defect-4: a second device goes on when the first refreshes, and the other way round", async () => {
      let [first, second] = [await platform.install(), await platform.install()];
      for (let rounds = 0; rounds < 3; rounds += 1) {
        first = { ...first, ...(await platform.refreshed(first.refresh_token)) };
        await platform.works(second.access_token);
        second = { ...second, ...(await platform.refreshed(second.refresh_token)) };
        await platform.works(first.access_token);
        await platform.pass(31_000);
      }
    });

    test("defect-5: answers are complete and failures can be told apart, but for the classic preset", async () => {
      const classic = platform.preset === "cal-classic";
      const redirect = await platform.allow();
      for (const client of [
        { ...APP, secret: "wrong" },
        { ...APP, id: "nobody" },
      ]) {
        const answer = await platform.exchange(redirect, {}, client);
        assert.deepEqual([answer.status, answer.json.error], platform.bad.client);
      }
      const unknown = await platform.exchange({ ...redirect, code: "nonsense" });
      assert.deepEqual([unknown.status, unknown.json.error], platform.bad.code);
      assert.equal(platform.bad.code[0] === platform.bad.client[0], classic);

      const { json: held } = await platform.exchange(redirect);
      const refreshed = await platform.refreshed(held.refresh_token);
      for (const { token_type, expires_in } of [held, refreshed]) {
        if (classic) assert.deepEqual([token_type, expires_in], [undefined, undefined]);
        else assert.deepEqual([token_type.toLowerCase(), typeof expires_in], ["bearer", "number"]);
      }
      await platform.pass(4100);
      assert.equal((await platform.whose(refreshed.access_token)).status, classic ? 201 : 200);
    });

    test("defect-5: a public client, which the classic platform did not know, has complete answers everywhere", async () => {
      const { verifier, challenge } = pkce();
      const client = { client_id: "demo-spa", redirect_uri: `${server.issuer}/demo/` };
      const challenged = { ...client, code_challenge: challenge, code_challenge_method: "S256" };
      const { code } = await authorize(await signedIn(server), platform.url(challenged));
      const request = { grant_type: "authorization_code", code, code_verifier: verifier, ...client };
      const { status, json } = await postForm(server, platform.token, request);
      assert.equal(status, 200, JSON.stringify(json));
      assert.equal(json.token_type.toLowerCase(), "bearer");
      assert.ok(json.expires_in > 0 && json.refresh_token && json.scope);
    });

    test("defect-6: a missing state is not made up, and a denial keeps the one that was sent", async () => {
      for (const decision of ["allow", "deny"]) {
        const without = new URL((await platform.allow({ state: undefined }, { decision })).location);
        assert.equal(without.searchParams.has("state"), false, without.href);
        for (const state of ["null", "undefined", "a b&c=ä"]) {
          const { location } = await platform.allow({ state }, { decision });
          assert.deepEqual(new URL(location).searchParams.getAll("state"), [state]);
        }
      }
    });

    test("defect-7: a request without scopes gets nothing, or the least there is, and never everything", async () => {
      const owner = await signedIn(server);
      for (const scope of [undefined, "", " "]) {
        const page = await owner.page(platform.url({ scope }));
        if (platform.preset !== "cal-classic") {
          const told = page.location === null ? page.text : new URL(page.location).searchParams.get("error");
          assert.match(told, /invalid_scope/, `scope ${JSON.stringify(scope)}`);
          assert.deepEqual(page.forms.filter((form) => form.controls.some(({ name }) => name === "consent")), []);
          continue;
        }
        const held = await platform.install({ scope });
        assert.equal(held.scope, "READ_PROFILE");
        assert.match(held.page.text, /See your personal info/);
        assert.doesNotMatch(held.page.text, /Read your bookings/);
      }
    });

    test("defect-8: every wrong secret is refused alike, and no secret is stored that could be mailed", async () => {
      const redirect = await platform.allow();
      const bodies = new Set();
      for (const secret of [APP.secret.slice(0, -1), `${APP.secret}x`, APP.secret.toUpperCase(), `x${APP.secret.slice(1)}`, "x"]) {
        const answer = await platform.exchange(redirect, {}, { ...APP, secret });
        assert.equal(answer.status, 401);
        bodies.add(answer.text);
      }
      assert.equal(bodies.size, 1);
      assert.equal((await platform.exchange(redirect)).status, 200);
      for (const secret of [APP.secret, "demo-pending-secret"]) assert.deepEqual(occurrences(dump(server), secret), []);
    });

    test("defect-9: whatever is wrong with a request, no error_description holds a double quote", async () => {
      const redirect = await platform.allow();
      const hostile = 'a"b\\c\u0000ü';
      const [own, auth] = platform.signed({});
      const body = (fields) => postForm(server, platform.token, { ...own, ...fields }, auth);
      const text = (content, type = "application/x-www-form-urlencoded") =>
        send(server, "POST", platform.token, { headers: { "content-type": type, ...auth }, body: content });
      const code = platform.code(redirect);
      const answers = [
        await body({ grant_type: hostile }),
        await body({}),
        await body({ ...code, code: hostile }),
        await body({ ...code, redirect_uri: hostile }),
        await body({ ...code, redirect_uri: undefined, code_verifier: hostile }),
        await body({ ...code, code_verifier: hostile }),
        await body({ ...code, code_verifier: undefined, code: undefined }),
        await body({ grant_type: "refresh_token", refresh_token: hostile, scope: hostile }),
        await body({ grant_type: "refresh_token" }),
        await text("grant_type=a&grant_type=%22"),
        await text('{"grant_type":"\\"', "application/json"),
        await text(hostile, "text/plain"),
        await postForm(server, platform.token, { ...code, client_id: hostile, client_secret: hostile }),
        await postForm(server, platform.token, { ...code, ...CREDENTIALS, client_secret: hostile }),
        await postForm(server, platform.token, code, { authorization: `Basic ${hostile.slice(0, 5)}` }),
        await postForm(server, platform.token, { ...code, ...CREDENTIALS }, { authorization: "Basic eDp5" }),
        await postForm(server, platform.revoke, { ...own, token_type_hint: hostile }, auth),
        await send(server, "GET", platform.token),
        await get(server, platform.me, 'a"b'),
        await get(server, platform.me, "nonsense"),
        await get(server, platform.me),
        await get(server, `${platform.me}/%22`),
      ];
      let told = 0;
      for (const { status, json, headers } of answers) {
        assert.ok(status >= 400, `HTTP ${status}`);
        for (const description of [...words(json), ...challenged(headers)]) {
          assert.match(description, DESCRIPTION);
          told += 1;
        }
      }
      assert.ok(told >= 15, `${told} descriptions`);
      const owner = await signedIn(server);
      for (const changes of [{ scope: 'x"y' }, { response_type: '"' }, { code_challenge_method: '"' }, { code_challenge: '"' }]) {
        const { location } = await owner.page(platform.url(changes));
        if (location) assert.match(new URL(location).searchParams.get("error_description") ?? "", DESCRIPTION);
      }
      assert.equal((await platform.exchange(redirect)).status, 200, "and nothing was used up");
    });

    test("defect-10: nothing secret is taken from a query string, at any endpoint", async () => {
      const held = await platform.install();
      const redirect = await platform.allow();
      const code = platform.code(redirect);
      const [fields, headers] = platform.signed({});
      const refused = async (path, query, body = {}, sent = {}) => {
        const answer = await postForm(server, address(path, query), body, sent);
        assert.ok(answer.status >= 400 && answer.status < 500, `${path} with ${Object.keys(query)}: HTTP ${answer.status} ${answer.text}`);
      };
      await refused(platform.token, { ...code, ...CREDENTIALS });
      await refused(platform.token, CREDENTIALS, code);
      await refused(platform.token, code, fields, headers);
      const refresh = { grant_type: "refresh_token", refresh_token: held.refresh_token };
      for (const path of [platform.token, platform.refreshUrl ?? platform.token]) {
        await refused(path, { ...refresh, ...CREDENTIALS });
        await refused(path, { refresh_token: held.refresh_token }, { grant_type: "refresh_token", ...fields }, headers);
      }
      await refused(platform.revoke, { token: held.refresh_token, ...CREDENTIALS });
      await refused(platform.revoke, { token: held.refresh_token }, fields, headers);
      for (const name of ["apiKey", "api_key", "access_token", "token", "key"]) {
        const answer = await platform.whose(undefined, address(platform.me, { [name]: held.access_token }));
        assert.equal(answer.status, 401, name);
      }
      // Beside a token in the header an API key changes nothing; a second token is refused or ignored, never used.
      await platform.pass(4100);
      assert.equal((await platform.whose(held.access_token, address(platform.me, { apiKey: "nonsense" }))).status, platform.ok);
      assert.equal((await platform.exchange(redirect)).status, 200);
      await platform.refreshed(held.refresh_token);
    });

    test("defect-11: a refresh gives no fresh limit: before and after it an app has exactly the calls of one minute", async () => {
      const held = await platform.install();
      const call = async (accessToken, count) => {
        const answers = [];
        while (answers.length < count) {
          if (platform.apart) await platform.pass(platform.apart);
          const atOnce = platform.apart ? 1 : Math.min(count - answers.length, 50);
          answers.push(...(await parallel(atOnce, () => platform.whose(accessToken))));
        }
        return statuses(answers);
      };
      if (platform.apart) {
        // Its minutes are laid end to end from the connection's first call: wait for the next.
        await platform.pass(61_000);
        const { headers } = await platform.whose(held.access_token);
        await platform.pass(headers.get("ratelimit-reset") * 1000);
      }
      assert.deepEqual(await call(held.access_token, platform.limit - 2), { [platform.ok]: platform.limit - 2 });
      const refreshed = await platform.refreshed(held.refresh_token);
      assert.notEqual(refreshed.access_token, held.access_token);
      assert.deepEqual(await call(refreshed.access_token, 5), { [platform.ok]: 2, 429: 3 });
      const again = await platform.refreshed(refreshed.refresh_token);
      assert.deepEqual(await call(again.access_token, 2), { 429: 2 });
      await platform.pass(61_000);
      assert.equal((await platform.whose(again.access_token)).status, platform.ok);
    });
  });
}

/** The texts of an error body that are for people, at any depth. */
function words(json) {
  if (json === null || typeof json !== "object") return [];
  return Object.entries(json).flatMap(([name, value]) =>
    ["error_description", "message", "detail", "title"].includes(name) && typeof value === "string" ? [value] : words(value),
  );
}

/** The descriptions in WWW-Authenticate; a double quote inside one would end it early. */
function challenged(headers) {
  const value = headers.get("www-authenticate");
  if (value === null) return [];
  assert.match(value, /^(Basic|Bearer) \w+="[^"]*"(, \w+="[^"]*")*$/);
  return [...value.matchAll(/error_description="([^"]*)"/g)].map(([, description]) => description);
}

test("defect-9: no preset has a description with a double quote, a backslash or anything beyond ASCII", () => {
  let seen = 0;
  for (const file of readdirSync(`${root}worker/presets`)) {
    const toml = readFileSync(`${root}worker/presets/${file}`, "utf8").replace(/^\[development\][\s\S]*$/m, "");
    for (const [, basic, literal] of toml.matchAll(/description = (?:"((?:\\.|[^"\\])*)"|'([^'\n]*)')/g)) {
      assert.match(literal ?? JSON.parse(`"${basic}"`), DESCRIPTION, file);
      seen += 1;
    }
    assert.doesNotMatch(toml, /description = ("""|''')/, `${file}: texts of several lines are not looked at here`);
  }
  assert.ok(seen > 60, `${seen} descriptions`);
});

test("defect-8: what is compared is a keyed hash, in constant time, and what mails are made of has no secret", () => {
  const keys = readFileSync(`${root}worker/core/src/keys.rs`, "utf8");
  assert.match(keys, /pub fn same\([^)]*\) -> bool \{\s*a\.ct_eq\(b\)\.into\(\)\s*\}/);
  const verify = keys.match(/pub fn verify\(&self, secret: &str[\s\S]*?\n {4}\}/)[0];
  assert.match(verify, /same\(&key\.mac\(SECRET_LABEL, &\[secret\.as_bytes\(\)\]\), &stored\)/);
  // The one way out for a mail is a notice; that none says a secret is tested in mail.test.mjs.
  const notice = readFileSync(`${root}worker/core/src/notice/mod.rs`, "utf8").match(/pub enum Notice \{[\s\S]*?\n\}/)[0];
  const members = [...notice.matchAll(/^\s+(\w+): /gm)].map(([, member]) => member);
  assert.deepEqual([...new Set(members)].sort(), ["account", "app", "in_review", "may", "name", "reason"]);
  for (const env of [undefined, ...PLATFORMS.map(({ preset }) => preset)]) {
    const config = unstable_readConfig({ config: `${root}wrangler.toml`, env }, { hideWarnings: true });
    const mail = config.send_email.map(({ name }) => name);
    assert.deepEqual([mail, config.services, config.queues?.producers ?? []], [["EMAIL"], [], []]);
  }
});
