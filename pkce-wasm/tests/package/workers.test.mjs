// The package in a Cloudflare Worker: bundled by wrangler, run by workerd. Code may not make new
// WebAssembly there, so ./slim with the module of the upload is the entry for it, or ./js.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { authorizationServer } from "./login.mjs";
import { ROOT, filesIn, project, removeProjects } from "./project.mjs";

const COMPATIBILITY = "2026-11-01";

// A backend that keeps the tokens: it makes the request, checks the answer and exchanges the code.
const worker = (entry, init = "") => `
import { createAuthorizationRequest, discover, exchangeCode, generatePkce } from "${entry}";
import { parseCallback, refresh${init && ", init"} } from "${entry}";
${init && 'import wasm from "pkce-wasm/pkce.wasm";'}
async function answer(issuer) {
  ${init && `await ${init};`}
  const pkce = generatePkce();
  const config = { ...(await discover(issuer)), clientId: "app", redirectUri: "https://app.example/callback" };
  const { url, flow } = createAuthorizationRequest(config, { scope: "account:read" });
  const { headers } = await fetch(url, { redirect: "manual" });
  const tokens = await exchangeCode(config, parseCallback(config, headers.get("location"), flow));
  return { pkce, tokens, renewed: await refresh(config, tokens.refreshToken) };
}
export default {
  async fetch(request) {
    try {
      return Response.json(await answer(new URL(request.url).searchParams.get("issuer")));
    } catch (error) {
      return Response.json({ code: error.code, message: error.message, cause: String(error.cause) });
    }
  },
};
`;

let authorization;
let folder;

before(async () => {
  authorization = await authorizationServer();
  folder = await project("workers", {
    "main.js": worker("pkce-wasm"),
    "js.js": worker("pkce-wasm/js"),
    "slim.js": worker("pkce-wasm/slim", "init(wasm)"),
  });
});
after(async () => {
  authorization?.close();
  await removeProjects();
});

async function bundled(name) {
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const options = ["--name", name, "--compatibility-date", COMPATIBILITY, "--dry-run", "--outdir", `out/${name}`];
  const env = { PATH: process.env.PATH, HOME: folder, CI: "1", WRANGLER_SEND_METRICS: "false" };
  await promisify(execFile)(process.execPath, [wrangler, "deploy", `${name}.js`, ...options], { cwd: folder, env });
  const out = join(folder, "out", name);
  const names = (await filesIn(out)).filter((file) => /\.(js|wasm)$/.test(file));
  names.sort((one, other) => (other === `${name}.js`) - (one === `${name}.js`)); // the entry is the first
  return Promise.all(
    names.map(async (path) => {
      const contents = await readFile(join(out, path));
      return path.endsWith(".js")
        ? { type: "ESModule", path, contents: contents.toString() }
        : { type: "CompiledWasm", path, contents };
    }),
  );
}

async function answerOf(name) {
  const modules = await bundled(name);
  const settings = { name, modules, modulesRoot: "/", compatibilityDate: COMPATIBILITY };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({ host: "127.0.0.1", cf: false, telemetry: { enabled: false }, workers: [settings] }),
  );
  try {
    const response = await miniflare.dispatchFetch(`http://app.example/?issuer=${authorization.origin}`);
    return await response.json();
  } finally {
    await miniflare.dispose();
  }
}

for (const [entry, name] of [
  ["./slim, given the module that the upload holds,", "slim"],
  ["./js", "js"],
]) {
  test(`${entry} works as a backend: PKCE, request, answer, exchange, refresh`, async () => {
    const { pkce, tokens, renewed, ...failure } = await answerOf(name);
    assert.deepEqual(failure, {});
    assert.match(pkce.codeVerifier, /^[\w-]{43}$/);
    assert.equal(tokens.scope, "account:read");
    assert.notEqual(renewed.accessToken, tokens.accessToken);
  });
}

test("the default entry imports, and its first call says which entry to take instead", async () => {
  const { code, message, cause } = await answerOf("main");
  assert.equal(code, "unsupported", message);
  assert.match(message, /pkce-wasm\/js/);
  assert.match(cause, /Wasm code generation disallowed/);
});
