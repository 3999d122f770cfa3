import type { ByteStream } from "@ramekin/core";
import { fileSink, streamSink } from "./tar-writer.ts";

/**
 * For archives that are compressed as a whole: what is written arrives encoded at the location. At a path, nothing shows before
 * the stream is closed, and nothing at all when it is aborted.
 */
export async function encodedStream(
  location: string | WritableStream<Uint8Array>,
  encode: (source: ByteStream) => ByteStream,
): Promise<WritableStream<Uint8Array>> {
  const sink = typeof location === "string" ? await fileSink(location) : streamSink(location);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const written = (async () => {
    try {
      for await (const chunk of encode(readable)) await sink.write(chunk);
      await sink.finish();
    } catch (error) {
      await sink.drop();
      throw error;
    }
  })();
  written.catch(() => undefined); // whoever closes the stream hears of it
  const writer = writable.getWriter();
  /** Who fails first is told, once nothing is left of the file. */
  const told = async (step: Promise<void>) => {
    try {
      await Promise.race([step, written]);
    } catch (error) {
      await written;
      throw error;
    }
  };
  return new WritableStream<Uint8Array>({
    write: (chunk) => told(writer.write(chunk)),
    async close() {
      await told(writer.close());
      await written;
    },
    async abort(reason) {
      await writer.abort(reason);
      await written.catch(() => undefined);
    },
  });
}
