import { isGzip, isZstd } from "@ramekin/archive/framing";
import { type ByteStream, type Codec, type EncodeOptions, RamekinError } from "@ramekin/core";
import { decodeStream, encodeStream, type NativeFormat } from "@ramekin/native";

/** By zlib-rs, each stream on a thread of its own. */
export const nativeGzip: Codec = codec("gzip", isGzip, [0, 9]);
/** By libzstd, each stream on a thread of its own. */
export const nativeZstd: Codec = codec("zstd", isZstd, [-7, 22]);

function codec(format: NativeFormat, detect: Codec["detect"], [lowest, highest]: readonly [number, number]): Codec {
  return {
    format,
    detect,
    decode: (source, options) => decodeStream(format, withoutEmpty(source), options),
    async *encode(source: ByteStream, options: EncodeOptions = {}) {
      const { level } = options;
      if (level !== undefined && (!Number.isInteger(level) || level < lowest || level > highest)) {
        throw new RamekinError("INVALID_ARGUMENT", `${format} has no level ${level}`, { hint: `${lowest} to ${highest}` });
      }
      yield* encodeStream(format, withoutEmpty(source), options);
    },
  };
}

/** To a reader in Rust, nothing read is the end. */
async function* withoutEmpty(source: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) if (chunk.byteLength > 0) yield chunk;
}
