import { isRamekinError, type Signal } from "@ramekin/core";

/**
 * What is passed on to a container: all that a process can catch, save what the kernel sends about itself (faults, a
 * broken pipe, children, profiling) and what a shell's job control needs to work on us.
 */
export const proxiedSignals = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGABRT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGTERM",
  "SIGSTKFLT",
  "SIGCONT",
  "SIGTSTP",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGIO",
  "SIGPWR",
  "SIGSYS",
] as const satisfies readonly (Signal & NodeJS.Signals)[];

/** Passes signals on until disposed of. A container that has just ended is no error. */
export function proxySignals(
  signals: readonly (typeof proxiedSignals)[number][],
  kill: (signal: Signal) => Promise<void>,
  onError: (error: unknown) => void,
): Disposable {
  const listener = (signal: NodeJS.Signals) => {
    kill(signal as Signal).catch((error: unknown) => {
      if (!isRamekinError(error, "NOT_FOUND") && !isRamekinError(error, "FAILED_PRECONDITION")) onError(error);
    });
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
