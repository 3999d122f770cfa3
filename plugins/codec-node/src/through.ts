import { pipeline, Readable, type Transform } from "node:stream";
import { type ByteStream, RamekinError } from "@ramekin/core";

/** What comes out of `engine` when `source` goes in. Errors of the source stay what they are, the engine's go through `explain`. */
export async function* through(source: ByteStream, engine: Transform, explain: (error: Error) => unknown): AsyncGenerator<Uint8Array> {
  let failure: unknown;
  const watched = (async function* () {
    try {
      yield* source;
    } catch (error) {
      failure = error;
      throw error;
    }
  })();
  // The callback only keeps pipeline from throwing: the same error reaches us below, by iteration.
  pipeline(Readable.from(watched, { objectMode: false, highWaterMark: 256 << 10 }), engine, () => {});
  try {
    yield* engine as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (failure !== undefined) throw failure;
    throw error instanceof Error && !(error instanceof RamekinError) ? explain(error) : error;
  } finally {
    engine.destroy();
  }
}
