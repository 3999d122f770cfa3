import { type ByteStream, type DecodeOptions, RamekinError } from "@ramekin/core";
import { type ByteReader, byteReader, expectPadding, limited } from "./reader.ts";

/** A CRC-32 on the way. */
export interface Crc32 {
  update(chunk: Uint8Array): void;
  value(): number;
}

/** What an implementation of gzip brings; members, checksums and limits are the same for all. */
export interface InflateEngine {
  crc32(): Crc32;
  /**
   * Yields the content of one deflate stream (RFC 1951) and gives back (`unread`) what follows it. Rejects with any error for
   * corrupt or truncated input.
   */
  inflate(reader: ByteReader): ByteStream;
}

/** RFC 1952, 2.3.1: FHCRC, FEXTRA, FNAME, FCOMMENT; the rest is reserved and must be zero. */
const flag = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

const maxHeaderText = 64 << 10;

export function isGzip(firstBytes: Uint8Array): boolean {
  return firstBytes[0] === 0x1f && firstBytes[1] === 0x8b && firstBytes[2] === 8;
}

/** The contents of all members. As `Codec.decode` says: padding is fine; garbage, truncation and wrong checksums are DATA_LOSS. */
export function gunzip(source: ByteStream, engine: InflateEngine, { maxOutput, signal }: DecodeOptions = {}): ByteStream {
  return limited(members(byteReader(source, signal), engine), maxOutput, "gzip stream");
}

async function* members(reader: ByteReader, engine: InflateEngine): AsyncGenerator<Uint8Array> {
  try {
    for (let count = 0; ; count++) {
      const magic = await reader.exactly(2);
      const isMember = magic[0] === 0x1f && magic[1] === 0x8b;
      if (!isMember && count === 0) {
        throw corrupt(reader, magic.byteLength < 2 ? "the stream ends before it begins" : "not a gzip stream");
      }
      reader.unread(magic);
      if (!isMember) return await expectPadding(reader, "gzip");
      yield* member(reader, engine);
    }
  } finally {
    await reader.close();
  }
}

async function* member(reader: ByteReader, engine: InflateEngine): AsyncGenerator<Uint8Array> {
  await skipHeader(reader, engine.crc32());
  const crc = engine.crc32();
  let size = 0;
  try {
    for await (const piece of engine.inflate(reader)) {
      crc.update(piece);
      size += piece.byteLength;
      yield piece;
    }
  } catch (error) {
    if (reader.failure) throw reader.failure.error;
    if (error instanceof RamekinError) throw error;
    throw corrupt(reader, error instanceof Error ? error.message : String(error), error);
  }
  const trailer = await need(reader, 8);
  if (trailer.getUint32(0, true) !== crc.value()) throw corrupt(reader, "the checksum is wrong");
  if (trailer.getUint32(4, true) !== size % 2 ** 32) throw corrupt(reader, "the length is wrong");
}

async function skipHeader(reader: ByteReader, crc: Crc32): Promise<void> {
  const take = async (count: number) => {
    const view = await need(reader, count);
    crc.update(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    return view;
  };
  const text = async () => {
    for (let length = 0; length < maxHeaderText; length++) if ((await take(1)).getUint8(0) === 0) return;
    throw corrupt(reader, "a name or comment without end");
  };
  const fixed = await take(10);
  const flags = fixed.getUint8(3);
  if (fixed.getUint8(2) !== 8 || flags & flag.reserved) throw corrupt(reader, "an unknown method or flag");
  if (flags & flag.extra) await take((await take(2)).getUint16(0, true));
  if (flags & flag.name) await text();
  if (flags & flag.comment) await text();
  if (flags & flag.headerCrc) {
    const expected = crc.value() & 0xffff;
    if ((await need(reader, 2)).getUint16(0, true) !== expected) throw corrupt(reader, "the checksum of the header is wrong");
  }
}

async function need(reader: ByteReader, count: number): Promise<DataView> {
  const bytes = await reader.exactly(count);
  if (bytes.byteLength < count) throw corrupt(reader, "the stream is truncated");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function corrupt(reader: ByteReader, why: string, cause?: unknown): RamekinError {
  return new RamekinError("DATA_LOSS", `gzip: ${why}, at byte ${reader.position}`, cause === undefined ? {} : { cause });
}
