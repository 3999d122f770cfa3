import { type ByteStream, RamekinError } from "@ramekin/core";
import { type ByteReader, byteReader, expectPadding } from "./reader.ts";

const frameMagic = 0xfd2fb528;
const joinedSize = 64 << 10;
/** RFC 8878, 3.1.2: sixteen magics. */
const isSkippable = (magic: number) => (magic & 0xfffffff0) >>> 0 === 0x184d2a50;

export function isZstd(firstBytes: Uint8Array): boolean {
  if (firstBytes.byteLength < 4) return false;
  const magic = new DataView(firstBytes.buffer, firstBytes.byteOffset, 4).getUint32(0, true);
  return magic === frameMagic || isSkippable(magic);
}

/**
 * Checks the outline of a zstd stream (RFC 8878, 3.1) and passes the data frames on, whole, in pieces that never cross from one
 * frame into the next; skippable frames and zero padding are left out. Decoders that stop at the end of a frame, or that know no
 * padding, agree on what is left. DATA_LOSS for garbage and truncation; the contents are the decoder's to check.
 */
export async function* zstdFrames(source: ByteStream, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = byteReader(source, signal);
  try {
    for (let count = 0; ; count++) {
      const bytes = await reader.exactly(4);
      const magic = bytes.byteLength === 4 ? view(bytes).getUint32(0, true) : 0;
      if (magic === frameMagic) {
        yield* joined(frame(reader, bytes));
      } else if (isSkippable(magic)) {
        await skip(reader, view(await need(reader, 4)).getUint32(0, true));
      } else {
        if (count === 0) throw corrupt(reader, bytes.byteLength < 4 ? "the stream ends before it begins" : "not a zstd stream");
        reader.unread(bytes);
        return await expectPadding(reader, "zstd");
      }
    }
  } finally {
    await reader.close();
  }
}

async function* frame(reader: ByteReader, magic: Uint8Array): AsyncGenerator<Uint8Array> {
  yield magic;
  const first = await need(reader, 1);
  yield first;
  const descriptor = first[0] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const rest = (singleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
  if (rest > 0) yield await need(reader, rest);

  for (let last = false; !last; ) {
    const head = await need(reader, 3);
    yield head;
    const header = (head[0] ?? 0) | ((head[1] ?? 0) << 8) | ((head[2] ?? 0) << 16);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type === 3) throw corrupt(reader, "a block of a reserved type");
    // An RLE block holds one byte, however long its content is.
    yield* pass(reader, type === 1 ? 1 : header >> 3);
  }
  if (hasChecksum) yield await need(reader, 4);
}

/** Fewer, larger pieces: each is a round trip to the decoder's thread, and block headers have three bytes. */
async function* joined(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  const flush = () => {
    const whole = new Uint8Array(size);
    let offset = 0;
    for (const piece of waiting) {
      whole.set(piece, offset);
      offset += piece.byteLength;
    }
    waiting = [];
    size = 0;
    return whole;
  };
  for await (const piece of pieces) {
    waiting.push(piece);
    size += piece.byteLength;
    if (size >= joinedSize) yield flush();
  }
  if (size > 0) yield flush();
}

async function* pass(reader: ByteReader, count: number): AsyncGenerator<Uint8Array> {
  for (let left = count; left > 0; ) {
    const piece = await reader.piece();
    if (!piece) throw corrupt(reader, "the stream is truncated");
    const taken = piece.subarray(0, left);
    reader.unread(piece.subarray(taken.byteLength));
    left -= taken.byteLength;
    yield taken;
  }
}

async function skip(reader: ByteReader, count: number): Promise<void> {
  for await (const _ of pass(reader, count));
}

async function need(reader: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await reader.exactly(count);
  if (bytes.byteLength < count) throw corrupt(reader, "the stream is truncated");
  return bytes;
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function corrupt(reader: ByteReader, why: string): RamekinError {
  return new RamekinError("DATA_LOSS", `zstd: ${why}, at byte ${reader.position}`);
}
