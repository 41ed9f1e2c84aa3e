#!/usr/bin/env node
// `npm run conformance`: rules of OAuth 2.0, each looked at by plain HTTP, with Edgegrant beside others; or with any server:
//   npm run conformance                                      Edgegrant, workers-oauth-provider, oidc-provider: one table
//   npm run conformance -- --issuer URL --client-id ID --redirect-uri URI [--client-secret SECRET]
//       --login-cookie "name=value; …"    somebody who is signed in there; Allow is pressed for them
//       --code-command COMMAND            gets AUTHORIZE_URL and DECISION (allow, deny), prints where the browser was led
//                                         (with neither, whoever is at the terminal is asked)
//       --scope "a b" --narrow-scope a    what to ask for, and a part of it
//       --second-client-id ID …           --second-client-secret, --second-redirect-uri: for what one client may not do to another
//       --api URL                         an address that takes the access tokens
//       --introspect-id, --introspect-secret, --auth client_secret_post
//   npm run conformance -- --only TK      rules whose id begins so; --json FILE keeps the results
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { main, needNode22, say } from "../../worker/tools/lib/process.mjs";
import { report, sums } from "./report.mjs";
import { OPTIONS, other } from "./servers/other.mjs";
import { allChecks, run } from "./suite.mjs";

const { values } = parseArgs({
  options: { ...OPTIONS, only: { type: "string" }, json: { type: "string" }, built: { type: "boolean" } },
});

/** Edgegrant and the others, started here; `stops` gets what ends them. */
async function beside(stops) {
  if (!values.built) {
    const [{ build }, { setup }] = await Promise.all([import("../../worker/tools/build.mjs"), import("../../worker/tools/setup.mjs")]);
    await build("development", await setup(), { quiet: true });
  }
  const { edgegrant } = await import("./servers/edgegrant.mjs");
  const { WORKER, workersOauthProvider } = await import("./servers/workers-oauth-provider.mjs");
  const { oidcProvider } = await import("./servers/oidc-provider.mjs");
  const ours = await edgegrant({ workers: [WORKER], bare: true });
  stops.push(ours.stop);
  const node = await oidcProvider();
  stops.push(node.stop);
  return [ours.target, await workersOauthProvider(ours.server), node.target];
}

await main(async () => {
  await needNode22();
  const checks = (await allChecks()).filter(({ id }) => id.startsWith(values.only ?? ""));
  const stops = [];
  try {
    const targets = values.issuer ? [await other(values)] : await beside(stops);
    const runs = [];
    for (const target of targets) {
      process.stderr.write(`${target.name}: ${checks.length} checks\n`);
      runs.push({ target, results: await run(target, checks) });
    }
    say(`${new Date().toISOString().slice(0, 10)}, ${checks.length} rules\n\n${report(runs)}`);
    const kept = runs.map(({ target: { name, version, issuer }, results }) => ({ name, version, issuer, sums: sums(results), results }));
    if (values.json) writeFileSync(values.json, `${JSON.stringify({ at: new Date(), runs: kept }, null, 2)}\n`);
    const [{ must, ours }] = kept.map((one) => one.sums);
    return must.fail + (values.issuer ? 0 : ours.fail) > 0 ? 1 : 0;
  } finally {
    for (const stop of stops) await stop();
  }
});
