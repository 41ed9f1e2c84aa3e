// Fuzzes the parsers that meet the network (src/lib.rs), with libFuzzer on the stable toolchain.
//
//   npm run fuzz                              every target for 60 seconds
//   npm run fuzz -- token path --seconds 3600 these two for an hour each, side by side
//
// Needs a C++ compiler for libFuzzer. What a target is given grows in .build/fuzz; a finding is written there and
// ends the run with the command that repeats it. Put a finding into corpus/ with its fix: the unit test replays that.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inRoot } from "../../worker/tools/lib/paths.mjs";
import { ToolError, main, say, step } from "../../worker/tools/lib/process.mjs";

const FLAGS = [
  "--cfg=fuzzing",
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
  "-Ccodegen-units=1",
];
const known = () => [...readFileSync(inRoot("tests/fuzz/src/lib.rs"), "utf8").matchAll(/\("(\w+)", \w+::\w+\)/g)].map(([, name]) => name);

async function build() {
  const args = ["build", "--profile", "fuzz", "--package", "edgegrant-fuzz", "--features", "libfuzzer", "--bin", "fuzz"];
  // A target of its own, so that build scripts are built without the flags.
  const target = ["--target", "x86_64-unknown-linux-gnu", "--target-dir", inRoot(".build/fuzz/target")];
  await step("Building the fuzzer", "cargo", [...args, ...target], { env: { ...process.env, CARGO_ENCODED_RUSTFLAGS: FLAGS.join("\x1f") } });
  return inRoot(".build/fuzz/target/x86_64-unknown-linux-gnu/fuzz/fuzz");
}

/** Runs one target; gives what it says at its end. */
function fuzz(program, name, seconds) {
  const corpus = inRoot(".build/fuzz/corpus", name);
  mkdirSync(corpus, { recursive: true });
  const found = join(inRoot(".build/fuzz"), `${name}-`);
  const args = [`-max_total_time=${seconds}`, "-timeout=5", "-max_len=4096", "-print_final_stats=1", `-artifact_prefix=${found}`];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, corpus, inRoot("tests/fuzz/corpus", name)], { env: { ...process.env, FUZZ_TARGET: name } });
    let output = "";
    child.stderr.on("data", (data) => (output += data));
    child.on("error", reject);
    child.on("close", (code) => {
      const runs = Number(/number_of_executed_units: (\d+)/.exec(output)?.[1] ?? 0);
      const covered = Number([...output.matchAll(/cov: (\d+)/g)].at(-1)?.[1] ?? 0);
      say(`${name.padEnd(14)} ${code === 0 ? "clean" : "FOUND"}  ${runs.toLocaleString("en")} runs, ${covered.toLocaleString("en")} edges`);
      if (code !== 0) say(`${output.split("\n").slice(-40).join("\n")}\nAgain: FUZZ_TARGET=${name} ${program} FILE`);
      resolve(code === 0);
    });
  });
}

await main(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { seconds: { type: "string", default: "60" } } });
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new ToolError("--seconds takes a number of seconds for each target.");
  const names = positionals.length > 0 ? positionals : known();
  const stranger = names.find((name) => !known().includes(name));
  if (stranger) throw new ToolError(`There is no target ${stranger}: ${known().join(", ")}.`);
  const program = await build();
  say(`${names.length} targets, ${seconds} s each`);
  const waiting = [...names];
  const results = [];
  const lane = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) results.push(await fuzz(program, name, seconds));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return results.every(Boolean) ? 0 : 1;
});
