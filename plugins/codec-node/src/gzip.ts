import { constants, crc32, createGzip, createInflateRaw } from "node:zlib";
import { type ByteReader, cancellable, gunzip, type InflateEngine, isGzip } from "@ramekin/archive/framing";
import { type Codec, RamekinError } from "@ramekin/core";
import { through } from "./through.ts";

/** Output is taken in pieces of this size; smaller ones cost a turn of the event loop each. */
const chunkSize = 256 << 10;

/** gzip by Node's zlib. It inflates each member by itself: `createGunzip` ignores what follows the last one. */
export const nodeGzip: Codec = {
  format: "gzip",
  detect: isGzip,
  decode: (source, options) => gunzip(source, engine, options),
  async *encode(source, { level = constants.Z_DEFAULT_COMPRESSION, reproducible, signal } = {}) {
    if (reproducible) {
      throw new RamekinError("UNSUPPORTED", "node's gzip changes its bytes with the version of zlib in it", {
        hint: "use a codec that pins its encoder",
      });
    }
    if (!Number.isInteger(level) || level < -1 || level > 9)
      throw new RamekinError("INVALID_ARGUMENT", `gzip has no level ${level}`, { hint: "1 to 9" });
    yield* through(cancellable(source, signal), createGzip({ level, chunkSize }), (error) => error);
  },
};

const engine: InflateEngine = {
  crc32() {
    let sum = 0;
    return {
      update: (chunk) => {
        sum = crc32(chunk, sum);
      },
      value: () => sum,
    };
  },
  inflate,
};

async function* inflate(reader: ByteReader): AsyncGenerator<Uint8Array> {
  const inflater = createInflateRaw({ chunkSize });
  // When the consumer leaves, a write is never answered.
  let wake = () => {};
  inflater.once("close", () => wake());
  let written = 0;
  const feed = async () => {
    for (;;) {
      const piece = await reader.piece();
      if (inflater.destroyed) return;
      if (!piece) {
        inflater.end();
        return;
      }
      written += piece.byteLength;
      await new Promise<void>((resolve) => {
        wake = resolve;
        inflater.write(piece, () => resolve());
      });
      // It takes no more than its stream: the rest is the trailer and what follows.
      const left = written - inflater.bytesWritten;
      if (left > 0) {
        reader.unread(piece.subarray(piece.byteLength - left));
        return;
      }
    }
  };
  const feeding = feed().catch((error: unknown) => {
    inflater.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    yield* inflater as AsyncIterable<Uint8Array>;
    await feeding;
  } finally {
    inflater.destroy();
  }
}
