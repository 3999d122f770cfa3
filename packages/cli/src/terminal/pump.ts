import type { ByteStream } from "@ramekin/core";
import type { InputStream, OutputStream } from "../context.ts";
import type { Scanned } from "../values/detach-keys.ts";

/**
 * Writes all of `source`, no faster than `target` takes it. Without a target, or once it has failed, the bytes are dropped:
 * a process must not stand still because nobody reads.
 */
export async function pumpOut(source: ByteStream, target: OutputStream | undefined): Promise<void> {
  let writable = target !== undefined;
  const failed = () => {
    writable = false;
  };
  target?.on("error", failed);
  try {
    for await (const chunk of source) {
      if (writable && target?.write(chunk) === false) await drained(target);
    }
  } finally {
    target?.off("error", failed);
  }
}

function drained(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "error"]) stream.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) stream.on(event, done);
  });
}

export interface InputPump extends Disposable {
  /** How reading ended; a process that no longer listens ends it without error. Never settles after disposal. */
  readonly done: Promise<"end" | "detached">;
}

/** Passes stdin on until its end, the detach keys, or disposal, which leaves the stream paused and without listeners. */
export function pumpIn(
  source: InputStream,
  target: WritableStream<Uint8Array>,
  scan: ((chunk: Uint8Array) => Scanned) | undefined,
): InputPump {
  const writer = target.getWriter();
  const listeners = new AbortController();
  const done = new Promise<"end" | "detached">((resolve) => {
    const on = (event: string, listener: (chunk: Buffer) => void) => {
      source.on(event, listener);
      listeners.signal.addEventListener("abort", () => source.off(event, listener));
    };
    const end = () => {
      listeners.abort();
      // already closed when the process went first
      writer.close().catch(() => {});
      resolve("end");
    };
    on("data", (chunk) => {
      const { forward, detached } = scan?.(chunk) ?? { forward: chunk, detached: false };
      if (detached) {
        listeners.abort();
        resolve("detached");
      }
      if (forward.length === 0) return;
      source.pause();
      writer.write(forward).then(
        () => void (listeners.signal.aborted || source.resume()),
        // the process has closed its stdin; more of ours is of no use to it
        () => listeners.abort(),
      );
    });
    on("end", end);
    on("error", end);
    source.resume();
  });
  return {
    done,
    [Symbol.dispose]() {
      listeners.abort();
      source.pause();
      writer.releaseLock();
    },
  };
}
