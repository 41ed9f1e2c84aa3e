// What costs something, as requests: of Edgegrant as it is deployed, and of the peer. `prepare` makes so many states that
// one run each uses up; only the runs are counted or measured.
import { ACCOUNTS, appOf, EMAIL, PASSWORD, resourceServer, scope } from "./edgegrant.mjs";
import { authorizePath, authorize, Browser, connect, consentForm, exchange, pkce, refresh, revoke } from "../harness/client.mjs";

const GARBAGE = `eg_at_${"A".repeat(92)}`;
const repeated = async (count, make) => {
  const made = [];
  for (let n = 0; n < count; n += 1) made.push(await make(n));
  return made;
};

/** Throws unless the answer has the status; reads it to its end. */
async function right(answer, status = 200) {
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`HTTP ${answer.status}, not ${status}: ${text.slice(0, 300)}`);
}
function fine(answer, status = 200) {
  if (answer.status !== status) throw new Error(`HTTP ${answer.status}, not ${status}: ${JSON.stringify(answer.json ?? answer.text)}`);
  return answer;
}

/** Flows of Edgegrant, by name. Each check is of another account: limits are a connection's. */
export async function edgegrantFlows(server, setting) {
  const { browser, app } = await appOf(server, setting);
  const resource = await resourceServer(browser);
  const [account, ...others] = ACCOUNTS;
  const asking = () => authorizePath(app, { scope, code_challenge: pkce().challenge });
  const page = () => browser.page(asking());
  let codes = 0;
  const code = () => authorize(browser, app, { scope, account: others[(codes += 1) % others.length] });
  const held = () => connect(server, browser, app, { scope, account });
  const calls = (n) => async (count) => {
    const { access_token } = await connect(server, browser, app, { scope, account: others[n] });
    return Array.from({ length: count }, () => access_token);
  };
  const ask = (path, token, init = {}) => server.fetch(path, { headers: { authorization: `Bearer ${token}` }, ...init });
  return {
    "sign-in": {
      prepare: (count) => repeated(count, () => new Browser(server)),
      // The app's request, which leads to the sign-in page; the page; the form.
      run: async (visitor) => {
        const to = fine(await visitor.page(asking()), 303).location;
        fine(await visitor.submit((await visitor.page(to)).forms[0], { email: EMAIL, password: PASSWORD }), 303);
      },
    },
    page: { prepare: (count) => repeated(count, asking), run: async (path) => consentForm(await browser.page(path)) },
    allow: {
      prepare: (count) => repeated(count, page),
      run: async (consent) => fine(await browser.submit(consentForm(consent), { account }, { decision: "allow" }), 303),
    },
    exchange: { prepare: (count) => repeated(count, code), run: async (redirect) => fine(await exchange(server, app, redirect)) },
    refresh: {
      prepare: async (count) => {
        const family = await held();
        return Array.from({ length: count }, () => family);
      },
      run: async (family) => Object.assign(family, fine(await refresh(server, app, family.refresh_token)).json),
    },
    check: { prepare: calls(0), run: async (token) => right(await ask("/api/v1/me", token)) },
    "check, introspection": {
      prepare: calls(1),
      run: async (token) => {
        const body = new URLSearchParams({ token, count: "true", ...resource });
        await right(await server.fetch("/oauth/introspect", { method: "POST", body }));
      },
    },
    "check, gateway": { prepare: calls(2), run: async (token) => right(await ask("/api/v1/bookings", token)) },
    "check, service binding": {
      prepare: calls(3),
      run: async (token) => right(await fetch(server.workers.caller, { headers: { authorization: `Bearer ${token}` } })),
    },
    revocation: {
      // Each of an account's only tokens, so that the list hears of the end as well.
      prepare: (count) =>
        repeated(count, async (n) => {
          const alone = String(n).padStart(32, "b");
          await server.sql("INSERT INTO accounts (id, name, created_at) VALUES (?, 'Salon', 0)", alone);
          await server.sql("INSERT INTO members (account_id, user_id, role) SELECT ?, id, 'owner' FROM users", alone);
          return connect(server, browser, app, { scope, account: alone });
        }),
      run: async (tokens) => fine(await revoke(server, app, tokens.refresh_token)),
    },
    garbage: { prepare: async (count) => Array(count).fill(GARBAGE), run: async (token) => right(await ask("/api/v1/me", token), 401) },
  };
}

const REDIRECT = "https://app.example/callback";

/** The same of the peer, which has no people, no pages and no sign-in of its own. */
export async function peerFlows(address) {
  const at = (path) => new URL(path, address).href;
  const { clientId, clientSecret } = await (await fetch(at("/client"))).json();
  const client = { client_id: clientId, client_secret: clientSecret };
  const asking = () => {
    const { verifier, challenge } = pkce();
    const asked = { response_type: "code", client_id: clientId, redirect_uri: REDIRECT, scope: "bookings:read", state: "x" };
    return { verifier, query: new URLSearchParams({ ...asked, code_challenge: challenge, code_challenge_method: "S256" }) };
  };
  let users = 0;
  const allow = async ({ asked }) => (await fetch(at(`/allow?user=u${(users += 1)}`), { method: "POST", body: asked })).text();
  const page = async () => {
    const { verifier, query } = asking();
    return { verifier, asked: await (await fetch(at(`/page?${query}`))).text() };
  };
  const code = async () => {
    const shown = await page();
    return { verifier: shown.verifier, code: new URL(await allow(shown)).searchParams.get("code") };
  };
  const post = async (fields) => {
    const answer = await fetch(at("/token"), { method: "POST", body: new URLSearchParams({ ...fields, ...client }) });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}: ${text}`);
    return text && JSON.parse(text);
  };
  const exchanged = ({ code: given, verifier }) =>
    post({ grant_type: "authorization_code", code: given, code_verifier: verifier, redirect_uri: REDIRECT });
  const held = async () => exchanged(await code());
  const ask = (token) => fetch(at("/api/me"), { headers: { authorization: `Bearer ${token}` } });
  const same = async (count, one) => Array(count).fill(await one());
  return {
    page: { prepare: (count) => repeated(count, asking), run: async ({ query }) => right(await fetch(at(`/page?${query}`))) },
    allow: { prepare: (count) => repeated(count, page), run: allow },
    exchange: { prepare: (count) => repeated(count, code), run: exchanged },
    refresh: {
      prepare: (count) => same(count, held),
      run: async (family) => Object.assign(family, await post({ grant_type: "refresh_token", refresh_token: family.refresh_token })),
    },
    check: { prepare: (count) => same(count, held), run: async ({ access_token }) => right(await ask(access_token)) },
    revocation: { prepare: (count) => repeated(count, held), run: ({ refresh_token }) => post({ token: refresh_token }) },
    // As long as its own tokens are, of somebody who is not there: three parts with colons between.
    garbage: { prepare: (count) => same(count, async () => `u0:${"A".repeat(16)}:${"A".repeat(32)}`), run: async (token) => right(await ask(token), 401) },
  };
}
