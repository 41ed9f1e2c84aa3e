// The snippets of the README, cut out of its text, built with the real frameworks and driven in Chromium against a server
// that checks codes, challenges and tokens. React runs in development under StrictMode, where effects run twice. The pages
// have the content security policy that docs/deployment.md recommends.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compileScript, parse } from "@vue/compiler-sfc";
import { build } from "esbuild";
import { compile } from "svelte/compiler";
import { PkceError } from "../dist/index.js";
import { startAuthority } from "./authority.mjs";
import { serve } from "./chromium.mjs";
import { fences, snippets, text } from "./fences.mjs";
import { until } from "./server.mjs";
import { world } from "./setup.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = fileURLToPath(new URL("../dist/index.js", import.meta.url));
const used = new Set();
let app, authority, context, errors;

beforeEach(async () => {
  ({ server: app, context } = world);
  authority = await startAuthority();
  context.setDefaultTimeout(10_000);
  errors = [];
  context.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  context.on("weberror", (error) => errors.push(String(error.error())));
});
afterEach(() => authority.close());

/** A text of the README with the addresses of this test in it. */
const placed = (words) =>
  words.replaceAll("https://auth.example", authority.origin).replaceAll("https://api.example", authority.origin).replaceAll("https://app.example", app.origin);

function snippet(name) {
  used.add(name);
  assert.ok(snippets.has(name), `the README has no ${name}`);
  return placed(snippets.get(name));
}

const COMPILERS = {
  js: (contents) => ({ contents, loader: "js" }),
  jsx: (contents) => ({ contents, loader: "jsx" }),
  vue(source) {
    const { descriptor, errors: found } = parse(source);
    assert.deepEqual(found, []);
    return { contents: compileScript(descriptor, { id: "app", inlineTemplate: true }).content, loader: "js" };
  },
  svelte(source, filename) {
    const { js, warnings } = compile(source, { filename, generate: "client", dev: true });
    assert.deepEqual(warnings, []);
    return { contents: js.code, loader: "js" };
  },
};

/** Builds `main`, whose relative imports are snippets. */
async function bundle(main, options = {}) {
  const { outputFiles } = await build({
    stdin: { contents: main, loader: "jsx", resolveDir: here },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxDev: true,
    conditions: ["development"],
    define: {
      "process.env.NODE_ENV": '"development"',
      __VUE_OPTIONS_API__: "false",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    },
    alias: { "pkce-wasm": dist },
    plugins: [
      {
        name: "snippets",
        setup(builder) {
          builder.onResolve({ filter: /^\.\/[\w.]+$/ }, ({ path, namespace, importer }) => {
            const ours = namespace === "snippet" || importer === "<stdin>";
            return ours ? { path: path.slice(2), namespace: "snippet" } : undefined;
          });
          builder.onLoad({ filter: /./, namespace: "snippet" }, ({ path }) => {
            const compiler = COMPILERS[path.split(".").at(-1)];
            return { ...compiler(snippet(path), path), resolveDir: here };
          });
        },
      },
    ],
    ...options,
  });
  return outputFiles[0].text;
}

const SESSION = `
    import { session } from "./session.js";
    window.session = session;`;
const MAINS = {
  react: `${SESSION}
    import { StrictMode, useEffect } from "react";
    import { createRoot } from "react-dom/client";
    import { App } from "./App.jsx";
    function Twice() {
      useEffect(() => { window.effects = (window.effects ?? 0) + 1; }, []);
    }
    createRoot(document.getElementById("app")).render(<StrictMode><Twice /><App /></StrictMode>);`,
  vue: `${SESSION}
    import { createApp } from "vue";
    import App from "./App.vue";
    createApp(App).mount("#app");`,
  svelte: `${SESSION}
    import { mount } from "svelte";
    import App from "./App.svelte";
    mount(App, { target: document.getElementById("app") });`,
};

/** Serves a page with this body and script, under the policy of the page on deployment. */
function servePage(script, body = '<div id="app"></div>') {
  const [{ code }] = fences("docs/deployment.md").filter(({ code }) => code.startsWith("default-src"));
  const policy = placed(code).replaceAll(/\s+/g, " ");
  const html = `<!doctype html><title>App</title><body>${body}<script type="module" src="/app.js"></script>`;
  serve("/", "text/html", html, { "content-security-policy": policy });
  serve("/app.js", "text/javascript", script);
  serve("/favicon.ico", "image/x-icon", "");
}

