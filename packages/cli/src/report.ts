import { isRamekinError, type RamekinError } from "@ramekin/core";
import { isStatusError, isUsageError, type UsageError } from "./argv/status-error.ts";
import type { LogLevel } from "./globals.ts";
import { synopsis } from "./verb.ts";

/** What stderr says about an error: the message, what else was found, what to do about it. */
export function reportLines(error: unknown, logLevel: LogLevel): string[] {
  if (isUsageError(error)) return usageLines(error);
  const lines = [`ramekin: ${error instanceof Error ? error.message : String(error)}`];
  if (isStatusError(error) && error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  if (isRamekinError(error)) {
    lines.push(...error.errors.map(({ message, hint }) => `  - ${message}${hint === undefined ? "" : ` (${hint})`}`));
    if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
    if (error.code === "INTERNAL") lines.push("hint: this is a defect of ramekin; --log-level debug shows where");
  }
  if (logLevel === "debug" || !isExpected(error)) lines.push(...traceLines(error));
  return lines;
}

function usageLines({ message, verb, hint }: UsageError): string[] {
  const name = verb === undefined ? "ramekin" : `ramekin ${verb.name}`;
  const usage = verb === undefined ? "[OPTIONS] COMMAND [ARG...]" : synopsis(verb);
  return [
    `ramekin: ${message}`,
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
    "",
    `Usage:  ${name} ${usage}`.trimEnd(),
    "",
    `See '${name} --help'.`,
  ];
}

/** Errors that we made, and those of the operating system, explain themselves; a stack is for what nobody foresaw. */
function isExpected(error: unknown): boolean {
  if (isRamekinError(error) || isStatusError(error)) return true;
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
}

function traceLines(error: unknown): string[] {
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = isRamekinError(cause) ? ` [${(cause as RamekinError).code}]` : "";
    lines.push(`${cause === error ? "" : "caused by: "}${cause.stack ?? cause.message}${code}`);
  }
  return lines;
}
