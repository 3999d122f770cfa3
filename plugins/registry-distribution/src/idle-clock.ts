import { type ByteStream, RamekinError } from "@ramekin/core";

/** The life of one connection: it ends with the caller's signal, or after too long a silence. */
export interface IdleClock {
  readonly signal: AbortSignal;
  /** Stops the clock: the next move is ours. */
  quiet(): void;
  /** The clock runs while the other side has to do something, and stands still while our side does. */
  watch(bytes: AsyncIterable<Uint8Array>, direction: "upload" | "download"): ByteStream;
  close(): void;
  /** Why it ended, when it was the silence. */
  cause(): RamekinError | undefined;
}

/** `idle`: longest silence in milliseconds, until the headers, then between two chunks. It runs from the start. */
export function idleClock(signal: AbortSignal | undefined, idle: number, url: URL): IdleClock {
  const end = new AbortController();
  const cancel = () => end.abort();
  let timer: NodeJS.Timeout | undefined;
  let timedOut = false;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timedOut = true;
      end.abort();
    }, idle);
  };
  const quiet = () => clearTimeout(timer);

  if (signal?.aborted) end.abort();
  signal?.addEventListener("abort", cancel, { once: true });
  listen();

  return {
    signal: end.signal,
    quiet,
    async *watch(bytes, direction) {
      const [theirs, ours] = direction === "upload" ? [quiet, listen] : [listen, quiet];
      theirs();
      for await (const chunk of bytes) {
        ours();
        yield chunk;
        theirs();
      }
      ours();
    },
    close() {
      quiet();
      signal?.removeEventListener("abort", cancel);
    },
    cause: () => (timedOut ? new RamekinError("TIMEOUT", `${url.host} has been silent for ${idle / 1000} s`) : undefined),
  };
}
