import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { type Cancellable, RamekinError } from "@ramekin/core";

/** Where an entry's bytes are in an uncompressed tar file. */
export interface TarEntry {
  readonly name: string;
  readonly type: "file" | "directory" | "link" | "symlink" | "other";
  readonly linkname: string;
  readonly offset: number;
  readonly size: number;
}

/** Entries by clean name (no leading `./` or `/`, no `..`); of two with one name the later counts, as when extracting. */
export type TarIndex = ReadonlyMap<string, TarEntry>;

const block = 512;
/** An image archive has a few entries per layer. */
const maxEntries = 200_000;
const maxExtendedHeader = 1 << 20;
const maxLinks = 16;

/**
 * Reads all headers of a tar file (ustar, PAX, GNU long names and sizes; POSIX.1-2017, pax, "ustar Interchange Format") and none of
 * the contents. Nothing is extracted: names and links in it can reach other entries and nothing else.
 * DATA_LOSS for what is not a tar or ends too early.
 */
export async function indexTar(file: FileHandle, { signal }: Cancellable = {}): Promise<TarIndex> {
  const { size: fileSize } = await file.stat();
  const entries = new Map<string, TarEntry>();
  let extended: Readonly<Record<string, string>> = {};
  for (let position = 0, count = 0; ; count++) {
    if (signal?.aborted) throw new RamekinError("CANCELLED", "reading the archive was cancelled", { cause: signal.reason });
    if (count > maxEntries) throw new RamekinError("RESOURCE_EXHAUSTED", `the archive has more than ${maxEntries} entries`);
    // Two blocks of zeros end an archive; some writers leave out one or both.
    if (position >= fileSize && count > 0) return entries;
    const header = readHeader(await readExactly(file, position, block), position);
    if (!header) return entries;
    const offset = position + block;
    const size = isExtension(header.typeflag) ? header.size : numberOf(extended["size"], header.size);
    if (offset + size > fileSize)
      throw new RamekinError("DATA_LOSS", `the archive is truncated: entry ${header.name} ends at ${offset + size} of ${fileSize} bytes`);
    position = offset + Math.ceil(size / block) * block;

    if (isExtension(header.typeflag)) {
      if (size > maxExtendedHeader) throw new RamekinError("RESOURCE_EXHAUSTED", `the archive has an extended header of ${size} bytes`);
      const content = await readExactly(file, offset, size);
      if (header.typeflag === "x") extended = { ...extended, ...paxRecords(content) };
      if (header.typeflag === "L") extended = { ...extended, path: text(content) };
      if (header.typeflag === "K") extended = { ...extended, linkpath: text(content) };
      continue;
    }
    const name = cleanName(extended["path"] ?? header.name);
    if (name !== undefined) {
      const type = typeOf(header.typeflag, extended["path"] ?? header.name);
      entries.set(name, { name, type, linkname: extended["linkpath"] ?? header.linkname, offset, size: type === "file" ? size : 0 });
    }
    extended = {};
  }
}

/** The regular file of that name, through links inside the archive. NOT_FOUND if there is none, DATA_LOSS for a link that leads out or around. */
export function findFile(index: TarIndex, name: string): TarEntry {
  let wanted = name;
  for (let hop = 0; hop < maxLinks; hop++) {
    const clean = cleanName(wanted);
    if (clean === undefined) throw new RamekinError("DATA_LOSS", `${name} leads out of the archive, to ${wanted}`);
    const entry = index.get(clean);
    if (!entry || entry.type === "directory") throw new RamekinError("NOT_FOUND", `the archive has no file ${clean}`);
    if (entry.type === "file") return entry;
    if (entry.type === "other") throw new RamekinError("DATA_LOSS", `${clean} in the archive is not a regular file`);
    // A symbolic link counts from its folder, a hard link from the archive's root. Neither may be absolute: that would name a file of the host.
    if (entry.type === "symlink" && entry.linkname.startsWith("/"))
      throw new RamekinError("DATA_LOSS", `${clean} leads out of the archive, to ${entry.linkname}`);
    wanted = entry.type === "symlink" ? posix.join(posix.dirname(clean), entry.linkname) : entry.linkname;
  }
  throw new RamekinError("DATA_LOSS", `${name} is a link without end in the archive`);
}

