import { type TarHeader, tarEnd, tarHeader, tarPadding } from "@ramekin/archive";
import { utf8 } from "../expect.ts";

export type Entry = Omit<TarHeader, "size" | "type"> & { readonly type?: TarHeader["type"]; readonly content?: string | Uint8Array };

/** A tar of these entries; a name that ends with a slash is a directory's. */
export function tar(...entries: readonly Entry[]): Uint8Array {
  return Buffer.concat([...entries.map(member), tarEnd]);
}

export function member({ content = "", ...header }: Entry): Uint8Array {
  const bytes = typeof content === "string" ? utf8(content) : content;
  const type = header.type ?? (header.name.endsWith("/") ? "5" : "0");
  const mode = header.mode ?? (type === "5" ? 0o755 : 0o644);
  return Buffer.concat([tarHeader({ ...header, type, mode, size: bytes.byteLength }), bytes, tarPadding(bytes.byteLength)]);
}

export const file = (name: string, content: string | Uint8Array = "", more: Partial<Entry> = {}): Entry => ({ name, content, ...more });
export const folder = (name: string, more: Partial<Entry> = {}): Entry => ({ name: `${name}/`, ...more });
export const symlink = (name: string, linkname: string): Entry => ({ name, linkname, type: "2", mode: 0o777 });
export const hardlink = (name: string, linkname: string): Entry => ({ name, linkname, type: "1" });

/** One entry of a tar that was read. */
export interface Found {
  readonly name: string;
  readonly type: string;
  readonly linkname: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly content: Buffer;
  readonly pax: Readonly<Record<string, string>>;
}

/** Reads what a differ writes: ustar and PAX, nothing more. */
export function readTar(bytes: Buffer): readonly Found[] {
  const found: Found[] = [];
  let pax: Record<string, string> = {};
  for (let position = 0; position + 512 <= bytes.byteLength; ) {
    const header = bytes.subarray(position, position + 512);
    if (header.every((byte) => byte === 0)) break;
    const text = (from: number, length: number) => header.toString("utf8", from, from + length).replace(/\0.*$/s, "");
    const number = (from: number, length: number) => Number.parseInt(text(from, length).trim() || "0", 8);
    const type = text(156, 1) || "0";
    const size = type === "x" ? number(124, 12) : Number(pax["size"] ?? number(124, 12));
    const content = bytes.subarray(position + 512, position + 512 + size);
    position += 512 + Math.ceil(size / 512) * 512;
    if (type === "x") {
      pax = records(content);
      continue;
    }
    const prefix = text(345, 155);
    found.push({
      name: pax["path"] ?? (prefix ? `${prefix}/${text(0, 100)}` : text(0, 100)),
      type,
      linkname: pax["linkpath"] ?? text(157, 100),
      mode: number(100, 8),
      uid: Number(pax["uid"] ?? number(108, 8)),
      gid: Number(pax["gid"] ?? number(116, 8)),
      mtime: Number(pax["mtime"] ?? number(136, 12)),
      content,
      pax,
    });
    pax = {};
  }
  return found;
}

function records(bytes: Buffer): Record<string, string> {
  const all: Record<string, string> = {};
  for (let position = 0; position < bytes.byteLength; ) {
    const space = bytes.indexOf(0x20, position);
    const length = Number(bytes.toString("latin1", position, space));
    const record = bytes.toString("latin1", space + 1, position + length - 1);
    const equals = record.indexOf("=");
    all[Buffer.from(record.slice(0, equals), "latin1").toString()] = Buffer.from(record.slice(equals + 1), "latin1").toString();
    position += length;
  }
  return all;
}
