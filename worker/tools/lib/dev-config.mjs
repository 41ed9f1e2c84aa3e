// The configuration of `npm run dev`: wrangler.toml, an environment's settings in their place, and the binding to the sample
// API. A deployment has no such Worker, so the binding cannot stand in wrangler.toml; and wrangler would look for the
// environment in the sample's configuration too.
import { readFileSync, writeFileSync } from "node:fs";
import { parse } from "smol-toml";
import { inRoot } from "./paths.mjs";

/** Writes it beside wrangler.toml, whose paths it keeps, and returns its name. */
export function writeDevConfig(environment) {
  const { env = {}, ...config } = parse(readFileSync(inRoot("wrangler.toml"), "utf8"));
  const own = environment ? { ...env[environment], name: `${config.name}-${environment}` } : {};
  // What an environment does not inherit it names itself: a test holds each to the bindings at the top.
  const merged = { ...config, ...own, services: [{ binding: "API", service: "bookings" }] };
  // A file for each environment: several may be served at once, and wrangler starts anew when its configuration changes.
  const file = environment ? `.wrangler.dev.${environment}.json` : ".wrangler.dev.json";
  writeFileSync(inRoot(file), `${JSON.stringify(merged, null, 2)}\n`);
  return file;
}
