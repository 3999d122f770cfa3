import { type Cancellable, RamekinError } from "@ramekin/core";
import type { EngineEvent } from "./api.ts";

/** What happens, to everybody who listens at that moment. */
export interface EventHub {
  emit(event: EngineEvent): void;
  /** From the call on, not from the first `next`; ends with the hub, rejects with CANCELLED when the signal fires. */
  listen(options?: Cancellable): AsyncIterable<EngineEvent>;
  close(): void;
}

interface Listener {
  readonly queue: EngineEvent[];
  wake(): void;
}

export function eventHub(): EventHub {
  const listeners = new Set<Listener>();
  let closed = false;
  return {
    emit(event) {
      for (const listener of listeners) {
        listener.queue.push(event);
        listener.wake();
      }
    },
    listen({ signal } = {}) {
      let waiting = Promise.withResolvers<void>();
      const listener: Listener = { queue: [], wake: () => waiting.resolve() };
      listeners.add(listener);
      signal?.addEventListener("abort", listener.wake, { once: true });
      return (async function* () {
        try {
          for (;;) {
            yield* listener.queue.splice(0);
            if (signal?.aborted) throw new RamekinError("CANCELLED", "listening to events was cancelled", { cause: signal.reason });
            if (closed) return;
            if (listener.queue.length > 0) continue;
            await waiting.promise;
            waiting = Promise.withResolvers<void>();
          }
        } finally {
          listeners.delete(listener);
        }
      })();
    },
    close() {
      closed = true;
      for (const listener of listeners) listener.wake();
    },
  };
}