export interface Header {
  readonly name: string;
  readonly typeflag: string;
  readonly linkname: string;
  readonly size: number;
}

/** Undefined for a block of zeros. */
export function readHeader(bytes: Buffer, position: number): Header | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  let sum = 0;
  for (let index = 0; index < block; index++) sum += index >= 148 && index < 156 ? 32 : (bytes[index] ?? 0);
  if (sum !== octal(bytes.subarray(148, 156))) throw new RamekinError("DATA_LOSS", `not a tar header at byte ${position}`);
  const isUstar = bytes.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isUstar ? text(bytes.subarray(345, 500)) : "";
  const name = text(bytes.subarray(0, 100));
  return {
    name: prefix ? `${prefix}/${name}` : name,
    typeflag: String.fromCharCode(bytes[156] ?? 0),
    linkname: text(bytes.subarray(157, 257)),
    size: octal(bytes.subarray(124, 136)),
  };
}

/** `g` and others that carry no file are passed over with their content; `x`, `L` and `K` describe the next entry. */
const isExtension = (typeflag: string) => "xgLK".includes(typeflag) && typeflag !== "";

function typeOf(typeflag: string, name: string): TarEntry["type"] {
  if (typeflag === "5" || ((typeflag === "0" || typeflag === "\0") && name.endsWith("/"))) return "directory";
  if (typeflag === "0" || typeflag === "\0" || typeflag === "7") return "file";
  return typeflag === "1" ? "link" : typeflag === "2" ? "symlink" : "other";
}

/** Undefined for a name that leads out: no entry of ours can have it. */
function cleanName(name: string): string | undefined {
  const clean = posix.normalize(name).replace(/^\/+/, "").replace(/\/+$/, "");
  return clean === ".." || clean.startsWith("../") || name.includes("\0") ? undefined : clean;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end < 0 ? bytes.byteLength : end)).toString("utf8");
}

/** Octal, or base 256 where the first bit is set (GNU). */
function octal(bytes: Uint8Array): number {
  if (((bytes[0] ?? 0) & 0x80) !== 0) {
    const value = bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, (bytes[0] ?? 0) & 0x3f);
    return checked(value);
  }
  const digits = /[0-7]+/.exec(Buffer.from(bytes).toString("latin1"))?.[0] ?? "0";
  return checked(Number.parseInt(digits, 8));
}

function numberOf(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : checked(/^[0-9]+$/.test(text) ? Number(text) : Number.NaN);
}

function checked(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RamekinError("DATA_LOSS", "the archive has an entry of impossible size");
  return value;
}

/** `<length> <key>=<value>\n`, the length counting the whole record. */
export function paxRecords(bytes: Buffer): Readonly<Record<string, string>> {
  const records: Record<string, string> = {};
  for (let position = 0; position < bytes.byteLength; ) {
    const space = bytes.indexOf(0x20, position);
    const length = space < 0 ? Number.NaN : Number(bytes.toString("latin1", position, space));
    const equals = bytes.indexOf(0x3d, space);
    const end = position + length;
    if (!Number.isSafeInteger(length) || length < 5 || end > bytes.byteLength || equals < 0 || equals >= end || bytes[end - 1] !== 0x0a) {
      throw new RamekinError("DATA_LOSS", "the archive has a malformed extended header");
    }
    const key = bytes.toString("utf8", space + 1, equals);
    if (key === "path" || key === "linkpath" || key === "size") records[key] = bytes.toString("utf8", equals + 1, end - 1);
    position = end;
  }
  return records;
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw new RamekinError("DATA_LOSS", `the archive is truncated at byte ${position + filled}`);
    filled += bytesRead;
  }
  return bytes;
}
