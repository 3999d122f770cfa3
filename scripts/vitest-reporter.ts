import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** Why a test was skipped. */
  readonly note?: string;
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
        results.push({ file, name: test.fullName, state, ...(note !== undefined && { note }) });
      }
      // A file that does not even load has no tests to fail: it counts as one that did.
      if (module.errors().length > 0) results.push({ file, name: "the file itself", state: "failed" });
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(results, undefined, 1)}\n`);
    for (const { file, name, note } of results.filter(({ state }) => state === "skipped")) {
      process.stdout.write(`skipped: ${file}: ${name}: ${note ?? "no reason given"}\n`);
    }
  }
}
