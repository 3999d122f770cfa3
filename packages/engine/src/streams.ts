import { type ByteStream, RamekinError } from "@ramekin/core";

/** A stream that has ended. */
export async function* nothing(): ByteStream & AsyncGenerator<Uint8Array> {}

/** Of output that nobody reads while it comes: enough for a report, not for a flood. */
const keep = 8 << 20;

export interface Tap {
  /** For one reader. */
  readonly stream: ByteStream;
  /** Begins to take the bytes in, unless somebody reads: a process that waits for its reader would never end. */
  drain(): void;
}

/** The stream is opened by whoever comes first, reader or drain. What a drain has kept, a later reader finds. */
export function tap(what: string, open: () => Promise<ByteStream | undefined>): Tap {
  const kept: Uint8Array[] = [];
  let size = 0;
  let drained: Promise<unknown> | undefined;
  let reading = false;

  const pump = async () => {
    for await (const chunk of (await open()) ?? nothing()) {
      size += chunk.byteLength;
      if (size <= keep) kept.push(chunk);
    }
  };
  return {
    stream: (async function* () {
      reading = true;
      if (!drained) return yield* (await open()) ?? nothing();
      const failure = await drained;
      yield* kept.splice(0);
      if (failure) throw failure;
      if (size > keep)
        throw new RamekinError("RESOURCE_EXHAUSTED", `${what} went on for ${size - keep} more bytes that nobody read`, {
          hint: "read it while the container runs; its log has all",
        });
    })(),
    drain() {
      if (reading) return;
      drained ??= pump().then(
        () => undefined,
        (error: unknown) => error,
      );
    },
  };
}
