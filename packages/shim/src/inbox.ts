import { type ByteStream, RamekinError } from "@ramekin/core";

/** One output stream of a process, between the socket that fills it and the reader that empties it. */
export interface Inbox {
  readonly stream: ByteStream;
  /** Bytes that wait for the reader. */
  readonly queued: number;
  /** `untouched` until somebody iterates, `left` when the reader broke off: what comes then is dropped. */
  readonly reader: "untouched" | "reading" | "left";
  /** The reader wants bytes and there are none. */
  readonly hungry: boolean;
  push(bytes: Uint8Array): void;
  end(): void;
  /** The reader gets what is queued, then the error. */
  fail(error: RamekinError): void;
  /** Forgets what is queued and whatever comes; the reader gets an error that says so. */
  overflow(): void;
}

/** `drained` is called whenever the reader has taken or asks for something. */
export function inbox(name: string, drained: () => void): Inbox {
  let chunks: Uint8Array[] = [];
  let head = 0;
  let queued = 0;
  let reader: Inbox["reader"] = "untouched";
  let ended = false;
  let error: RamekinError | undefined;
  let waiters: (() => void)[] = [];

  const wake = () => {
    const woken = waiters;
    waiters = [];
    for (const resume of woken) resume();
  };
  const take = (): Uint8Array | undefined => {
    const chunk = chunks[head];
    if (chunk === undefined) return undefined;
    head++;
    queued -= chunk.length;
    // Shifting an array of thousands is quadratic; the cursor gives memory back once the queue is empty, or half of it used.
    if (head === chunks.length || head > 512) {
      chunks = chunks.slice(head);
      head = 0;
    }
    return chunk;
  };
  const finish = (reason?: RamekinError) => {
    if (ended) return;
    ended = true;
    error = reason;
    wake();
  };

  const iterator: AsyncIterator<Uint8Array, undefined> & AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      for (;;) {
        const value = take();
        if (value) {
          drained();
          return { done: false, value };
        }
        if (error) throw error;
        if (ended) return { done: true, value: undefined };
        const more = new Promise<void>((resolve) => waiters.push(resolve));
        drained();
        await more;
      }
    },
    async return() {
      reader = "left";
      chunks = [];
      head = queued = 0;
      drained();
      return { done: true, value: undefined };
    },
  };

  return {
    stream: {
      [Symbol.asyncIterator]() {
        reader = "reading";
        return iterator;
      },
    },
    get queued() {
      return queued;
    },
    get reader() {
      return reader;
    },
    get hungry() {
      return waiters.length > 0 && queued === 0;
    },
    push(bytes) {
      if (ended || reader === "left") return;
      chunks.push(bytes);
      queued += bytes.length;
      wake();
    },
    end: () => finish(),
    fail: finish,
    overflow() {
      const dropped = queued;
      chunks = [];
      head = queued = 0;
      const hint = "read stdout and stderr at the same time, or read the log";
      finish(new RamekinError("RESOURCE_EXHAUSTED", `nobody read ${name}: ${dropped} bytes and what followed were dropped`, { hint }));
    },
  };
}
