#!/usr/bin/env node
// `ISSUER=https://auth.example.com npm run deploy`: builds the release variant, migrates D1, deploys
// and routes the issuer's host name to the Worker. With `MAIL_FROM=notices@example.com` notices are sent by e-mail.
// The first time, make the secrets afterwards with `npm run secrets -- --put`; until then the Worker answers
// nothing but "set-up unfinished".
import { build, publish } from "./build.mjs";
import { ask, main, say, show, ToolError } from "./lib/process.mjs";
import { envArgs, quietEnv, requiredIssuer, wrangler } from "./lib/wrangler.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  const issuer = requiredIssuer();
  const dryRun = process.argv.includes("--dry-run");
  const tools = await setup();
  const env = envArgs();
  await build("release", tools);
  publish("release");
  const call = async (what, ...args) => {
    const code = await show(wrangler, [...args, ...env], { env: quietEnv });
    if (code !== 0) throw new ToolError(`${what} failed (exit code ${code}); wrangler's messages are above.`);
  };
  const deploy = ["deploy", "--domain", issuer.host, "--var", `ISSUER:${issuer.origin}`];
  if (process.env.MAIL_FROM) deploy.push("--var", `MAIL_FROM:${process.env.MAIL_FROM}`);
  if (dryRun) return call("The dry run", ...deploy, "--dry-run");
  const migrate = () => call("Migrating D1", "d1", "migrations", "apply", "DB", "--remote");
  // The first deployment creates the database; afterwards the schema is there before the code that needs it.
  const exists = ask(wrangler, ["d1", "info", "DB", "--json", ...env], { env: quietEnv }) !== null;
  if (exists) await migrate();
  await call("The deployment", ...deploy);
  if (!exists) await migrate();
  say(`\nDeployed to ${issuer.origin}. First deployment? Make the secrets now:  npm run secrets -- --put`);
});
