import type { IsolationBackend } from "@ramekin/core";
import { type ShimOptions, shimIsolation } from "@ramekin/shim";

export interface LinuxOptions extends Omit<ShimOptions, "launcher"> {
  /** The program `ramekin-launcher`. */
  readonly launcher: string;
}

/** Containers made by libcontainer: our own launcher under our own supervisor, and nothing to install. */
export function linuxIsolation({ launcher, ...options }: LinuxOptions): IsolationBackend {
  return shimIsolation({ ...options, launcher: { argv: [launcher] } });
}
