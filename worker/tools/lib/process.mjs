// Running commands: with progress for people, in plain lines for logs, and with errors that say what to do.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { inRoot } from "./paths.mjs";

/** A failure whose message is meant for the person at the terminal: no stack trace. */
export class ToolError extends Error {}

export const say = (text) => process.stdout.write(`${text}\n`);

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * Runs a long step quietly and shows what it does and for how long. `cargo` and `npm` print what they are at
 * on their last line; that line is shown. On failure the output is printed.
 */
export function step(title, command, args, options = {}) {
  const started = Date.now();
  const tty = process.stdout.isTTY;
  const child = spawn(command, args, {
    cwd: options.cwd ?? inRoot(),
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let lastLine = "";
  const take = (chunk) => {
    output = (output + chunk).slice(-200_000);
    const line = String(chunk)
      .trim()
      .split(/[\r\n]+/)
      .at(-1)
      ?.trim();
    if (line) lastLine = line.replace(/\x1b\[[0-9;]*m/g, "");
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);

  if (!tty) say(`${title} ...`);
  let shown = Date.now();
  const timer = setInterval(() => {
    const text = `${title} (${Math.round((Date.now() - started) / 1000)} s) ${lastLine}`;
    if (tty) process.stdout.write(`\r\x1b[2K${text.slice(0, (process.stdout.columns || 80) - 1)}`);
    else if (Date.now() - shown >= 15_000) {
      shown = Date.now();
      say(`  ${text}`);
    }
  }, 250);

  return new Promise((done, failed) => {
    const finish = () => {
      clearInterval(timer);
      if (tty) process.stdout.write("\r\x1b[2K");
    };
    child.on("error", (error) => {
      finish();
      failed(new ToolError(`${title}: cannot start ${command} (${error.code ?? error.message}).`));
    });
    child.on("close", (code) => {
      finish();
      if (code === 0) {
        say(`${title}: done in ${seconds(started)}`);
        return done(output);
      }
      failed(new ToolError(`${shortened(output)}\n\n${title} failed (exit code ${code}).${options.hint ? `\n${options.hint}` : ""}`));
    });
  });
}

/** The beginning and the end of a long output: compilers say it first, installers last. */
function shortened(output, half = 40) {
  const lines = output.trimEnd().split("\n");
  if (lines.length <= 2 * half) return lines.join("\n");
  return [...lines.slice(0, half), `... (${lines.length - 2 * half} lines)`, ...lines.slice(-half)].join("\n");
}

/** Runs a command with its output going straight to the terminal; resolves to the exit code. */
export function show(command, args, options = {}) {
  const child = spawn(command, args, {
    cwd: options.cwd ?? inRoot(),
    env: { ...process.env, ...options.env },
    stdio: options.stdio ?? "inherit",
  });
  options.onStart?.(child);
  return new Promise((done, failed) => {
    child.on("error", (error) => failed(new ToolError(`cannot start ${command}: ${error.message}`)));
    child.on("close", (code, signal) => done(signal ? 130 : code));
  });
}

/** The standard output of a short command, or null when it cannot run or fails. */
export function ask(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: options.cwd ?? inRoot(),
    env: { ...process.env, ...options.env },
    encoding: "utf8",
  });
  return result.status === 0 ? result.stdout.trim() : null;
}

const node22 = inRoot("node_modules/node/bin/node");

/**
 * Wrangler needs Node 22. When this process is older, it runs itself again with the Node that npm installed
 * for this project and never comes back.
 */
export async function needNode22() {
  if (Number(process.versions.node.split(".")[0]) >= 22) {
    // Wrangler and the others start with "env node": they have to find this one.
    const own = dirname(process.execPath);
    if (!process.env.PATH?.startsWith(`${own}:`)) process.env.PATH = `${own}:${process.env.PATH}`;
    return;
  }
  if (!existsSync(node22)) {
    throw new ToolError(
      `This is Node ${process.versions.node}; wrangler needs Node 22. The npm package "node" should have brought one,\n` +
        "but its install script did not run. Run: npm rebuild node",
    );
  }
  const keep = () => {}; // Ctrl-C reaches the child by itself; this process only waits for it
  process.on("SIGINT", keep);
  let child;
  process.on("SIGTERM", () => child?.kill("SIGTERM"));
  const code = await show(node22, process.argv.slice(1), { cwd: process.cwd(), onStart: (c) => (child = c) });
  process.exit(code);
}

/** Runs a script's main function: a ToolError is a message, anything else a bug with its stack. */
export async function main(run) {
  try {
    const code = await run();
    if (typeof code === "number") process.exitCode = code;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}

/** True when the module at `url` (import.meta.url) was started as the script. */
export const isMain = (url) => process.argv[1] !== undefined && url === new URL(`file://${process.argv[1]}`).href;
