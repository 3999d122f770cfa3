// `pnpm ready`: one command equals CI. Every check runs, even after one has failed; the last line adds up all runners.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cargoEnvironment } from "./native-environment.mjs";
import { pinnedNode, repository, run } from "./setup/run.mjs";

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** What each failed test said: of a long record people are shown the last lines. */
const words = [];
const root = process.getuid?.() === 0;
// Tests that mount do so in a namespace of their own, where nothing they leave can reach the machine.
const alone = root ? ["unshare", "--mount", "--propagation", "private"] : [];

function count(name, { passed = 0, failed = 0, skipped = 0 }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  if (failed > 0) failures.push(name);
  process.stdout.write(`== ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped\n\n`);
}

/** A tool that says only yes or no counts as one test. */
async function check(name, command, args, options) {
  process.stdout.write(`== ${name}\n`);
  const begin = Date.now();
  const { code, output } = await run(command, args, { quiet: true, ...options });
  if (code !== 0) process.stdout.write(output);
  process.stdout.write(`   ${((Date.now() - begin) / 1000).toFixed(1)} s\n`);
  count(name, code === 0 ? { passed: 1 } : { failed: 1 });
}

/** `beside`: its output comes when it has ended, since something else is running. */
async function vitest(name, args, { beside = false } = {}) {
  const heading = `== ${name}${root ? "" : " (not root: what needs it is skipped)"}\n`;
  if (!beside) process.stdout.write(heading);
  const results = join(repository, "test-results", `${name.replaceAll(/\W+/g, "-")}.json`);
  rmSync(results, { force: true });
  const reporters = ["--reporter=default", "--reporter=./scripts/vitest-reporter.ts"];
  const command = [...alone, pinnedNode(), "node_modules/vitest/vitest.mjs", "run", ...args, ...reporters];
  // Start-up of every Node below is measured without the certificates of a proxy (they cost Node 20 75 ms each).
  const { code, output } = await run(command[0], command.slice(1), { quiet: beside, env: { RAMEKIN_TEST_RESULTS: results } });
  if (beside) process.stdout.write(`${heading}${output}`);
  if (!existsSync(results)) return count(name, { failed: 1 });
  const tests = JSON.parse(readFileSync(results, "utf8"));
  const of = (state) => tests.filter((test) => test.state === state).length;
  const counted = { passed: of("passed"), failed: of("failed"), skipped: of("skipped") };
  for (const { state, file, name: test, errors = [] } of tests)
    if (state === "failed") words.push(`${file}: ${test}: ${errors.join("; ")}`);
  if (tests.length === 0 || (code !== 0 && counted.failed === 0)) counted.failed += 1;
  return count(name, counted);
}

async function cargoTest() {
  process.stdout.write("== cargo test\n");
  const command = [...alone, "cargo", "test", "--workspace", "--exclude", "bindings-napi", ...cargoEnvironment.arguments];
  const { code, output } = await run(command[0], command.slice(1), { quiet: true, env: cargoEnvironment.env });
  const sums = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
    sums.passed += Number(passed);
    sums.failed += Number(failed);
    sums.skipped += Number(ignored);
  }
  if (code !== 0) {
    process.stdout.write(output);
    for (const [line] of output.matchAll(/^test .* FAILED$|^---- .* ----$/gm)) words.push(line);
    sums.failed ||= 1;
  }
  count("cargo test", sums);
}

const node = pinnedNode();
await check("format and lint", "biome", ["check", "--error-on-warnings", "."]);
await check("boundaries", "turbo", ["boundaries"]);
await check("types", "tsc", ["--noEmit", "-p", "tsconfig.json"]);
await check("types of the core, without Node's", "tsc", ["--noEmit", "-p", "packages/core/tsconfig.json"]);
await check("rustfmt", "cargo", ["fmt", "--all", "--check"]);
await check("clippy", "cargo", ["clippy", "--workspace", "--all-targets", ...cargoEnvironment.arguments, "--", "-D", "warnings"], {
  env: cargoEnvironment.env,
});
await cargoTest();
await vitest("unit and conformance", []);
// The machine keeps one processor busy for as long as the other, and is seldom in anybody's way: a quarter of the whole time saved.
const machine = vitest("virtual machine", ["--config", "test/vm/vitest.config.ts"], { beside: true });
await vitest("end to end", ["--config", "test/vitest.config.ts"]);
await machine;
await check("parity ledger", node, ["--conditions=ramekin-source", "scripts/parity.ts", "--check"]);

for (const line of words) process.stdout.write(`failed: ${line}\n`);
if (failures.length > 0) process.stdout.write(`failed: ${failures.join(", ")}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
if (total.failed > 0) process.exitCode = 1;
