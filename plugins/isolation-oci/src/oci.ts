import type { IsolationBackend } from "@ramekin/core";
import { type ShimOptions, shimIsolation } from "@ramekin/shim";

export interface OciOptions extends Omit<ShimOptions, "launcher"> {
  /** Path of a program with the command line of runc: create, start, exec, kill, pause, resume, delete. */
  readonly runtime: string;
}

/** Containers made by an OCI runtime that is installed already, under our own supervisor. */
export function ociIsolation({ runtime, ...options }: OciOptions): IsolationBackend {
  return shimIsolation({ ...options, launcher: { argv: [runtime] } });
}
