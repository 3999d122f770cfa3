import { readlinkSync } from "node:fs";
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
import { attachedStreams, checkInputDevice, chooseStreams } from "./streams.ts";
import type { readinessFlags } from "./supervision-flags.ts";

export interface RunFlags extends ContainerFlagValues, FlagValues<typeof readinessFlags> {
  readonly detach: boolean;
  readonly "detach-keys": string | undefined;
  readonly "preserve-fds": number;
  readonly rmi: boolean;
  readonly "sig-proxy": boolean;
}

/** `ramekin run`. */
export async function runContainer(given: RunFlags, words: readonly string[], context: Context): Promise<number> {
  const flags = given.rmi ? { ...given, rm: true } : given;
  if (flags.rmi && flags.detach) throw new UsageError("conflicting options: --rmi and --detach: nobody is there to remove the image");
  if (flags.rmi && flags.rootfs) throw new UsageError("conflicting options: --rmi and --rootfs: there is no image to remove");
  const streams = chooseStreams(flags.attach, flags.interactive, flags.detach);
  checkInputDevice(context, streams.stdin, flags.tty);
  const wanted = readReadiness(flags);
  if (wanted !== undefined && !flags.detach) throw new UsageError("--wait goes with --detach: what is attached is waited for anyway");
  const descriptors = chooseDescriptors(flags["preserve-fds"]);
  const detachKeys = parseDetachKeys(flags["detach-keys"] ?? defaultDetachKeys);
  const usage = { attach: attachedStreams(streams), stdin: stdinFor(flags.interactive, streams.stdin) };
  const container = await createContainer(context, flags, words, usage);
  const id = container.id;
  try {
    if (flags.detach) {
      await container.start(descriptors);
      context.print(id);
      return wanted === undefined ? exitStatus.ok : await awaitReadiness(context, container, wanted);
    }
    const status = await runAttached(context, container, {
      ...streams,
      ...descriptors,
      tty: flags.tty,
      proxySignals: flags["sig-proxy"],
      detachKeys,
    });
    // whoever only writes to it wants to know what
    if (!streams.stdout && !streams.stderr) context.print(id);
    if (flags.rmi) await removeImage(context, container, words[0] ?? "");
    return status;
  } catch (error) {
    if (flags.rm && !(await hasRun(container))) await container.remove({ force: true });
    throw error;
  }
}

/** From 3 on, as the shell has opened them; one that it has not is told of before anything is made. */
function chooseDescriptors(count: number): { readonly descriptors?: readonly number[] } {
  if (count === 0) return {};
  if (count < 0 || count > 1024) throw new UsageError(`--preserve-fds ${count}: 0 to 1024`);
  const descriptors = Array.from({ length: count }, (_, index) => 3 + index);
  const closed = descriptors.find((number) => !isInherited(number));
  if (closed === undefined) return { descriptors };
  throw new UsageError(`--preserve-fds ${count}: file descriptor ${closed} is not open`);
}

/** The first number that the shell has left free is the event loop's own, and with it all that comes after. */
function isInherited(number: number): boolean {
  try {
    return !/^anon_inode:\[(eventpoll|eventfd)\]$/.test(readlinkSync(`/proc/self/fd/${number}`));
  } catch {
    return false;
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
