// Calling the wrangler of this project.
import { readFileSync } from "node:fs";
import { bin, inRoot } from "./paths.mjs";
import { ToolError } from "./process.mjs";

export const wrangler = bin("wrangler");

/** No telemetry, no banner, and no request to the outside for what the `cf` object of a request would hold. */
export const quietEnv = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/** `["--env", name]` for the `--env NAME` of the command line, `[]` without one. */
export function envArgs(argv = process.argv.slice(2)) {
  const at = argv.findIndex((arg) => arg === "--env" || arg === "-e" || arg.startsWith("--env="));
  if (at < 0) return [];
  const name = argv[at].startsWith("--env=") ? argv[at].slice("--env=".length) : argv[at + 1];
  const known = [...readFileSync(inRoot("wrangler.toml"), "utf8").matchAll(/^\[env\.([\w-]+)\]/gm)].map((m) => m[1]);
  if (!known.includes(name)) {
    const list = known.length > 0 ? `It has: ${known.join(", ")}.` : "It has none; leave --env out for the default preset.";
    throw new ToolError(`wrangler.toml has no environment "${name ?? ""}". ${list}`);
  }
  return ["--env", name];
}

/** The issuer from the environment: an https origin without a path, exactly as apps will compare it. */
export function requiredIssuer() {
  const issuer = process.env.ISSUER;
  const help =
    "Say under which origin people and apps will see this server, a host name in a zone of your Cloudflare account:\n" +
    "  ISSUER=https://auth.example.com npm run deploy\n" +
    "It becomes part of every token and is compared byte for byte, so choose one that stays.";
  if (!issuer) throw new ToolError(`ISSUER is not set.\n${help}`);
  let url;
  try {
    url = new URL(issuer);
  } catch {
    throw new ToolError(`ISSUER=${issuer} is not a URL.\n${help}`);
  }
  if (url.protocol !== "https:" || url.origin !== issuer) {
    throw new ToolError(`ISSUER=${issuer} must be an https origin: no path, no slash at the end, lower case.\n${help}`);
  }
  return url;
}
