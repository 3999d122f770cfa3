// `pnpm parity` writes docs/parity.md from the last test results; `--check` (CI) changes nothing and fails where a claim is unproven.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { declared } from "./parity/declared.ts";
import { type Feature, judge, type Proof } from "./parity/judge.ts";
import { page } from "./parity/page.ts";
import type { TestResult } from "./vitest-reporter.ts";

const repository = join(import.meta.dirname, "..");
const read = <T>(path: string): T => JSON.parse(readFileSync(join(repository, path), "utf8")) as T;

const resultFiles = existsSync(join(repository, "test-results")) ? readdirSync(join(repository, "test-results")).sort() : [];
const results = resultFiles.flatMap((name) => read<TestResult[]>(`test-results/${name}`));
if (results.length === 0) {
  console.error("parity: no test results in test-results/: run pnpm ready first");
  process.exit(1);
}

const proof: Proof = {
  features: read<Feature[]>("parity/features.json"),
  flags: read("parity/flags.json"),
  claims: read("parity/claims.json"),
  declared: await declared(),
  results,
};
const verdict = judge(proof);
const text = page(verdict);
const path = join(repository, "docs", "parity.md");

if (process.argv.includes("--check")) {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text)
    verdict.problems.push("docs/parity.md is out of date: run pnpm parity and commit it");
} else {
  writeFileSync(path, text);
}
for (const problem of verdict.problems) console.error(`parity: ${problem}`);
console.log(`parity: ${verdict.summary}`);
if (verdict.problems.length > 0) process.exitCode = 1;
