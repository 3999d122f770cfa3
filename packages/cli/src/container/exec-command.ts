import { isRamekinError } from "@ramekin/core";
import { StatusError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { converse, detachedNote } from "../terminal/converse.ts";
import { windowSize } from "../terminal/window.ts";
import { defaultDetachKeys, parseDetachKeys } from "../values/detach-keys.ts";
import { environmentFrom } from "./options.ts";
import { proxyTo } from "./run-attached.ts";
import { checkInputDevice } from "./streams.ts";

export interface ExecFlags {
  readonly detach: boolean;
  readonly "detach-keys": string | undefined;
  readonly env: readonly string[];
  readonly "env-file": readonly string[];
  readonly interactive: boolean;
  readonly privileged: boolean;
  readonly tty: boolean;
  readonly user: string | undefined;
  readonly workdir: string | undefined;
}

/** `ramekin exec`. */
export async function execCommand(flags: ExecFlags, name: string, command: readonly string[], context: Context): Promise<number> {
  const stdin = flags.interactive && !flags.detach;
  checkInputDevice(context, stdin, flags.tty);
  const detachKeys = parseDetachKeys(flags["detach-keys"] ?? defaultDetachKeys);
  const env = await environmentFrom(flags, context.environment);
  const size = flags.tty ? windowSize(context.stdout) : undefined;
  const engine = await context.engine();
  const container = await engine.container(name);
  const starting = container.exec(command, {
    env,
    tty: flags.tty,
    stdin: stdin ? "once" : "closed",
    privileged: flags.privileged,
    detach: flags.detach,
    signal: context.interruption.signal,
    ...(flags.user !== undefined && { user: flags.user }),
    ...(flags.workdir !== undefined && { workdir: flags.workdir }),
    ...(size !== undefined && { windowSize: size }),
  });
  const process = await starting.catch((error: unknown) => {
    throw flags.detach ? unseen(error) : error;
  });
  const { attachment } = process;
  if (attachment === undefined) return exitStatus.ok;

  context.interruption.release();
  // unlike Docker, which leaves the command running behind when its client is interrupted
  using _signals = proxyTo(context, process, flags.tty);
  const exit = process.wait();
  exit.catch(() => {});
  if ((await converse(context, { attachment, stdin, stdout: true, stderr: true, tty: flags.tty, detachKeys })) === "detached") {
    context.note(detachedNote);
    return exitStatus.ok;
  }
  const { code, error } = await exit;
  if (error !== undefined) context.note(`ramekin: ${container.name}: ${error}`);
  return code;
}

/** As Docker: without a command that is waited for there is no status of its. */
function unseen(error: unknown): unknown {
  if (!isRamekinError(error, "COMMAND_NOT_FOUND") && !isRamekinError(error, "COMMAND_NOT_EXECUTABLE")) return error;
  return new StatusError(error.message, exitStatus.failure, error.hint);
}
