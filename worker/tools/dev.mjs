#!/usr/bin/env node
// `npm run dev`: everything on this machine. Sets up, builds, migrates, seeds and serves http://localhost:8787.
//   PORT=9000 npm run dev          another port (the issuer is that origin)
//   STATE=folder npm run dev       keeps its data there instead of in .wrangler/state (.wrangler/NAME for an environment)
//   npm run dev -- --env klaviyo   an environment of wrangler.toml, that is, a preset, with data of its own
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { build, publish } from "./build.mjs";
import { writeDevConfig } from "./lib/dev-config.mjs";
import { inRoot } from "./lib/paths.mjs";
import { main, say, step, ToolError } from "./lib/process.mjs";
import { envArgs, quietEnv, wrangler } from "./lib/wrangler.mjs";
import { setup } from "./setup.mjs";

const START_LIMIT_MS = 60_000;
/** The sample of a platform's own API, behind the gateway. */
const SAMPLE_API = "tests/workers/bookings/wrangler.toml";

await main(async () => {
  const port = portNumber();
  await portIsFree(port);
  const tools = await setup();
  const env = envArgs();
  // Each preset seeds other data, so each has a folder of its own.
  const state = process.env.STATE || (env.length > 0 ? `.wrangler/${env[1]}` : ".wrangler/state");
  const config = writeDevConfig(env[1]);
  const common = ["--config", config, ...(state === ".wrangler/state" ? [] : ["--persist-to", state])];
  await build("development", tools, { quiet: true });
  publish("development");
  await step("Applying D1 migrations (local)", wrangler, ["d1", "migrations", "apply", "DB", "--local", ...common], {
    env: { ...quietEnv, CI: "1" },
  });
  return serve(port, common, state);
});

function portNumber() {
  const text = process.env.PORT || "8787";
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new ToolError(`PORT=${text} is not a port number.`);
}

/** Fails early, before minutes of building, when something else listens there. */
function portIsFree(port) {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once("error", (error) => {
      const why = error.code === "EADDRINUSE" ? "is used by another program" : `cannot be opened (${error.code})`;
      failed(new ToolError(`Port ${port} ${why}. Take another one:  PORT=${port + 1} npm run dev`));
    });
    probe.listen(port, "localhost", () => probe.close(() => done()));
  });
}

async function serve(port, common, state) {
  const issuer = `http://localhost:${port}`;
  const args = ["dev", ...common, "--config", SAMPLE_API, "--port", String(port), "--var", `ISSUER:${issuer}`, "--show-interactive-dev-session=false"];
  const child = spawn(wrangler, args, { cwd: inRoot(), env: { ...process.env, ...quietEnv }, stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise((done) => child.on("close", (code) => done(code)));
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      if (stopping) return child.kill("SIGKILL"); // asked twice
      stopping = true;
      // Ctrl-C in a terminal reaches wrangler by itself; a signal to this process alone does not.
      setTimeout(() => child.kill("SIGTERM"), signal === "SIGINT" ? 2000 : 0).unref();
    });
  }
  try {
    const up = await Promise.race([waitUntilUp(issuer), ended.then(() => false)]);
    if (up) {
      await seed(issuer);
      say(welcome(issuer, await platform(issuer), state));
    } else if (!stopping) {
      child.kill("SIGTERM");
    }
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  }
  const code = await ended;
  if (stopping) {
    say("\nStopped.");
    return 0;
  }
  throw new ToolError(`wrangler dev ended (exit code ${code}); its messages are above.`);
}

async function waitUntilUp(issuer) {
  const end = Date.now() + START_LIMIT_MS;
  while (Date.now() < end) {
    try {
      const answer = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
      await answer.arrayBuffer();
      if (answer.ok) return true;
    } catch {
      // not listening yet
    }
    await sleep(200);
  }
  return false;
}

async function seed(issuer) {
  const answer = await fetch(`${issuer}/__dev/seed`, { method: "POST" });
  if (!answer.ok) throw new ToolError(`The development data could not be written: HTTP ${answer.status}.`);
}

async function platform(issuer) {
  const answer = await fetch(`${issuer}/__dev/platform`);
  if (!answer.ok) throw new ToolError(`The preset could not be read: HTTP ${answer.status}.`);
  return answer.json();
}

/** What the gateway leads to: `GET /api/v1/bookings` and the scopes it needs, one below the other. */
function behind(issuer, { on, rules }) {
  if (!on || rules.length === 0) return "nothing: the policy has no rules";
  const lines = rules.map(({ methods, path, scopes }) => `${methods.join(" or ")} ${issuer}${path}   ${scopes.join(" ") || "any token"}`);
  return lines.join("\n                  ");
}

function welcome(issuer, { name, accounts, roles, apps, me, authorize, token, gateway }, state) {
  const words = {
    "demo-spa": "public, redirects to the demo page or the React app",
    "demo-server": "secret demo-server-secret, redirects to http://127.0.0.1/callback, any port",
    "demo-pending": "secret demo-pending-secret, waits for review, redirects like demo-server",
  };
  const appLines = apps.map((app) => `${app.client_id.padEnd(14)}${app.name}: ${words[app.client_id]}`).join("\n                  ");
  return `
${name === "Edgegrant" ? "Edgegrant" : `Edgegrant as ${name}`} runs at ${issuer}

  Demo page       ${issuer}/demo/   press Connect and watch every exchange
  React app       ${issuer}/react/   the same in React; open it in two tabs
  Sign in as      owner@demo.example   ${roles.owner} of ${accounts.join(" and ")}
                  staff@demo.example   ${roles.staff} of ${accounts[0]}, may not consent for it
                  admin@demo.example   platform admin
                  password of all three: demo-password
  Apps            ${appLines}
  Authorize       ${issuer}${authorize}
  Token           ${issuer}${token}
  Whose token     ${me.methods.join(" or ")} ${issuer}${me.path}
  Sample API      ${behind(issuer, gateway)}
  Connected apps  ${issuer}/account/apps
  E-mail          ${issuer}/__dev/mail   what would be sent
  Metadata        ${issuer}/.well-known/oauth-authorization-server

  Data is kept in ${state}; delete that folder to begin again. Ctrl-C stops everything.
`;
}
