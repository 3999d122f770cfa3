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
  return new WritableStream<Uint8Array>({
    async write(chunk) {
      // A failure of the sink is told here, not waited for until the end.
      await Promise.race([writer.write(chunk), written]);
    },
    async close() {
      await Promise.race([writer.close(), written]);
      await written;
    },
    async abort(reason) {
      await writer.abort(reason);
      await written.catch(() => undefined);
    },
  });
}
