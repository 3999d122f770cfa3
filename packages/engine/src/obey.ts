import { type Cancellable, isRamekinError, RamekinError } from "@ramekin/core";

/** CANCELLED once the signal has fired: before work begins, and between its steps where it can be given up. */
export function unlessCancelled({ signal }: Cancellable, what: string): void {
  if (signal?.aborted) throw cancelled(what, signal.reason);
}

/** `promise`, or CANCELLED when the signal fires first. */
export async function cancellable<T>(promise: Promise<T>, { signal }: Cancellable, what: string): Promise<T> {
  if (!signal) return promise;
  const over = Promise.withResolvers<never>();
  const abort = () => over.reject(cancelled(what, signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/**
 * These verbs, of which none begins once the signal in its options has fired, and all reject with CANCELLED for what an abort
 * makes fail. `looks` change nothing: they are given up at once. The others are given up where their own steps allow it.
 */
export function obeying<V extends object>(verbs: V, looks: readonly (keyof V & string)[] = []): V {
  const given = new Set<string>(looks);
  const obedient = Object.entries(verbs).map(([name, verb]) => [
    name,
    typeof verb === "function" ? obey(name, verb, given.has(name)) : verb,
  ]);
  return Object.assign(verbs, Object.fromEntries(obedient));
}

type Verb = (...given: readonly unknown[]) => unknown;

function obey(name: string, verb: Verb, looks: boolean): Verb {
  return (...given) => {
    const signal = given.map(signalOf).findLast((found) => found !== undefined);
    if (!signal) return verb(...given);
    if (signal.aborted) return refusal(cancelled(name, signal.reason));
    const result = verb(...given);
    // Streams, and work that is read as it gets on, say themselves why they end.
    if (!(result instanceof Promise) || Symbol.asyncIterator in result) return result;
    if (looks) return cancellable(result, { signal }, name);
    return result.catch((error: unknown) => {
      throw signal.aborted && !isRamekinError(error) ? cancelled(name, error) : error;
    });
  };
}

function signalOf(given: unknown): AbortSignal | undefined {
  const signal = typeof given === "object" && given !== null && "signal" in given ? given.signal : undefined;
  return signal instanceof AbortSignal ? signal : undefined;
}

/** To be awaited or read, as what would have been. */
function refusal(error: RamekinError): Promise<never> & AsyncIterable<never> {
  const refused = Promise.reject(error);
  refused.catch(() => {}); // whoever reads it does not await it
  return Object.assign(refused, { [Symbol.asyncIterator]: () => ({ next: () => refused }) });
}

const cancelled = (what: string, cause: unknown) => new RamekinError("CANCELLED", `${what} was cancelled`, { cause });
