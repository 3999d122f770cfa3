import type { BuildEvent } from "ramekin";

type WarningEvent = Extract<BuildEvent, { type: "warning" }>;

/** What buildx says at the end of a build, or of one that was only checked. */
export function warningLines(
  warnings: readonly WarningEvent[],
  { whole, colour }: { readonly whole: boolean; readonly colour: boolean },
): readonly string[] {
  if (warnings.length === 0) return [];
  const count = warnings.length === 1 ? "1 warning found" : `${warnings.length} warnings found`;
  const heading = `${count}${whole ? "" : " (use --log-level debug to expand)"}:`;
  const lines = warnings.flatMap(({ message, warning }) => [
    ` - ${message}`,
    ...(whole ? [warning.description, `More info: ${warning.url}`, warning.excerpt, ""] : []),
  ]);
  return ["", ` ${colour ? `\x1b[33m${heading}\x1b[0m` : heading}`, ...lines];
}
