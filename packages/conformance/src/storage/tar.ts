import { spawn } from "node:child_process";
import { once } from "node:events";
import { arrayOf } from "./expect.ts";

/** One entry of a layer. Types as in ustar: 0 file, 1 hard link, 2 symbolic link, 3 character device, 5 directory, 6 fifo. */
export interface Entry {
  readonly name: string;
  readonly type?: "0" | "1" | "2" | "3" | "5" | "6";
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly linkname?: string;
  readonly device?: readonly [major: number, minor: number];
  readonly data?: string | Uint8Array;
  readonly xattrs?: Readonly<Record<string, string | Uint8Array>>;
}

/** pax interchange format (POSIX 1003.1-2024, pax), with extended headers for xattrs and long names only. */
export function tar(entries: readonly Entry[]): Uint8Array {
  return Buffer.concat([...entries.flatMap(blocks), Buffer.alloc(1024)]);
}

function blocks(entry: Entry): Buffer[] {
  const { name, data = "", xattrs = {}, linkname = "" } = entry;
  const long = Buffer.byteLength(name) > 100 ? { path: name } : {};
  const longLink = Buffer.byteLength(linkname) > 100 ? { linkpath: linkname } : {};
  const attributes = Object.fromEntries(Object.entries(xattrs).map(([key, value]) => [`SCHILY.xattr.${key}`, value]));
  const records = Object.entries({ ...long, ...longLink, ...attributes }).map(([key, value]) => record(key, value));
  const pax =
    records.length > 0 ? [...padded(header({ name: "pax", type: "x" }, Buffer.concat(records).length), Buffer.concat(records))] : [];
  const body = Buffer.from(data);
  return [...pax, ...padded(header(entry, body.length), body)];
}

/** `LENGTH KEY=VALUE\n`, the length counting its own digits. */
function record(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header(
  {
    name,
    type = "0",
    mode = type === "5" ? 0o755 : 0o644,
    uid = 0,
    gid = 0,
    mtime = 1_700_000_000,
    linkname = "",
    device,
  }: Omit<Entry, "type"> & { type?: string },
  size: number,
): Buffer {
  const block = Buffer.alloc(512);
  const number = (value: number, at: number, width: number) => block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at);
  block.write(name.slice(0, 100), 0);
  for (const [value, at, width] of [
    [mode, 100, 8],
    [uid, 108, 8],
    [gid, 116, 8],
    [size, 124, 12],
    [mtime, 136, 12],
  ] as const)
    number(value, at, width);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(linkname.slice(0, 100), 157);
  block.write("ustar\0", 257);
  block.write("00", 263);
  if (device) for (const [index, value] of device.entries()) number(value, 329 + 8 * index, 8);
  number(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}

const padded = (head: Buffer, body: Buffer) => [head, body, Buffer.alloc((512 - (body.length % 512)) % 512)];

/** GNU tar(1) writes what Node has no call for: devices, extended attributes, owners. */
export async function unpack(directory: string, entries: readonly Entry[]): Promise<void> {
  await run(["-x", "-p", "--same-owner", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", directory], tar(entries));
}

/** Undefined when `path` has no such attribute. */
export async function xattr(directory: string, path: string, name: string): Promise<string | undefined> {
  const archive = await run(["-c", "--format=pax", "--no-recursion", "--xattrs", "--xattrs-include=*", "-C", directory, path]);
  const start = archive.indexOf(` SCHILY.xattr.${name}=`);
  if (start < 0) return undefined;
  const digits = archive.subarray(0, start).toString("latin1").match(/\d+$/)?.[0] ?? "";
  return archive.subarray(archive.indexOf("=", start) + 1, start - digits.length + Number(digits) - 1).toString("latin1");
}

async function run(args: readonly string[], input?: Uint8Array): Promise<Buffer> {
  const child = spawn("tar", args, { stdio: ["pipe", "pipe", "pipe"] });
  const closed = once(child, "close");
  child.stdin.on("error", () => {}); // told by the exit status
  child.stdin.end(input);
  const [out, complaint, [code]] = await Promise.all([collect(child.stdout), collect(child.stderr), closed]);
  if (code !== 0) throw new Error(`tar ${args.join(" ")}: ${complaint}`);
  return out;
}

const collect = async (stream: AsyncIterable<Uint8Array>) => Buffer.concat(await arrayOf(stream));
