#!/usr/bin/env node
// `npm run audit`: known weaknesses, licences and sources of everything that is built in or builds. Needs the network:
// cargo-deny reads the advisories of RustSec from GitHub, npm asks its registry. The first run installs cargo-deny.
import { cargoTool } from "./setup.mjs";
import { main, say, show } from "./lib/process.mjs";

export const CARGO_DENY = { crate: "cargo-deny", version: "0.20.2", binary: "cargo-deny" };

const steps = async () => [
  ["crates: advisories, licences, bans, sources (deny.toml)", await cargoTool(CARGO_DENY), ["--locked", "check", "advisories", "licenses", "bans", "sources"]],
  ["npm packages: what the registry knows", "npm", ["audit"]],
  ["npm packages: signatures of the registry", "npm", ["audit", "signatures"]],
];

await main(async () => {
  const failed = [];
  for (const [title, command, args] of await steps()) {
    say(`\n== ${title}`);
    if ((await show(command, args)) !== 0) failed.push(title);
  }
  say(failed.length > 0 ? `\nNot passed: ${failed.join("; ")}` : "\nAll passed.");
  return failed.length > 0 ? 1 : 0;
});
