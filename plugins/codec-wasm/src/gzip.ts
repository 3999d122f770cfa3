import { type ByteReader, cancellable, gunzip, type InflateEngine, isGzip } from "@ramekin/archive/framing";
import { type ByteStream, type Codec, type EncodeOptions, RamekinError, type Support } from "@ramekin/core";
import { Gzip, Inflate } from "fflate";
import { crc32 } from "./crc32.ts";

/**
 * Deflate makes at most 1032 bytes of one: no more than 16 MiB come out of one push, however hostile the input. Smaller slices cost:
 * each push copies the window of 32 KiB twice.
 */
const inputSlice = 16 << 10;

/** gzip in plain JavaScript, by fflate: slow, and runs anywhere. */
export const wasmGzip: Codec = {
  format: "gzip",
  detect: isGzip,
  decode: (source, options) => gunzip(source, { crc32, inflate }, options),
  encode,
};

/**
 * What fflate keeps to itself (its own names, version 0.8.3): unconsumed input, the bit position in it, whether the last block is read
 * (`f`) and whether one is open (`l`). Its public interface does not tell where a deflate stream ends, and gzip needs that.
 */
interface Internals {
  readonly p: Uint8Array;
  readonly s: { readonly p: number; readonly f?: number; readonly l?: object };
}

/** Whether the fflate at hand is as we know it: it must find the end of the smallest stream and give back what follows. */
export function probeInflate(): Support {
  const inflater = new Inflate(() => {});
  inflater.push(Uint8Array.of(0x03, 0x00, 0xaa, 0xbb));
  const left = leftOver(inflater);
  return left?.[0] === 0xaa && left[1] === 0xbb && left.byteLength === 2
    ? { ok: true, rank: 60 }
    : { ok: false, reason: "this version of fflate is not the one that the codec knows", hint: "install fflate 0.8.3" };
}

/** What was pushed beyond the end; undefined before the end. */
function leftOver(inflater: Inflate): Uint8Array | undefined {
  const { p: input, s: state } = inflater as unknown as Internals;
  return state.f && !state.l ? input.subarray((state.p + 7) >> 3) : undefined;
}

const inflate: InflateEngine["inflate"] = async function* (reader: ByteReader) {
  let output: Uint8Array[] = [];
  const inflater = new Inflate((chunk) => {
    if (chunk.byteLength > 0) output.push(chunk);
  });
  for (;;) {
    const piece = await reader.piece();
    if (!piece) throw new Error("the stream is truncated");
    for (let offset = 0; offset < piece.byteLength; offset += inputSlice) {
      // fflate may keep what it is given, and the source may use its chunk again.
      inflater.push(piece.slice(offset, offset + inputSlice));
      const left = leftOver(inflater);
      if (left) {
        reader.unread(piece.subarray(offset + inputSlice));
        reader.unread(left);
      }
      const ready = output;
      output = [];
      yield* ready;
      if (left) return;
    }
  }
};

/** fflate makes one block of each push: bytes that are the same come in pieces that are the same. */
const pinnedSlice = 64 << 10;

/**
 * The pinned encoder: plain JavaScript of one version has no processor, compiler or system library that its bytes could depend on.
 * (zlib-rs hashes with what the processor offers, Node's zlib changes with Node.)
 */
async function* encode(source: ByteStream, { level = 6, reproducible, signal }: EncodeOptions = {}): AsyncGenerator<Uint8Array> {
  if (!Number.isInteger(level) || level < 0 || level > 9)
    throw new RamekinError("INVALID_ARGUMENT", `gzip has no level ${level}`, { hint: "1 to 9" });
  let output: Uint8Array[] = [];
  const gzip = new Gzip({ level: level as 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9, mtime: 0 }, (chunk) => {
    if (chunk.byteLength > 0) output.push(chunk);
  });
  const take = () => {
    const ready = output;
    output = [];
    return ready;
  };
  for await (const chunk of reproducible ? slices(cancellable(source, signal)) : cancellable(source, signal)) {
    gzip.push(chunk.slice());
    yield* take();
  }
  gzip.push(new Uint8Array(0), true);
  yield* take();
}

async function* slices(source: ByteStream): AsyncGenerator<Uint8Array> {
  const slice = new Uint8Array(pinnedSlice);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + pinnedSlice - filled);
      slice.set(part, filled);
      filled += part.byteLength;
      at += part.byteLength;
      if (filled < pinnedSlice) continue;
      yield slice;
      filled = 0;
    }
  }
  if (filled > 0) yield slice.subarray(0, filled);
}