async function open(path = "/") {
  const page = await context.newPage();
  await page.goto(app.origin + path);
  return page;
}

/** Waits until an expression is true in the page; not by waitForFunction, which the policy of the pages forbids. */
const holds = (page, expression) => until(() => page.evaluate(`Boolean(${expression})`).catch(() => false)); // while it leaves

const button = (page, name) => page.getByRole("button", { name, exact: true });

test("the start with a session: login, callback, a call of the API", async () => {
  servePage(await bundle(snippet("start.js")), '<button id="login">Log in</button><button id="call">Call</button>');
  const page = await open();
  await page.evaluate("window.show = async (response) => (window.shown = await response.json())");
  await holds(page, "document.querySelector('#call')?.onclick");
  await button(page, "Log in").click();
  await page.waitForURL(`${app.origin}/`);
  await holds(page, "document.querySelector('#call')?.onclick");
  await page.evaluate("window.show = async (response) => (window.shown = await response.json())");
  await button(page, "Call").click();
  await holds(page, "window.shown?.name === 'Ada'");
  const asked = authority.requests.find(({ path }) => path === "/oauth/authorize").query;
  assert.deepEqual([asked.get("scope"), asked.get("code_challenge_method")], ["account:read", "S256"]);
  assert.deepEqual([authority.seen.exchanges, errors], [1, []]);
});

test("the start with functions: login, callback, tokens", async () => {
  await context.addInitScript("window.useTokens = (tokens) => (window.taken = tokens)");
  servePage(await bundle(snippet("functions.js")), '<button id="login">Log in</button>');
  const page = await open();
  await holds(page, "document.querySelector('#login')?.onclick");
  await button(page, "Log in").click();
  await holds(page, "window.taken");
  const taken = await page.evaluate("taken");
  assert.deepEqual(Object.keys(taken).sort(), ["accessToken", "expiresAt", "refreshToken", "scope", "tokenType"]);
  const listed = snippets.get("functions.js").match(/\{ (accessToken[^}]*) \}/)[1].split(", ");
  assert.deepEqual(listed.sort(), Object.keys(taken).sort());
  assert.deepEqual([page.url(), errors], [`${app.origin}/`, []]);
});

/** What every framework's snippet has to do. `known` brings a signed-in page to show whose token it is. */
async function drive(page, known) {
  let release;
  authority.held = new Promise((resolve) => (release = resolve));
  await button(page, "Sign in").click();
  await until(() => authority.seen.waiting === 1);
  await holds(page, "window.session?.state.ready");
  await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
  assert.equal(await button(page, "Sign in").count(), 0, "nobody is asked to sign in while the code is exchanged");
  release();
  await known(page);
  assert.equal(page.url(), `${app.origin}/`, "the address is clean");
  assert.deepEqual([authority.seen.exchanges, authority.seen.refused], [1, 0]);
  assert.equal(await page.getByRole("alert").count(), 0);

  const other = await open();
  await known(other); // a second tab is signed in without a login
  assert.equal(authority.seen.exchanges, 1);

  await button(other, "Sign out").click();
  await Promise.all([page, other].map((tab) => button(tab, "Sign in").waitFor()));
  await until(() => authority.live.size === 0);
  assert.equal(authority.seen.revoked.length, 1);
  await page.reload();
  await button(page, "Sign in").waitFor();
  assert.deepEqual(errors, []);
}

/** The person refuses: the app says so and can be used again. */
async function refuse(page) {
  authority.deny = true;
  await button(page, "Sign in").click();
  await page.getByRole("alert").waitFor();
  await button(page, "Sign in").waitFor();
  assert.deepEqual([page.url(), authority.seen.exchanges], [`${app.origin}/`, 0]);
}

const greeting = (page) => page.getByText("Signed in: Ada").waitFor();
const asked = async (page) => {
  await button(page, "Who am I?").click();
  await greeting(page);
};

for (const [name, known] of [["react", greeting], ["vue", asked], ["svelte", asked]]) {
  test(`${name}: login, callback, API, a second tab, logout in both`, async () => {
    servePage(await bundle(MAINS[name]));
    const page = await open();
    if (name === "react") {
      await holds(page, "window.effects");
      assert.equal(await page.evaluate("effects"), 2, "effects run twice under StrictMode");
    }
    await drive(page, known);
  });

  test(`${name}: a refusal is told, and the button is there again`, async () => {
    servePage(await bundle(MAINS[name]));
    await refuse(await open());
  });
}

