import type { FileNode } from "./file-tree.ts";

const block = 512;
const seven = 8 ** 7 - 1;
const eleven = 8 ** 11 - 1;

/** The last two blocks. */
export const layerEnd: Uint8Array = Buffer.alloc(2 * block);

export const layerPadding = (size: number): Uint8Array => Buffer.alloc((block - (size % block)) % block);

/**
 * The header of an entry, with a PAX header before it for what ustar has no room for: byte for byte what ramekin-layer writes
 * (crates/ramekin-layer/src/tar/writer.rs), so that a layer has the same digest whoever made it. `hardLink`: the name that has the
 * content.
 */
export function layerHeader(path: string, node: FileNode, hardLink?: string): Uint8Array {
  const name = Buffer.from(path === "" ? "./" : node.kind === "directory" ? `${path}/` : path);
  const target = Buffer.from(hardLink ?? (node.kind === "link" ? node.target : ""));
  const size = node.kind === "file" && hardLink === undefined ? node.content.size : 0;
  const { seconds, nanoseconds } = node.mtime;
  const records = new Map<string, Uint8Array>(hardLink === undefined ? node.xattrs : []);
  if (name.byteLength > 100) records.set("path", name);
  if (target.byteLength > 100) records.set("linkpath", target);
  if (nanoseconds !== "" || seconds < 0 || seconds > eleven)
    records.set("mtime", Buffer.from(`${seconds}${nanoseconds === "" ? "" : `.${nanoseconds.replace(/0+$/, "")}`}`));
  if (node.uid > seven) records.set("uid", Buffer.from(String(node.uid)));
  if (node.gid > seven) records.set("gid", Buffer.from(String(node.gid)));
  if (size > eleven) records.set("size", Buffer.from(String(size)));
  const main = ustar(name, target, hardLink === undefined ? flagOf(node) : "1");
  number(main, 100, 8, node.mode);
  number(main, 108, 8, node.uid);
  number(main, 116, 8, node.gid);
  number(main, 124, 12, size);
  number(main, 136, 12, Math.max(0, seconds));
  number(main, 329, 8, node.kind === "device" && hardLink === undefined ? node.major : 0);
  number(main, 337, 8, node.kind === "device" && hardLink === undefined ? node.minor : 0);
  return records.size === 0 ? summed(main) : Buffer.concat([...extended(name, records), summed(main)]);
}

function extended(name: Buffer, records: ReadonlyMap<string, Uint8Array>): readonly Uint8Array[] {
  const sorted = [...records].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  const body = Buffer.concat(sorted.map(([key, value]) => record(key, value)));
  const header = ustar(Buffer.concat([Buffer.from("PaxHeaders.0/"), name.subarray(-80)]), Buffer.alloc(0), "x");
  number(header, 100, 8, 0o644);
  number(header, 124, 12, body.byteLength);
  return [summed(header), body, layerPadding(body.byteLength)];
}

function flagOf(node: FileNode): string {
  if (node.kind === "device") return node.type;
  return { file: "0", link: "2", directory: "5" }[node.kind];
}

/** What does not fit is cut: then a record has it whole. */
function ustar(name: Buffer, target: Buffer, flag: string): Buffer {
  const bytes = Buffer.alloc(block);
  name.copy(bytes, 0, 0, 100);
  target.copy(bytes, 157, 0, 100);
  bytes.write(flag, 156, "latin1");
  bytes.write("ustar\u000000", 257, "latin1");
  return bytes;
}

/** Octal with zeros before it and a NUL behind; 0 where a record says it. */
function number(bytes: Buffer, at: number, length: number, value: number): void {
  const digits = length - 1;
  bytes.write((value > (digits === 7 ? seven : eleven) ? 0 : value).toString(8).padStart(digits, "0"), at, "latin1");
}

/** The checksum counts its own field as spaces. */
function summed(bytes: Buffer): Buffer {
  bytes.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

/** `<length> <key>=<value>\n`; the length counts its own digits. */
function record(key: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = rest.byteLength + 1;
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
