// Six consumers of the published package, each with its defaults: Vite (built and served), webpack,
// Rollup, esbuild, Rspack, and a page without a bundler. Every page runs in Chromium.
import assert from "node:assert/strict";
import { cp, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { BUNDLERS, html, viteDev } from "./bundlers.mjs";
import { CORS, app, authorizationServer, serve, visit } from "./login.mjs";
import { filesIn, project, removeProjects, write } from "./project.mjs";

let browser;
let authorization;

before(async () => {
  authorization = await authorizationServer();
  browser = await chromium.launch({
    executablePath: process.env.CHROME ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
});
after(async () => {
  await browser?.close();
  authorization?.close();
  await removeProjects();
});

const policy = (...scripts) =>
  `default-src 'none'; img-src data:; script-src ${["'self'", ...scripts].join(" ")}; connect-src 'self' ${authorization.origin}`;
const WASM = "'wasm-unsafe-eval'";

const PAGE = html('<script type="module" src="/src/index.js"></script>');
const appFiles = (name, source) => ({ [`${name}/index.html`]: PAGE, [`${name}/src/index.js`]: source });

// The whole login worked, PKCE is what RFC 7636 says, and the browser had nothing to complain about.
async function assertLogin(url) {
  const { result, challenge, kept, complaints, address } = await visit(browser, url);
  assert.equal(result.error, undefined);
  assert.deepEqual(complaints, []);
  assert.equal(result.login.returnTo, "/orders?page=2");
  assert.equal(result.login.tokens.scope, "account:read");
  assert.notEqual(result.renewed.accessToken, result.login.tokens.accessToken);
  assert.equal(authorization.alive.has(result.renewed.refreshToken), false, "revoked");
  assert.match(result.pkce.codeVerifier, /^[\w-]{43}$/);
  assert.deepEqual([result.pkce.codeChallenge, result.pkce.codeChallengeMethod], [challenge, "S256"]);
  assert.equal(kept, 0);
  assert.equal(address, `${new URL(url).origin}/`);
}

async function assertServed(folder, scripts) {
  const server = await serve(folder, policy(...scripts));
  try {
    await assertLogin(`${server.origin}/`);
    return server.requests.map(({ path }) => path);
  } finally {
    server.close();
  }
}

async function bytesOf(folder) {
  const names = (await filesIn(folder)).filter((name) => name.endsWith(".js"));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((total, size) => total + size, 0);
}

describe("the package in an app", { concurrency: 2 }, () => {
  for (const [name, build] of Object.entries(BUNDLERS)) {
    // These two leave `new URL("./pkce.wasm", import.meta.url)` as it is: the app copies the file and says where.
    const copies = name === "esbuild" || name === "rollup";

    test(`built by ${name}: the default entry, ./slim and ./js go through a login`, async () => {
      const { origin } = authorization;
      const folder = await project(name, {
        ...appFiles("main", app(origin, "pkce-wasm")),
        ...appFiles("slim", app(origin, "pkce-wasm/slim", copies ? 'init("/pkce.wasm")' : "init()")),
        ...appFiles("js", app(origin, "pkce-wasm/js")),
      });
      await build(join(folder, "main"));
      await assertServed(join(folder, "main/dist"), [WASM]);
      await build(join(folder, "js"));
      await assertServed(join(folder, "js/dist"), []);
      await build(join(folder, "slim"));
      if (copies) await cp(join(folder, "node_modules/pkce-wasm/pkce.wasm"), join(folder, "slim/dist/pkce.wasm"));
      const requested = await assertServed(join(folder, "slim/dist"), [WASM]);
      assert.ok(requested.some((path) => path.endsWith(".wasm")));
    });

    test(`built by ${name}: an app that uses nothing of the package pays nothing`, async (context) => {
      const rest = "document.title = String(location);";
      const folder = await project(`${name}-unused`, {
        ...appFiles("empty", rest),
        ...appFiles("main", `import { startLogin } from "pkce-wasm";\n${rest}`),
        ...appFiles("slim", `import { init, startLogin } from "pkce-wasm/slim";\n${rest}`),
        ...appFiles("js", `import { startLogin } from "pkce-wasm/js";\n${rest}`),
      });
      await build(join(folder, "empty"));
      const empty = await bytesOf(join(folder, "empty/dist"));
      assert.ok(empty > rest.length / 2);
      for (const entry of ["main", "slim", "js"]) {
        await build(join(folder, entry));
        const left = (await bytesOf(join(folder, entry, "dist"))) - empty;
        context.diagnostic(`${name}, ${entry}: ${left} bytes left`);
        assert.ok(left <= 0, `${entry}: ${left} bytes left`);
      }
    });
  }

  test("built by Vite: ./slim with the address that `?url` gives", async () => {
    const source = app(authorization.origin, "pkce-wasm/slim", "init(address)");
    const address = 'import address from "pkce-wasm/pkce.wasm?url";';
    const folder = await project("vite-url", appFiles("url", `${address}\n${source}`));
    await BUNDLERS.vite(join(folder, "url"));
    await assertServed(join(folder, "url/dist"), [WASM]);
  });

  test("served by Vite in development: the default entry, ./slim and ./js go through a login", async () => {
    for (const [entry, init] of [["pkce-wasm"], ["pkce-wasm/slim", "init()"], ["pkce-wasm/js"]]) {
      const folder = await project("vite-dev", appFiles("app", app(authorization.origin, entry, init)));
      const server = await viteDev(join(folder, "app"));
      try {
        await assertLogin(`${server.origin}/`);
      } finally {
        await server.close();
      }
    }
  });

  test("without a bundler: an import map, or the path of the file", async () => {
    const imports = {
      "pkce-wasm": "/node_modules/pkce-wasm/index.js",
      "pkce-wasm/slim": "/node_modules/pkce-wasm/slim.js",
      "pkce-wasm/js": "/node_modules/pkce-wasm/js.js",
    };
    const map = `<script type="importmap" nonce="map">${JSON.stringify({ imports })}</script>`;
    const folder = await project("plain", { "index.html": html(`${map}<script type="module" src="/app.js"></script>`) });
    const cases = [
      ["pkce-wasm", "", [WASM], 1],
      ["/node_modules/pkce-wasm/index.js", "", [WASM], 1],
      ["pkce-wasm/slim", "init()", [WASM], 2],
      ["pkce-wasm/js", "", [], 1],
    ];
    for (const [entry, init, scripts, files] of cases) {
      await write(folder, { "app.js": app(authorization.origin, entry, init) });
      const requested = await assertServed(folder, [...scripts, "'nonce-map'"]);
      const ours = new Set(requested.filter((path) => path.startsWith("/node_modules/")));
      assert.equal(ours.size, files, `${entry} asks for ${[...ours].join(", ")}`);
    }
  });

  test("a redirect of the token endpoint is not followed", async () => {
    const { origin, requests } = authorization;
    authorization.answer("/moved", { status: 307, headers: { ...CORS, location: `${origin}/token` }, json: {} });
    const folder = await project("redirect", {
      "index.html": html('<script type="module" src="/app.js"></script>'),
      "app.js": `
        import { refresh } from "/node_modules/pkce-wasm/index.js";
        const config = { issuer: "${origin}", clientId: "app", tokenEndpoint: "${origin}/moved" };
        refresh(config, "rt-kept").then(String, ({ code, retry }) => done({ code, retry }));`,
    });
    const server = await serve(folder, policy(WASM));
    const { result } = await visit(browser, `${server.origin}/`);
    server.close();
    assert.deepEqual(result, { code: "network", retry: "later" });
    const sent = requests.filter(({ form }) => form.get("refresh_token") === "rt-kept");
    assert.deepEqual(sent.map(({ path }) => path), ["/moved"]);
  });

  test("a policy without 'wasm-unsafe-eval' gets an error that names it and ./js", async () => {
    const folder = await project("blocked", {
      "index.html": html('<script type="module" src="/app.js"></script>'),
      "app.js": app(authorization.origin, "/node_modules/pkce-wasm/index.js"),
    });
    const server = await serve(folder, policy());
    const { result } = await visit(browser, `${server.origin}/`);
    server.close();
    assert.match(result.error, /^unsupported: .*wasm-unsafe-eval.*pkce-wasm\/js/);
  });

  test("./slim under such a policy says the same at init", async () => {
    const folder = await project("blocked-slim", {
      "index.html": html('<script type="module" src="/app.js"></script>'),
      "app.js": `
        import { init } from "/node_modules/pkce-wasm/slim.js";
        init().then(String, ({ code, message }) => done({ code, message }));`,
    });
    const server = await serve(folder, policy());
    const { result } = await visit(browser, `${server.origin}/`);
    server.close();
    assert.equal(result.code, "unsupported");
    assert.match(result.message, /wasm-unsafe-eval/);
  });
});
