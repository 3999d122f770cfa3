import { setTimeout as sleep } from "node:timers/promises";
import { RamekinError } from "@ramekin/core";

/** How often and how patiently. Delays in milliseconds; the n-th is about `delay` × 2ⁿ. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly delay: number;
  /** Longest wait; a server that asks for more (Retry-After) gets a failure now rather than a command that seems to hang. */
  readonly maxDelay: number;
}

export const defaultRetry: RetryPolicy = { attempts: 5, delay: 200, maxDelay: 30_000 };

/** A failure that may pass. It never leaves this package: whoever gives up throws `error`. */
export class Transient extends Error {
  readonly error: RamekinError;
  /** Milliseconds, when the server named them. */
  readonly after: number | undefined;

  constructor(error: RamekinError, after?: number) {
    super(error.message, { cause: error });
    this.error = error;
    this.after = after;
  }
}

export async function withRetries<T>(policy: RetryPolicy, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      failures++;
      await backOff(policy, failures, error, signal);
    }
  }
}

/** Waits before the next try, or throws `transient.error` when there is to be none. */
export async function backOff(policy: RetryPolicy, failures: number, transient: Transient, signal: AbortSignal | undefined): Promise<void> {
  // Half of the wait is random, so that clients which failed together do not come back together.
  const wait = transient.after ?? Math.min(policy.maxDelay, policy.delay * 2 ** (failures - 1) * (0.5 + Math.random() / 2));
  if (failures >= policy.attempts || wait > policy.maxDelay) throw transient.error;
  try {
    await sleep(wait, undefined, signal && { signal });
  } catch {
    throw new RamekinError("CANCELLED", "cancelled while waiting for the registry", { cause: signal?.reason });
  }
}

/** RFC 9110, 10.2.3: seconds or a date; undefined for neither. In milliseconds from now. */
export function retryAfter(header: string | null, now: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
