import { type Dockerfile, type Range, ruleURL, surroundings, type Warning } from "@ramekin/dockerfile";
import type { BuildWarning, Lines } from "./build-options.ts";

/** A finding of the build checks, for those who know nothing of the file. */
export function buildWarning({ source }: Dockerfile, { rule, message, description, range }: Warning): BuildWarning {
  return {
    rule,
    message,
    description,
    url: ruleURL(rule),
    file: source.file,
    lines: linesOf(range),
    excerpt: surroundings(source, range),
  };
}

export const linesOf = ({ start, end }: Range): Lines => [start.line, Math.max(start.line, end.line)];
