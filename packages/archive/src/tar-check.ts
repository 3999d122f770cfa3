import { type ByteStream, RamekinError } from "@ramekin/core";
import { type ByteReader, byteReader } from "./framing/reader.ts";
import { paxRecords, readHeader } from "./tar-index.ts";

const block = 512;
const maxExtendedHeader = 1 << 20;

/**
 * Passes the bytes of a tar on, unchanged, and rejects with DATA_LOSS for what is none or ends too early: for bytes that are kept
 * before anybody unpacks them. An empty stream is no tar; what follows the two blocks of zeros is nobody's.
 */
export async function* checkedTar(source: ByteStream, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = byteReader(source, signal);
  try {
    let sizeBefore: string | undefined;
    for (let count = 0; ; count++) {
      const start = reader.position;
      const bytes = await reader.exactly(block);
      if (bytes.byteLength > 0) yield bytes;
      if (bytes.byteLength === 0 && count > 0) return; // some writers leave the end out
      if (bytes.byteLength < block)
        throw new RamekinError("DATA_LOSS", count === 0 ? "not a tar: it ends before it begins" : truncated(start));
      const header = readHeader(Buffer.from(bytes), start);
      if (!header) return yield* rest(reader);
      const size = numberOf(sizeBefore) ?? header.size;
      sizeBefore = undefined;
      if (header.typeflag === "S") yield* sparseMaps(reader, bytes);
      if (header.typeflag === "x") {
        if (size > maxExtendedHeader) throw new RamekinError("RESOURCE_EXHAUSTED", `the tar has an extended header of ${size} bytes`);
        const content = await reader.exactly(padded(size));
        if (content.byteLength > 0) yield content;
        if (content.byteLength < padded(size)) throw new RamekinError("DATA_LOSS", truncated(reader.position));
        sizeBefore = paxRecords(Buffer.from(content.subarray(0, size)))["size"];
      } else if (hasContent(header.typeflag)) {
        yield* exactly(reader, size);
        const padding = await reader.exactly(padded(size) - size);
        if (padding.byteLength > 0) yield padding;
        // umoci's insert ends with the last file's content; docker and podman import that, too
        if (padding.byteLength < padded(size) - size) return;
      }
    }
  } finally {
    await reader.close();
  }
}

/** Links, devices and directories may state a size; nothing follows them (POSIX.1-2017, pax, "ustar Interchange Format"). */
const hasContent = (typeflag: string) => !"123456".includes(typeflag);
const padded = (size: number) => Math.ceil(size / block) * block;
const truncated = (position: number) => `the tar is truncated at byte ${position}`;

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** Old GNU format: more of the map follows in blocks of its own, as long as each says so. */
async function* sparseMaps(reader: ByteReader, header: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let extended = header[482] === 1; extended; ) {
    const map = await reader.exactly(block);
    yield map;
    if (map.byteLength < block) throw new RamekinError("DATA_LOSS", truncated(reader.position));
    extended = map[504] === 1;
  }
}

async function* exactly(reader: ByteReader, count: number): AsyncGenerator<Uint8Array> {
  for (let left = count; left > 0; ) {
    const piece = await reader.piece();
    if (!piece) throw new RamekinError("DATA_LOSS", truncated(reader.position));
    const taken = piece.subarray(0, left);
    reader.unread(piece.subarray(taken.byteLength));
    left -= taken.byteLength;
    yield taken;
  }
}

async function* rest(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (let piece = await reader.piece(); piece; piece = await reader.piece()) yield piece;
}
