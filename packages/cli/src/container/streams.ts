import { StatusError, UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";

export interface ChosenStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** `-a`, `-i` and `-d` together: which of our streams a new container gets. */
export function chooseStreams(attach: readonly string[], interactive: boolean, detach: boolean): ChosenStreams {
  if (detach) {
    if (attach.length > 0) throw new UsageError("conflicting options: cannot specify both --attach and --detach");
    return { stdin: false, stdout: false, stderr: false };
  }
  if (attach.length === 0) return { stdin: interactive, stdout: true, stderr: true };
  const names = attach.map((name) => name.toLowerCase());
  const wrong = names.find((name) => !["stdin", "stdout", "stderr"].includes(name));
  if (wrong !== undefined)
    throw new UsageError(`invalid argument "${wrong}" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR`);
  return { stdin: names.includes("stdin"), stdout: names.includes("stdout"), stderr: names.includes("stderr") };
}

/** In the engine's words. */
export const attachedStreams = (streams: ChosenStreams) => (["stdin", "stdout", "stderr"] as const).filter((name) => streams[name]);

/** Keys cannot be passed to a terminal in the container from something that is none. */
export function checkInputDevice(context: Context, stdin: boolean, tty: boolean): void {
  if (stdin && tty && !context.stdin.isTTY) {
    throw new StatusError("the input device is not a TTY", 1, "leave out -t, or run the command in a terminal");
  }
}
