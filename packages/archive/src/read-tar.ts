import { type ByteStream, RamekinError } from "@ramekin/core";
import { type ByteReader, byteReader } from "./framing/reader.ts";
import type { TarHeader } from "./tar-header.ts";
import { readHeader } from "./tar-index.ts";

/** One entry as it comes by. Its content can be read until the next entry is asked for. */
export interface PassingEntry extends TarHeader {
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly linkname: string;
  /** Of its content in the tar. */
  readonly offset: number;
  readonly content: ByteStream;
}

const block = 512;
const maxExtendedHeader = 1 << 20;
const padding = (size: number) => (block - (size % block)) % block;

/**
 * The entries of a tar, one after the other: ustar, PAX, GNU's long names (POSIX.1-2017, pax). Names are as they are written, not
 * cleaned. DATA_LOSS for what is no tar or ends too early, UNSUPPORTED for sparse files.
 */
export async function* readTar(source: ByteStream, signal?: AbortSignal): AsyncGenerator<PassingEntry> {
  const reader = byteReader(source, signal);
  try {
    let pax: Record<string, string | Uint8Array> = {};
    for (let count = 0; ; count++) {
      const bytes = await reader.exactly(block);
      if (bytes.byteLength === 0 && count > 0) return; // some writers leave the end out
      if (bytes.byteLength < block)
        throw new RamekinError("DATA_LOSS", count === 0 ? "not a tar: it ends before it begins" : truncated(reader));
      const raw = Buffer.from(bytes.buffer, bytes.byteOffset, block);
      const header = readHeader(raw, reader.position - block);
      if (!header) return;
      const { typeflag } = header;
      if (typeflag === "x" || typeflag === "L" || typeflag === "K") {
        pax = { ...pax, ...(await extension(reader, typeflag, header.size)) };
        continue;
      }
      if (typeflag === "g") {
        await skip(reader, header.size + padding(header.size));
        continue;
      }
      if (typeflag === "S" || Object.keys(pax).some((key) => key.startsWith("GNU.sparse.")))
        throw new RamekinError("UNSUPPORTED", `${header.name} is a sparse file in GNU's format`, { hint: "tar without --sparse" });
      const entry = entryOf(raw, header.name, typeflag, header.linkname, pax, header.size);
      pax = {};
      const offset = reader.position;
      let left = entry.size;
      yield { ...entry, offset, content: content(reader, left, (count) => (left -= count)) };
      await skip(reader, left + padding(entry.size));
    }
  } finally {
    await reader.close();
  }
}

const truncated = (reader: ByteReader) => `the tar is truncated at byte ${reader.position}`;

async function* content(reader: ByteReader, size: number, took: (count: number) => void): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; ) {
    const piece = await reader.piece();
    if (!piece) throw new RamekinError("DATA_LOSS", truncated(reader));
    const taken = piece.subarray(0, left);
    reader.unread(piece.subarray(taken.byteLength));
    left -= taken.byteLength;
    took(taken.byteLength);
    yield taken;
  }
}

async function skip(reader: ByteReader, count: number): Promise<void> {
  for (let left = count; left > 0; ) {
    const piece = await reader.piece();
    if (!piece) throw new RamekinError("DATA_LOSS", truncated(reader));
    if (piece.byteLength > left) reader.unread(piece.subarray(left));
    left -= Math.min(left, piece.byteLength);
  }
}

async function extension(reader: ByteReader, typeflag: string, size: number): Promise<Record<string, string | Uint8Array>> {
  if (size > maxExtendedHeader) throw new RamekinError("RESOURCE_EXHAUSTED", `the tar has an extended header of ${size} bytes`);
  const bytes = Buffer.from(await reader.exactly(size + padding(size)));
  if (bytes.byteLength < size + padding(size)) throw new RamekinError("DATA_LOSS", truncated(reader));
  const body = bytes.subarray(0, size);
  if (typeflag === "L") return { path: untilNul(body) };
  if (typeflag === "K") return { linkpath: untilNul(body) };
  return records(body);
}

/** Values are bytes, of which only some are text. */
function records(bytes: Buffer): Record<string, Uint8Array> {
  const found: Record<string, Uint8Array> = {};
  for (let position = 0; position < bytes.byteLength; ) {
    const space = bytes.indexOf(0x20, position);
    const length = space < 0 ? Number.NaN : Number(bytes.toString("latin1", position, space));
    const equals = bytes.indexOf(0x3d, space);
    const end = position + length;
    if (!Number.isSafeInteger(length) || length < 5 || end > bytes.byteLength || equals < 0 || equals >= end || bytes[end - 1] !== 0x0a)
      throw new RamekinError("DATA_LOSS", "the tar has a malformed extended header");
    found[bytes.toString("utf8", space + 1, equals)] = bytes.subarray(equals + 1, end - 1);
    position = end;
  }
  return found;
}

const types: Readonly<Record<string, TarHeader["type"]>> = { "\0": "0", "7": "0" };

function entryOf(
  raw: Buffer,
  rawName: string,
  typeflag: string,
  rawLink: string,
  pax: Readonly<Record<string, string | Uint8Array>>,
  rawSize: number,
): Omit<PassingEntry, "offset" | "content"> {
  const said = (key: string) => (pax[key] === undefined ? undefined : Buffer.from(pax[key] as string).toString("utf8"));
  const name = said("path") ?? rawName;
  const plain = types[typeflag] ?? (typeflag as TarHeader["type"]);
  const type = plain === "0" && name.endsWith("/") ? "5" : plain;
  if (!/^[0-6]$/.test(type)) throw new RamekinError("UNSUPPORTED", `${name} in the tar is of the unknown type ${JSON.stringify(typeflag)}`);
  // A number has no room for nanoseconds: the record has.
  const kept = (key: string) => key.startsWith("SCHILY.xattr.") || (key === "mtime" && said(key)?.includes("."));
  const attributes = Object.entries(pax).filter(([key]) => kept(key));
  return {
    name,
    type,
    linkname: said("linkpath") ?? rawLink,
    mode: number(raw, 100, 8) & 0o7777,
    uid: numeric(said("uid")) ?? number(raw, 108, 8),
    gid: numeric(said("gid")) ?? number(raw, 116, 8),
    mtime: numeric(said("mtime")) ?? number(raw, 136, 12),
    // Links, devices and directories may state a size; nothing follows them.
    size: type === "0" ? (numeric(said("size")) ?? rawSize) : 0,
    ...((type === "3" || type === "4") && { major: number(raw, 329, 8), minor: number(raw, 337, 8) }),
    ...(attributes.length > 0 && { pax: Object.fromEntries(attributes) }),
  };
}

function numeric(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Octal, or base 256 where the first bit is set (GNU). */
function number(raw: Buffer, offset: number, length: number): number {
  const field = raw.subarray(offset, offset + length);
  const first = field[0] ?? 0;
  if ((first & 0x80) !== 0) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, first & 0x3f);
    return (first & 0x40) !== 0 || !Number.isSafeInteger(value) ? 0 : value;
  }
  return Number.parseInt(/[0-7]+/.exec(field.toString("latin1"))?.[0] ?? "0", 8);
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.byteLength : end);
}
