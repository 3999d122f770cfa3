import { RamekinError } from "@ramekin/core";

/** What a header says; for an entry with content, `size` bytes follow, padded to 512. */
export interface TarHeader {
  readonly name: string;
  /** POSIX typeflag: `0` file, `1` hard link, `2` symbolic link, `3` `4` devices, `5` directory, `6` fifo. */
  readonly type: "0" | "1" | "2" | "3" | "4" | "5" | "6";
  readonly size?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970; may be negative or have a fraction. */
  readonly mtime?: number;
  readonly linkname?: string;
  readonly major?: number;
  readonly minor?: number;
  /** More PAX records, such as `SCHILY.xattr.…`. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
}

const block = 512;

/** The blocks of a header, with a PAX header before it for what ustar has no room for (POSIX.1-2017, pax). The same header, the same bytes. */
export function tarHeader(header: TarHeader): Uint8Array {
  const { name, linkname = "", uid = 0, gid = 0, size = 0, mtime = 0 } = header;
  if (name === "" || name.includes("\0") || linkname.includes("\0"))
    throw new RamekinError("INVALID_ARGUMENT", `a tar entry cannot be named ${JSON.stringify(name)}`);
  const fits = (text: string) => Buffer.byteLength(text) <= 100 && /^[\x20-\x7e]*$/.test(text);
  const octal = (value: number, digits: number) => Number.isInteger(value) && value >= 0 && value < 8 ** digits;
  const records: Record<string, string | Uint8Array> = {
    ...(!fits(name) && { path: name }),
    ...(!fits(linkname) && { linkpath: linkname }),
    ...(!octal(size, 11) && { size: String(size) }),
    ...(!octal(uid, 7) && { uid: String(uid) }),
    ...(!octal(gid, 7) && { gid: String(gid) }),
    ...(!octal(mtime, 11) && { mtime: String(mtime) }),
    ...header.pax,
  };
  const main = ustar({
    ...header,
    uid: octal(uid, 7) ? uid : 0,
    gid: octal(gid, 7) ? gid : 0,
    size: octal(size, 11) ? size : 0,
    mtime: octal(mtime, 11) ? mtime : 0,
  });
  if (Object.keys(records).length === 0) return main;
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  const extended = ustar({ name: `PaxHeaders.0/${name.slice(0, 80)}`, size: body.byteLength }, "x");
  return Buffer.concat([extended, body, tarPadding(body.byteLength), main]);
}

/** The zeros after `size` bytes of content. */
export function tarPadding(size: number): Uint8Array {
  return Buffer.alloc((block - (size % block)) % block);
}

/** Two blocks of zeros. */
export const tarEnd: Uint8Array = Buffer.alloc(2 * block);

function ustar(header: Omit<TarHeader, "type"> & { readonly type?: string }, type: string = header.type ?? "0"): Buffer {
  const bytes = Buffer.alloc(block);
  const text = (value: string, offset: number, length: number) => Buffer.from(value).copy(bytes, offset, 0, length);
  const number = (value: number, offset: number, digits: number) =>
    bytes.write(value.toString(8).padStart(digits, "0"), offset, digits, "latin1");
  text(header.name, 0, 100);
  number(header.mode ?? 0o644, 100, 7);
  number(header.uid ?? 0, 108, 7);
  number(header.gid ?? 0, 116, 7);
  number(header.size ?? 0, 124, 11);
  number(header.mtime ?? 0, 136, 11);
  text(type, 156, 1);
  text(header.linkname ?? "", 157, 100);
  bytes.write("ustar\u000000", 257, "latin1");
  number(header.major ?? 0, 329, 7);
  number(header.minor ?? 0, 337, 7);
  // The checksum counts its own field as spaces.
  bytes.fill(0x20, 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

/** `<length> <key>=<value>\n`; the length counts its own digits. */
function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as Uint8Array), Buffer.from("\n")]);
  let length = rest.byteLength + 1;
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
