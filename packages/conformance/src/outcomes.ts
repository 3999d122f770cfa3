import { runSuite, type Suite, type SuiteOptions, type TestApi } from "./suite.ts";

/** `passed`, `failed` or `skipped: REASON`, by the case's name: a test runner in twelve lines, for tests of drivers gone wrong. */
export async function outcomes<T extends object>(
  suite: Suite<T>,
  options: SuiteOptions<T>,
  only?: string,
): Promise<Record<string, string>> {
  const tests: { name: string; body: Parameters<TestApi>[1] }[] = [];
  runSuite((name, body) => tests.push({ name: name.replace(`${suite.kind}: `, ""), body }), suite, options);
  const results: Record<string, string> = {};
  for (const { name, body } of tests) {
    if (only !== undefined && name !== only) continue;
    results[name] = "passed";
    await body({ skip: (reason) => (results[name] = `skipped: ${reason}`) }).catch(() => (results[name] = "failed"));
  }
  return results;
}
