#!/usr/bin/env node
// `npm run secrets`: makes all secrets of a deployment.
//   npm run secrets -- --put                  generates them and hands them to wrangler; they are shown nowhere
//   npm run secrets -- --json > FILE          prints the JSON that `wrangler secret bulk` takes, for a vault of your own
// Without an option it explains itself. It never writes a file.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { inRoot } from "./lib/paths.mjs";
import { ask, main, needNode22, say, ToolError } from "./lib/process.mjs";
import { envArgs, quietEnv, wrangler } from "./lib/wrangler.mjs";

/** Rings of keys "id:key,id:key", newest first; a first deployment has one key with the id 1. */
const RINGS = ["EDGE_KEYS", "HASH_KEYS", "SEAL_KEYS", "DATA_KEYS", "GATEWAY_KEYS"];
/** Names of objects are derived from it, so it can never change. */
const FIXED = "GRANT_ID_KEY";

const key = () => randomBytes(32).toString("base64url");
const generate = () => ({ ...Object.fromEntries(RINGS.map((name) => [name, `1:${key()}`])), [FIXED]: key() });

await main(async () => {
  await needNode22();
  const env = envArgs();
  if (process.argv.includes("--json")) return say(JSON.stringify(generate(), null, 2));
  if (process.argv.includes("--put")) return put(env);
  say(`Secrets of a deployment: ${[...RINGS, FIXED].join(", ")}

  npm run secrets -- --put
      generates new ones and stores them at Cloudflare. Nothing is printed or written to disk. It refuses when the
      deployment has some already: new keys would end every session, connection and client secret.

  npm run --silent secrets -- --json | wrangler secret bulk
      the same by hand; keep a copy of the JSON in your vault if you want to be able to move the deployment.`);
});

async function put(env) {
  const listed = ask(wrangler, ["secret", "list", "--format", "json", ...env], { env: quietEnv });
  if (listed === null) {
    throw new ToolError("wrangler cannot list the secrets. Sign in (npx wrangler login) and deploy first: npm run deploy");
  }
  const present = JSON.parse(listed)
    .map((secret) => secret.name)
    .filter((name) => [...RINGS, FIXED].includes(name));
  if (present.length > 0) {
    throw new ToolError(
      `The deployment has ${present.join(", ")} already; replacing them would end every connection.\nNothing was changed.`,
    );
  }
  const child = spawn(wrangler, ["secret", "bulk", ...env], {
    cwd: inRoot(),
    env: { ...process.env, ...quietEnv },
    stdio: ["pipe", "inherit", "inherit"],
  });
  child.stdin.end(JSON.stringify(generate()));
  return new Promise((done) => child.on("close", done));
}
