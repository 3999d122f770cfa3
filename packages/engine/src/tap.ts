import type { ByteStream } from "@ramekin/core";

/**
 * Sees a blob's bytes on their way into the store, in order and each once, so that whoever works on them need not read them again.
 * What is behind a tap never stops a download; it only slows it down, so that memory stays flat.
 */
export interface BlobTap {
  /** Resolves when there is room for more. */
  write(chunk: Uint8Array): Promise<void>;
  /** All of them have come by, and are the right ones. */
  end(): void;
  /** The blob does not come, or not with these bytes. */
  fail(reason: unknown): void;
}

/** Bytes between the two sides: a few round trips' worth for a network, little for the memory. */
const room = 4 << 20;

/** A tap and what comes out of it, for one reader. */
export function openTap(): { readonly tap: BlobTap; readonly stream: ByteStream } {
  const chunks: Uint8Array[] = [];
  let held = 0;
  let state: "open" | "ended" | "failed" | "closed" = "open";
  let reason: unknown;
  let wakeReader = () => {};
  let wakeWriter = () => {};

  const settle = (how: typeof state) => {
    if (state === "open") state = how;
    wakeReader();
    wakeWriter();
  };
  const tap: BlobTap = {
    async write(chunk) {
      if (state !== "open") return;
      chunks.push(chunk);
      held += chunk.byteLength;
      wakeReader();
      while (held > room && state === "open") {
        await new Promise<void>((resolve) => {
          wakeWriter = resolve;
        });
      }
    },
    end: () => settle("ended"),
    fail(why) {
      reason = why;
      settle("failed");
    },
  };
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (state === "failed") throw reason;
        const chunk = chunks.shift();
        if (chunk) {
          held -= chunk.byteLength;
          wakeWriter();
          yield chunk;
        } else if (state === "ended") return;
        else {
          await new Promise<void>((resolve) => {
            wakeReader = resolve;
          });
        }
      }
    } finally {
      // Nobody reads any more: what still comes is dropped.
      state = "closed";
      chunks.length = 0;
      held = 0;
      wakeWriter();
    }
  }
  return { tap, stream: read() };
}
