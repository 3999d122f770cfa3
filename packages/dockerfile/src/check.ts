import { isRamekinError, type RamekinError } from "@ramekin/core";
import type { Warning } from "./checks.ts";
import { evaluateStages } from "./evaluate.ts";
import type { IgnoreMatcher } from "./ignore.ts";
import type { Dockerfile } from "./parse.ts";
import { type ResolveOptions, resolveStages } from "./stage-graph.ts";

/** `--check`. */
export interface CheckResult {
  readonly warnings: readonly Warning[];
  /** What stopped the check, and would stop the build. */
  readonly error?: RamekinError;
  /** There are warnings, and the file says `# check=error=true`. */
  readonly failed: boolean;
}

/**
 * The build checks, over every stage unless a target is named. Without the configurations of base images (`bases`), what they would
 * define is not told to be undefined.
 */
export function checkDockerfile(file: Dockerfile, options: ResolveOptions & { readonly ignore?: IgnoreMatcher }): CheckResult {
  const { ignore } = options;
  let warnings: readonly Warning[] = [];
  try {
    const graph = resolveStages(file, { ...options, all: options.target === undefined });
    warnings = graph.checks.warnings;
    const evaluation = evaluateStages(graph, { ...(ignore && { ignore }) });
    return { warnings: evaluation.warnings, failed: evaluation.violation !== undefined };
  } catch (error) {
    if (!isRamekinError(error)) throw error;
    return { warnings, error, failed: true };
  }
}
