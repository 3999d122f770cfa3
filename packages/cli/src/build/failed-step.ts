import { posix } from "node:path";
import { isRamekinError, RamekinError } from "@ramekin/core";
import type { FailedStep } from "ramekin";
import { runAttached } from "../container/run-attached.ts";
import type { Context } from "../context.ts";
import type { BuildProgress } from "./progress/watch-build.ts";

/** `--on-error=shell`: a shell where the first RUN fails, on our own stdio; the build fails when it ends. */
export function shellOnError(context: Context, progress: BuildProgress): (failed: FailedStep) => Promise<void> {
  let opened = false;
  return async ({ name, error, run }) => {
    if (opened) return; // another one, at the same time
    opened = true;
    using _pause = progress.pause();
    const { message } = failureText(error);
    context.note(`${name}: ${message}`);
    if (!run) {
      context.note("there is no shell to open: no program has run in this step");
      return;
    }
    const tty = context.stdin.isTTY === true && context.stdout.isTTY === true;
    const shell = shellOf(run.args);
    context.note(`${shell} in the state of the failed step; the build ends with it`);
    try {
      await using container = await run.open([shell], { tty });
      const streams = { stdin: true, stdout: true, stderr: true };
      await runAttached(context, container, { ...streams, tty, proxySignals: true, detachKeys: new Uint8Array() });
    } catch (failure) {
      if (!isRamekinError(failure)) throw failure;
      context.note(`ramekin: warning: no shell: ${failure.message}`);
    }
  };
}

/** The one that ran the step, if one did. */
const shellOf = ([program = ""]: readonly string[]) => (posix.basename(program).endsWith("sh") ? program : "/bin/sh");

/** What a step's error says, without its place and with it. */
export function failureText({ cause, message }: RamekinError): { readonly message: string; readonly place?: string } {
  if (!isRamekinError(cause) || !("reason" in cause) || !("surroundings" in cause)) return { message };
  return { message: String(cause.reason), place: String(cause.surroundings) };
}

/** As BuildKit ends: the place with its lines, then what went wrong; and how to have a look. */
export function explained(error: unknown, context: Context, reproduce: string): unknown {
  if (!isRamekinError(error)) return error;
  const { message, place } = failureText(error);
  if (place === undefined) return error;
  context.note(place);
  const hint = error.hint ?? (/ did not complete successfully: /.test(message) ? `a shell where it failed: ${reproduce}` : undefined);
  return new RamekinError(error.code, `failed to solve: ${message}`, { cause: error, ...(hint !== undefined && { hint }) });
}
