import * as zlib from "node:zlib";
import { cancellable, isZstd, limited, zstdFrames } from "@ramekin/archive/framing";
import { type Codec, RamekinError } from "@ramekin/core";
import { through } from "./through.ts";

const chunkSize = 256 << 10;

/** zstd came to node:zlib in 22.15 and 23.8. */
export function hasZstd(): boolean {
  return typeof zlib.createZstdDecompress === "function";
}

/**
 * zstd by Node's zlib. Its decoder stops at the end of a frame when more follows in the same write, and refuses padding: so it is
 * fed by frames.
 */
export const nodeZstd: Codec = {
  format: "zstd",
  detect: isZstd,
  decode: (source, { maxOutput, signal } = {}) => limited(frames(source, signal), maxOutput, "zstd stream"),
  async *encode(source, { level = 3, reproducible, signal } = {}) {
    if (reproducible) {
      throw new RamekinError("UNSUPPORTED", "node's zstd changes its bytes with the version of libzstd in it", {
        hint: "use a codec that pins its encoder",
      });
    }
    if (!Number.isInteger(level) || level < -7 || level > 22)
      throw new RamekinError("INVALID_ARGUMENT", `zstd has no level ${level}`, { hint: "1 to 22" });
    const params = { [zlib.constants.ZSTD_c_compressionLevel]: level, [zlib.constants.ZSTD_c_checksumFlag]: 1 };
    yield* through(cancellable(source, signal), zlib.createZstdCompress({ chunkSize, params }), (error) => error);
  },
};

async function* frames(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const pieces = zstdFrames(source, signal);
  const first = await pieces.next();
  // Skippable frames alone: a stream of nothing, which the decoder would call truncated.
  if (first.done) return;
  const rejoined = (async function* () {
    yield first.value;
    yield* pieces;
  })();
  yield* through(
    rejoined,
    zlib.createZstdDecompress({ chunkSize }),
    (error) => new RamekinError("DATA_LOSS", `zstd: ${error.message}`, { cause: error }),
  );
}
