import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** Why a test was skipped. */
  readonly note?: string;
  /** What a failed test said, the first line of each error. */
  readonly errors?: readonly string[];
}

/** Writes every result, with the reason of each skip, to the file in RAMEKIN_TEST_RESULTS: what `ready` adds up and `parity` reads. */
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const path = process.env["RAMEKIN_TEST_RESULTS"];
    if (!path) return;
    const results: TestResult[] = [];
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      for (const test of module.children.allTests()) {
        const result = test.result();
        const note = "note" in result ? result.note : undefined;
        const state = result.state === "pending" ? "failed" : result.state;
        const errors = (result.errors ?? []).map((error) => firstLine(error.message));
        results.push({ file, name: test.fullName, state, ...(note !== undefined && { note }), ...(errors.length > 0 && { errors }) });
      }
      // A file that does not even load has no tests to fail: it counts as one that did.
      const errors = module.errors().map((error) => firstLine(error.message));
      if (errors.length > 0) results.push({ file, name: "the file itself", state: "failed", errors });
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(results, undefined, 1)}\n`);
    for (const line of skips(results)) process.stdout.write(`${line}\n`);
    // Said once more at the end: of a long log people are shown the last lines.
    for (const { file, name, errors } of results.filter(({ state }) => state === "failed")) {
      process.stdout.write(`failed: ${file}: ${name}: ${errors?.join("; ") ?? "no error given"}\n`);
    }
  }
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

/** Each skipped test, or, where one file skips many for one reason, their number: a hundred equal lines hide the others. */
function skips(results: readonly TestResult[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { file, name, note } of results.filter(({ state }) => state === "skipped")) {
    const key = `${file}\0${note ?? "no reason given"}`;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups].flatMap(([key, names]) => {
    const [file, reason] = key.split("\0");
    if (names.length > 5) return [`skipped: ${file}: ${names.length} tests: ${reason}`];
    return names.map((name) => `skipped: ${file}: ${name}: ${reason}`);
  });
}
