import { statusOfSignal } from "./exit-status.ts";

/** How a person or a service manager asks us to stop. */
const interrupts = ["SIGINT", "SIGTERM", "SIGHUP"] as const satisfies readonly NodeJS.Signals[];

export interface Interruption {
  /** Fires at the first of them; what runs then undoes itself and rejects with CANCELLED. */
  readonly signal: AbortSignal;
  readonly received: NodeJS.Signals | undefined;
  /** From here on signals are not ours to take: they go to the container, or do what they do by default. */
  release(): void;
}

/** A second signal ends the process at once: whoever asks twice does not want to wait for the undoing. */
export function listenForInterruption(source: NodeJS.Process = process): Interruption {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const listener = (signal: NodeJS.Signals) => {
    if (received !== undefined) source.exit(statusOfSignal(signal));
    received = signal;
    controller.abort(new Error(`interrupted by ${signal}`));
  };
  for (const signal of interrupts) source.on(signal, listener);
  return {
    signal: controller.signal,
    get received() {
      return received;
    },
    release() {
      for (const signal of interrupts) source.off(signal, listener);
    },
  };
}
