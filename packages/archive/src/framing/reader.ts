import { type ByteStream, RamekinError } from "@ramekin/core";

/** Pulls from a byte stream, by pieces as they come or by exact counts, and takes back what was too much. */
export interface ByteReader {
  /** The next piece, never empty; undefined at the end. */
  piece(): Promise<Uint8Array | undefined>;
  /** Exactly `count` bytes, or fewer at the end. */
  exactly(count: number): Promise<Uint8Array>;
  unread(bytes: Uint8Array): void;
  /** Bytes consumed so far. */
  readonly position: number;
  /** What the source rejected with: not to be taken for corrupt data. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Tells the source that nobody reads on. */
  close(): Promise<void>;
}

export function byteReader(source: ByteStream, signal?: AbortSignal): ByteReader {
  const iterator = cancellable(source, signal)[Symbol.asyncIterator]();
  const back: Uint8Array[] = [];
  let position = 0;
  let failure: { readonly error: unknown } | undefined;

  async function piece(): Promise<Uint8Array | undefined> {
    const returned = back.pop();
    if (returned) {
      position += returned.byteLength;
      return returned;
    }
    for (;;) {
      const next = await iterator.next().catch((error: unknown) => {
        failure = { error };
        throw error;
      });
      if (next.done) return undefined;
      if (next.value.byteLength === 0) continue;
      position += next.value.byteLength;
      return next.value;
    }
  }

  function unread(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    back.push(bytes);
    position -= bytes.byteLength;
  }

  async function exactly(count: number): Promise<Uint8Array> {
    const first = (await piece()) ?? new Uint8Array(0);
    if (first.byteLength >= count) {
      unread(first.subarray(count));
      return first.subarray(0, count);
    }
    const whole = new Uint8Array(count);
    whole.set(first);
    let filled = first.byteLength;
    while (filled < count) {
      const more = await piece();
      if (!more) return whole.subarray(0, filled);
      const taken = more.subarray(0, count - filled);
      whole.set(taken, filled);
      filled += taken.byteLength;
      unread(more.subarray(taken.byteLength));
    }
    return whole;
  }

  return {
    piece,
    exactly,
    unread,
    get position() {
      return position;
    },
    get failure() {
      return failure;
    },
    close: async () => {
      await iterator.return?.();
    },
  };
}

/** Ends with CANCELLED as soon as the signal fires, though the source may be stuck in a read. */
export function cancellable(source: ByteStream, signal: AbortSignal | undefined): ByteStream {
  return signal ? watched(source, signal) : source;
}

async function* watched(source: ByteStream, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const cancelled = () => new RamekinError("CANCELLED", "reading was cancelled", { cause: signal.reason });
  if (signal.aborted) throw cancelled();
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  let stuck = false;
  // One promise per read, not one for all to race with: that would hold on to every read until the end.
  let reject: ((reason: unknown) => void) | undefined;
  const fire = () => {
    stuck = reject !== undefined;
    reject?.(cancelled());
  };
  signal.addEventListener("abort", fire, { once: true });
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, refuse) => {
        reject = refuse;
        iterator.next().then(resolve, refuse);
      });
      reject = undefined;
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
      if (signal.aborted) throw cancelled();
    }
  } finally {
    signal.removeEventListener("abort", fire);
    if (!ended) {
      const closed = Promise.resolve(iterator.return?.());
      // A generator that is stuck in a read returns only after it: do not wait for that, and nobody is left to hear its errors.
      if (stuck) closed.catch(() => {});
      else await closed;
    }
  }
}

/** Passes bytes on; RESOURCE_EXHAUSTED instead of the piece that goes beyond `limit`. */
export async function* limited(source: ByteStream, limit: number | undefined, what: string): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of source) {
    size += piece.byteLength;
    if (limit !== undefined && size > limit) throw new RamekinError("RESOURCE_EXHAUSTED", `${what} has more than ${limit} bytes`);
    yield piece;
  }
}

/** What may follow the last member or frame: zeros to the end, or nothing. DATA_LOSS for anything else. */
export async function expectPadding(reader: ByteReader, format: string): Promise<void> {
  for (;;) {
    const start = reader.position;
    const piece = await reader.piece();
    if (!piece) return;
    const garbage = piece.findIndex((byte) => byte !== 0);
    if (garbage >= 0) throw new RamekinError("DATA_LOSS", `${format}: neither data nor padding at byte ${start + garbage}`);
  }
}