test("react: the login leads back to where it began", async () => {
  servePage(await bundle(MAINS.react));
  const page = await open("/?page=2");
  await button(page, "Sign in").click();
  await greeting(page);
  assert.equal(page.url(), `${app.origin}/?page=2`);
});

test("react: the callback opened again after the login says what it is and offers a login", async () => {
  servePage(await bundle(MAINS.react));
  const page = await open();
  const answer = page.waitForRequest(/[?&]code=/);
  await button(page, "Sign in").click();
  const bookmark = (await answer).url();
  await greeting(page);
  await button(page, "Sign out").click();
  await page.goto(bookmark);
  await page.getByRole("alert").filter({ hasText: "pending" }).waitFor();
  await button(page, "Sign in").click();
  await greeting(page);
});

test("what the snippet for errors says of each code", async () => {
  const { explain } = await import(`data:text/javascript,${encodeURIComponent(await bundle(snippet("errors.js")))}`);
  const said = (code, details) => explain(new PkceError(code, details));
  assert.equal(said("authorization_denied"), "Access was not allowed.");
  assert.equal(said("state_unknown"), "Please sign in again.");
  assert.equal(said("token_error", { status: 429, retryAfter: 7 }), "Please try again in 7 seconds.");
  assert.equal(said("network"), "Please try again in a few seconds.");
});

test("with a backend: it logs in and exchanges with its secret; an answer without the cookie gets nothing", async () => {
  const secret = "backend-secret";
  const confidential = await startAuthority({ secret });
  try {
    const [{ code }] = fences("docs/backend.md").filter(({ name }) => name === "backend.js");
    const { origin } = confidential;
    const config = { issuer: origin, clientId: "web", redirectUri: `${app.origin}/callback`, authorizationEndpoint: `${origin}/oauth/authorize`, tokenEndpoint: `${origin}/oauth/token` };
    const kept = [];
    Object.assign(globalThis, { config, CLIENT_SECRET: secret, keep: async (tokens) => `s${kept.push(tokens)}` });
    const { login, callback } = await import(`data:text/javascript,${encodeURIComponent(await bundle(code, { platform: "node" }))}`);

    const leave = login("/orders");
    const back = (await fetch(leave.headers.get("location"), { redirect: "manual" })).headers.get("location");
    const [cookie] = leave.headers.get("set-cookie").split(";");
    await assert.rejects(() => callback(new Request(back)), { code: "state_unknown" });
    const done = await callback(new Request(back, { headers: { cookie: `x=1; ${cookie}` } }));
    assert.deepEqual([done.status, done.headers.get("location")], [303, "/orders"]);
    assert.match(done.headers.get("set-cookie"), /^session=s1; HttpOnly; Secure/);
    assert.ok(confidential.live.has(kept[0].access_token));
    assert.deepEqual([confidential.seen.exchanges, confidential.seen.refused], [1, 0]);
  } finally {
    confidential.close();
    for (const name of ["config", "CLIENT_SECRET", "keep"]) delete globalThis[name];
  }
});

test("the browser checks, the backend exchanges", async () => {
  const [{ code }] = fences("docs/backend.md").filter(({ name }) => name === "browser.js");
  let grant;
  app.answer("/session", ({ body }) => {
    grant = JSON.parse(body);
    return { json: {} };
  });
  const config = `{ issuer: "${authority.origin}", clientId: "web", redirectUri: "${app.origin}/", authorizationEndpoint: "${authority.origin}/oauth/authorize", tokenEndpoint: "${authority.origin}/oauth/token" }`;
  servePage(await bundle(`import { startLogin } from "pkce-wasm"; const config = window.config = ${config}; window.leave = () => startLogin(config, { returnTo: "/?page=2" }); ${code}`));
  const page = await open();
  await holds(page, "window.leave");
  await page.evaluate("void leave()");
  await page.waitForURL(`${app.origin}/?page=2`);
  const form = { code: grant.code, code_verifier: grant.codeVerifier, redirect_uri: grant.redirectUri };
  const answer = await fetch(`${authority.origin}/oauth/token`, { method: "POST", body: new URLSearchParams(form) });
  assert.equal(answer.status, 200);
  for (const name of ["code", "codeVerifier", "redirectUri", "issuer", "state", "returnTo"]) assert.ok(grant[name], name);
  assert.equal(grant.issuer, authority.origin);
});

test("every piece of code in the README was used here", () => {
  assert.deepEqual([...snippets.keys()].filter((name) => !used.has(name)), []);
  assert.ok(text("README.md").includes("run there"));
});
