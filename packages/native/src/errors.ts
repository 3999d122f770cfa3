import { type ErrorCode, RamekinError } from "@ramekin/core";

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "NOT_FOUND",
  ENOTDIR: "NOT_FOUND",
  EEXIST: "ALREADY_EXISTS",
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  EROFS: "FAILED_PRECONDITION",
  ELOOP: "FAILED_PRECONDITION",
  ENOSPC: "RESOURCE_EXHAUSTED",
  EDQUOT: "RESOURCE_EXHAUSTED",
  EMFILE: "RESOURCE_EXHAUSTED",
  ENFILE: "RESOURCE_EXHAUSTED",
};

/** An error of `node:fs` or `node:child_process`, with what was being done. */
export function systemError(error: unknown, what: string): RamekinError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new RamekinError(codes[code] ?? "INTERNAL", `${what}: ${code ? `${code.toLowerCase()}: ` : ""}${message}`, { cause: error });
}

export function cancelled(what: string, signal: AbortSignal): RamekinError {
  return new RamekinError("CANCELLED", `${what} was cancelled`, { cause: signal.reason });
}
