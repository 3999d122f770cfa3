import { constants } from "node:os";
import { isRamekinError } from "@ramekin/core";
import { isStatusError } from "./argv/status-error.ts";
import type { Verb } from "./verb.ts";

/** Every exit status that is ours; all others are the container's own. Scripts depend on them: they are Docker's. */
export const exitStatus = {
  ok: 0,
  /** The engine failed, in most verbs. */
  failure: 1,
  /** What was waited for has not come in time, as of timeout(1). */
  timeout: 124,
  /** `run` and `create`: the engine failed, the container never ran; all verbs: a flag that is wrong. */
  engine: 125,
  /** The command in the container is there and cannot be run. */
  notExecutable: 126,
  /** The command is not in the container. */
  notFound: 127,
  /** Plus the number of the signal that ended the container, or us. */
  signal: 128,
} as const;

export function statusOfSignal(signal: NodeJS.Signals): number {
  return exitStatus.signal + constants.signals[signal];
}

/** The one place that turns an error into a status. */
export function statusOfError(error: unknown, verb?: Pick<Verb, "failure">): number {
  if (isStatusError(error)) return error.status;
  // only verbs that start a command know a status of their own for one that cannot start
  if (verb?.failure !== undefined && isRamekinError(error, "COMMAND_NOT_FOUND")) return exitStatus.notFound;
  if (verb?.failure !== undefined && isRamekinError(error, "COMMAND_NOT_EXECUTABLE")) return exitStatus.notExecutable;
  return verb?.failure ?? exitStatus.failure;
}
