import { setTimeout as sleep } from "node:timers/promises";
import type { Cancellable } from "@ramekin/core";
import type { Scope } from "./scope.ts";
import { currentState, isThere, readConfigIfThere } from "./store/containers.ts";

/** How long a container that is on its way out may hold others up: `--rm` answers first and tidies up after. */
export const departureMs = 10_000;

/** It removes itself, and is at it. */
export async function isLeaving(scope: Scope, id: string): Promise<boolean> {
  const config = await readConfigIfThere(scope.paths, id);
  // Its configuration goes with its directory: one without the other is half removed, or half made.
  if (!config) return !(await isThere(scope.paths.container(id).directory));
  return config.options.autoRemove === true && (await currentState(scope, config)).status === "removing";
}

/** Waits while it is on its way out; resolves with whether it has gone. */
export async function departs(scope: Scope, id: string, { signal }: Cancellable = {}): Promise<boolean> {
  for (const deadline = Date.now() + departureMs; ; await sleep(5, undefined, { ...(signal && { signal }) })) {
    if (!(await readConfigIfThere(scope.paths, id))) return true;
    if (Date.now() > deadline || !(await isLeaving(scope, id))) return false;
  }
}
