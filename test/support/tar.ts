/** One entry as a tar has it, checked by nothing: hostile ones are what this writer is for. */
export interface Entry {
  readonly path: string;
  readonly type?: "file" | "link" | "symlink" | "char" | "block" | "directory" | "fifo";
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly content?: string | Uint8Array;
  readonly target?: string;
  /** Device number. */
  readonly device?: readonly [major: number, minor: number];
  /** Records of a PAX header before the entry: `SCHILY.xattr.…`, `path`, `size`. */
  readonly pax?: Readonly<Record<string, string>>;
}

const flags = { file: "0", link: "1", symlink: "2", char: "3", block: "4", directory: "5", fifo: "6" };

/** POSIX.1-2001 pax; names beyond 100 bytes go into a PAX record. */
export function tar(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const pax = { ...(Buffer.byteLength(entry.path) > 100 && { path: entry.path }), ...entry.pax };
    const records = Object.entries(pax)
      .map(([key, value]) => record(key, value))
      .join("");
    const content = Buffer.from(entry.content ?? "");
    return [
      ...(records === "" ? [] : [header({ path: "pax", mode: 0o644 }, "x", Buffer.byteLength(records)), padded(Buffer.from(records))]),
      header(entry, flags[entry.type ?? "file"], content.byteLength),
      padded(content),
    ];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** The length counts its own digits. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (length !== Buffer.byteLength(`${length}${rest}`)) length = Buffer.byteLength(`${length}${rest}`);
  return `${length}${rest}`;
}

function header(entry: Entry, flag: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  const number = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  block.write(Buffer.from(entry.path).subarray(0, 100).toString("latin1"), 0, "latin1");
  number(entry.mode ?? (entry.type === "directory" ? 0o755 : 0o644), 100, 8);
  number(entry.uid ?? 0, 108, 8);
  number(entry.gid ?? 0, 116, 8);
  number(size, 124, 12);
  number(1_700_000_000, 136, 12);
  block.write("        ", 148, "latin1");
  block.write(flag, 156, "latin1");
  block.write(entry.target ?? "", 157, 100, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  number(entry.device?.[0] ?? 0, 329, 8);
  number(entry.device?.[1] ?? 0, 337, 8);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.byteLength % 512)) % 512)]);
}
