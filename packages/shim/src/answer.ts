import {
  type ErrorCode,
  type ExitStatus,
  type Health,
  type HealthResult,
  type HealthStatus,
  RamekinError,
  type Signal,
} from "@ramekin/core";
import type { Message } from "./frame.ts";

const codes: ReadonlySet<string> = new Set<ErrorCode>([
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "FAILED_PRECONDITION",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "UNSUPPORTED",
  "UNAVAILABLE",
  "RESOURCE_EXHAUSTED",
  "DATA_LOSS",
  "ABORTED",
  "CANCELLED",
  "TIMEOUT",
  "COMMAND_NOT_FOUND",
  "COMMAND_NOT_EXECUTABLE",
  "INTERNAL",
]);

/** `{"ok":…}` or `{"error":{code,message,hint?}}`: the former's value, the latter thrown. A code that we do not know is INTERNAL. */
export function answerOf(message: Message): Message {
  if (message["error"] !== undefined) throw errorOf(message["error"]);
  const { ok } = message;
  return typeof ok === "object" && ok !== null ? (ok as Message) : {};
}

function errorOf(value: unknown): RamekinError {
  const { code, message, hint } = (typeof value === "object" && value !== null ? value : {}) as Message;
  const known = typeof code === "string" && codes.has(code) ? (code as ErrorCode) : "INTERNAL";
  return new RamekinError(known, typeof message === "string" ? message : JSON.stringify(value), typeof hint === "string" ? { hint } : {});
}

/** As the supervisor writes it, in the state file and in answers. */
export function exitOf(value: unknown): ExitStatus | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { code, signal, oomKilled, error, exitedAt } = value as Message;
  if (typeof code !== "number") return undefined;
  return {
    code,
    ...(typeof signal === "string" && { signal: signal as Signal }),
    ...(oomKilled === true && { oomKilled }),
    ...(typeof error === "string" && { error }),
    exitedAt: new Date(exitedAt as string | number),
  };
}

/** As it stands in the state file. */
export function healthOf(value: unknown): Health | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { status, failingStreak, log } = value as Message;
  const known = healthStatusOf(status);
  if (known === undefined) return undefined;
  return {
    status: known,
    failingStreak: typeof failingStreak === "number" ? failingStreak : 0,
    log: Array.isArray(log) ? log.map(healthResultOf) : [],
  };
}

export const healthStatusOf = (value: unknown): HealthStatus | undefined =>
  value === "starting" || value === "healthy" || value === "unhealthy" ? value : undefined;

export function healthResultOf(value: unknown): HealthResult {
  const { start, end, exitCode, output } = (typeof value === "object" && value !== null ? value : {}) as Message;
  return {
    start: new Date(start as string),
    end: new Date(end as string),
    exitCode: typeof exitCode === "number" ? exitCode : -1,
    output: typeof output === "string" ? output : "",
  };
}
