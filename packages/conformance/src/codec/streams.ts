import assert from "node:assert/strict";
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { ByteStream, Codec, DecodeOptions } from "@ramekin/core";
import { collect, pieces, pseudoRandom, sameBytes } from "../expect.ts";

/** One format as another implementation has it: what the cases are made of. */
export interface Format {
  readonly name: "gzip" | "zstd";
  /** One member or frame, with a checksum. */
  pack(bytes: Uint8Array): Uint8Array;
  unpack(bytes: Uint8Array): Uint8Array;
}

export const formats: Readonly<Record<Format["name"], Format>> = {
  gzip: { name: "gzip", pack: (bytes) => gzipSync(bytes), unpack: (bytes) => gunzipSync(bytes) },
  zstd: {
    name: "zstd",
    pack: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
    unpack: (bytes) => zstdDecompressSync(bytes),
  },
};

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

export const zeros = (length: number): Uint8Array => new Uint8Array(length);

/** Text-like, random and empty stretches in turn: all kinds of blocks. */
export function mixed(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  const noise = pseudoRandom(Math.min(length, 1 << 20), seed);
  for (let offset = 0, kind = 0; offset < length; offset += 50_000, kind++) {
    const end = Math.min(offset + 50_000, length);
    for (let index = offset; index < end; index++) {
      const random = noise[index % noise.byteLength] as number;
      bytes[index] = kind % 3 === 0 ? random : kind % 3 === 1 ? 97 + (random % 7) : 0;
    }
  }
  return bytes;
}

export const decode = (codec: Codec, bytes: Uint8Array, options?: DecodeOptions, chunk?: number): Promise<Buffer> =>
  collect(codec.decode(pieces(bytes, chunk), options));

export async function decodesTo(codec: Codec, packed: Uint8Array, expected: Uint8Array, chunk?: number): Promise<void> {
  sameBytes(await decode(codec, packed, {}, chunk), expected, `in chunks of ${chunk ?? "64 KiB"}`);
}

/** A source that tells whether it was closed, and how much was taken from it. */
export function watched(source: ByteStream): { readonly stream: ByteStream; readonly seen: { closed: boolean; bytes: number } } {
  const seen = { closed: false, bytes: 0 };
  const stream = (async function* () {
    try {
      for await (const chunk of source) {
        seen.bytes += chunk.byteLength;
        yield chunk;
      }
    } finally {
      seen.closed = true;
    }
  })();
  return { stream, seen };
}

/** Bytes, then nothing ever again. */
export async function* stuckAfter(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  await new Promise(() => {});
}

/** Rejects if it does not settle: a stuck decoder should fail its case and not the whole run. */
export async function soon<T>(promise: Promise<T>, milliseconds = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `not settled after ${milliseconds} ms` })), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
