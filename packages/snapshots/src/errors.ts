import { type ErrorCode, RamekinError } from "@ramekin/core";

const codes: Readonly<Record<string, ErrorCode>> = {
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  EROFS: "PERMISSION_DENIED",
  ENOSPC: "RESOURCE_EXHAUSTED",
  EDQUOT: "RESOURCE_EXHAUSTED",
  EMFILE: "RESOURCE_EXHAUSTED",
  ENFILE: "RESOURCE_EXHAUSTED",
  EMLINK: "RESOURCE_EXHAUSTED",
  EIO: "DATA_LOSS",
};

export function isErrno(error: unknown, ...wanted: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && wanted.includes((error as NodeJS.ErrnoException).code ?? "");
}

/** What `body` gives, or undefined when the file it asks for is not there. */
export function ifPresent<R>(body: () => R): R | undefined {
  try {
    return body();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** An error of the file system under the store, with a code of ours; others as they are. */
export function storeError(root: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const { code = "", syscall, path = root } = error as NodeJS.ErrnoException;
  return new RamekinError(codes[code] ?? "INTERNAL", `snapshot store: ${syscall} ${path}: ${code}`, { cause: error });
}
