import { isRamekinError } from "@ramekin/core";
import type { Container } from "@ramekin/engine";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { defaultDetachKeys, parseDetachKeys } from "../values/detach-keys.ts";
import type { FlagValues } from "../verb.ts";
import { createContainer } from "./create-container.ts";
import type { ContainerFlagValues } from "./options.ts";
import { awaitReadiness, readReadiness } from "./readiness.ts";
import { runAttached } from "./run-attached.ts";
import { checkInputDevice, chooseStreams } from "./streams.ts";
import type { readinessFlags } from "./supervision-flags.ts";

export interface RunFlags extends ContainerFlagValues, FlagValues<typeof readinessFlags> {
  readonly detach: boolean;
  readonly "detach-keys": string | undefined;
  readonly rmi: boolean;
  readonly "sig-proxy": boolean;
}

/** `ramekin run`. */
export async function runContainer(given: RunFlags, words: readonly string[], context: Context): Promise<number> {
  const flags = given.rmi ? { ...given, rm: true } : given;
  if (flags.rmi && flags.detach) throw new UsageError("conflicting options: --rmi and --detach: nobody is there to remove the image");
  const streams = chooseStreams(flags.attach, flags.interactive, flags.detach);
  checkInputDevice(context, streams.stdin, flags.tty);
  const wanted = readReadiness(flags);
  if (wanted !== undefined && !flags.detach) throw new UsageError("--wait goes with --detach: what is attached is waited for anyway");
  const detachKeys = parseDetachKeys(flags["detach-keys"] ?? defaultDetachKeys);
  const container = await createContainer(context, flags, words, { stdin: stdinFor(flags.interactive, streams.stdin) });
  const id = container.id;
  try {
    if (flags.detach) {
      await container.start();
      context.print(id);
      return wanted === undefined ? exitStatus.ok : await awaitReadiness(context, container, wanted);
    }
    const status = await runAttached(context, container, { ...streams, tty: flags.tty, proxySignals: flags["sig-proxy"], detachKeys });
    // whoever only writes to it wants to know what
    if (!streams.stdout && !streams.stderr) context.print(id);
    if (flags.rmi) await removeImage(context, container, words[0] ?? "");
    return status;
  } catch (error) {
    if (flags.rm && !(await hasRun(container))) await container.remove({ force: true });
    throw error;
  }
}

/** The command has ended: that its image stays, in use by others, is no failure of its. */
async function removeImage(context: Context, container: Container, image: string): Promise<void> {
  try {
    await container.remove({ force: true });
  } catch (error) {
    if (!isRamekinError(error, "NOT_FOUND")) throw error;
  }
  try {
    await (await context.engine()).removeImage(image);
  } catch (error) {
    if (!isRamekinError(error)) throw error;
    context.note(`ramekin: warning: image ${image} stays: ${error.message}`);
  }
}

/** `-i` keeps stdin open; it ends with us when we hold it, and waits for others when we do not. */
export function stdinFor(interactive: boolean, attached: boolean): "closed" | "once" | "open" {
  if (attached) return "once";
  return interactive ? "open" : "closed";
}

/** One that is gone has run: it removes itself. */
async function hasRun(container: { inspect(): Promise<{ readonly startedAt?: Date }> }): Promise<boolean> {
  try {
    return (await container.inspect()).startedAt !== undefined;
  } catch (error) {
    if (isRamekinError(error, "NOT_FOUND")) return true;
    throw error;
  }
}
