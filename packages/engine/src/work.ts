/**
 * Something that is under way: await it for its result, read it for how it gets on. Whoever reads sees what is reported from
 * then on, and in the end the failure, if it is one; who reads slowly misses steps in between, never the last one of a kind.
 * To stop reading is not to stop the work: that is what a signal is for.
 */
export interface Work<R, P> extends Promise<R>, AsyncIterable<P> {}

interface Reporting<P> {
  readonly onProgress?: ((progress: P) => void) | undefined;
}

/** `kindOf` says which reports make each other out of date. */
export function work<R, P, O extends Reporting<P>>(
  options: O | undefined,
  kindOf: (progress: NoInfer<P>) => string,
  begin: (options: Omit<O, "onProgress"> & { readonly onProgress: (progress: NoInfer<P>) => void }) => Promise<R>,
): Work<R, P> {
  const readers = new Set<Reader<P>>();
  const onProgress = (progress: P) => {
    options?.onProgress?.(progress);
    for (const reader of readers) reader.push(kindOf(progress), progress);
  };
  const result = begin({ ...(options as O), onProgress });
  return Object.assign(result, {
    [Symbol.asyncIterator]() {
      const reader = new Reader<P>();
      readers.add(reader);
      // A failure is told to whoever reads, and is nobody else's duty then.
      result.then(
        () => reader.end(),
        () => reader.end(),
      );
      return read(reader, result, () => readers.delete(reader));
    },
  });
}

async function* read<P>(reader: Reader<P>, result: Promise<unknown>, leave: () => void): AsyncGenerator<P, void, undefined> {
  try {
    yield* reader.reports();
    await result;
  } finally {
    leave();
  }
}

/** What one reader has yet to see: of each kind the last, so that nothing grows with the bytes that move. */
class Reader<P> {
  readonly #pending = new Map<string, P>();
  #ended = false;
  #wake: () => void = () => undefined;

  push(kind: string, progress: P): void {
    this.#pending.set(kind, progress);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *reports(): AsyncGenerator<P, void, undefined> {
    for (;;) {
      for (const [kind, progress] of this.#pending) {
        this.#pending.delete(kind);
        yield progress;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
