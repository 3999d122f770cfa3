import type { Container } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { converse, detachedNote } from "../terminal/converse.ts";
import { proxiedSignals, proxySignals } from "../terminal/signals.ts";
import { windowSize } from "../terminal/window.ts";
import type { ChosenStreams } from "./streams.ts";

export interface Foreground extends ChosenStreams {
  readonly tty: boolean;
  readonly proxySignals: boolean;
  readonly detachKeys: Uint8Array;
  /** Of ours, for the program. */
  readonly descriptors?: readonly number[];
}

/** A container, as far as this asks for one. */
export type Attachable = Pick<Container, "name" | "start" | "attach" | "wait" | "kill">;

/**
 * Starts a container with our stdio attached before its first instruction, and stays until it ends: the exit status is
 * its own. When the detach keys are typed the container goes on and the status is 0.
 */
export async function runAttached(context: Context, container: Attachable, foreground: Foreground): Promise<number> {
  const size = foreground.tty ? windowSize(context.stdout) : undefined;
  context.interruption.release();
  using _signals = foreground.proxySignals ? proxyTo(context, container, foreground.tty) : undefined;
  const { descriptors } = foreground;
  await container.start({ attach: true, ...(size !== undefined && { windowSize: size }), ...(descriptors && { descriptors }) });
  return await stay(context, container, foreground);
}

/** Attaches to a container that runs, or was started attached, and stays until it ends. */
export async function stay(context: Context, container: Attachable, foreground: Foreground): Promise<number> {
  // asked for at once: a container that is removed when it ends answers only those who waited
  const exit = container.wait();
  exit.catch(() => {});
  const attachment = await container.attach();
  if ((await converse(context, { ...foreground, attachment })) === "detached") {
    context.note(detachedNote);
    return exitStatus.ok;
  }
  const { code, error } = await exit;
  if (error !== undefined) context.note(`ramekin: ${container.name}: ${error}`);
  return code;
}

/** With a terminal, its going away (SIGHUP) ends us and not the container: somebody may attach again. */
export function proxyTo(context: Context, target: Pick<Container, "kill">, tty: boolean): Disposable {
  return proxySignals(
    tty ? proxiedSignals.filter((signal) => signal !== "SIGHUP") : proxiedSignals,
    (signal) => target.kill(signal),
    (error) => context.note(`ramekin: warning: cannot pass a signal on: ${error instanceof Error ? error.message : error}`),
  );
}
