#!/usr/bin/env node
// `npm run audit`: known weaknesses, licences and sources of everything that is built in or builds. Needs the network:
// cargo-deny reads the advisories of RustSec from GitHub, npm asks its registry. The first run installs cargo-deny.
import { cargoTool } from "./setup.mjs";
import { main, say, show } from "./lib/process.mjs";

const CARGO_DENY = { crate: "cargo-deny", version: "0.20.2", binary: "cargo-deny" };

const steps = (deny) => [
  ["crates: licences, bans, sources (deny.toml)", deny, ["--locked", "check", "licenses", "bans", "sources"]],
  ["crates: advisories of RustSec", deny, ["--locked", "check", "advisories"]],
  ["npm packages: what the registry knows", "npm", ["audit"]],
  ["npm packages: signatures of the registry", "npm", ["audit", "signatures"]],
];

await main(async () => {
  const failed = [];
  for (const [title, command, args] of steps(await cargoTool(CARGO_DENY))) {
    say(`\n== ${title}`);
    if ((await show(command, args)) !== 0) failed.push(title);
  }
  say(failed.length > 0 ? `\nNot passed, or not reached: ${failed.join("; ")}` : "\nAll passed.");
  return failed.length > 0 ? 1 : 0;
});
