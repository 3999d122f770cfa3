import { type ByteStream, RamekinError } from "@ramekin/core";
import { tarPadding } from "./tar-header.ts";

const block = 512;

/**
 * The same tar with other times. A time that changes is whole seconds afterwards, and its PAX record (which has the fraction) is gone;
 * all other bytes stay. `open`: without its end, so that another tar may follow.
 */
export async function* withTimes(
  tar: ByteStream,
  change: (seconds: number) => number,
  options: { readonly open?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  await using reader = new Blocks(tar);
  let records: Records | undefined;
  for (let header = await reader.take(block); header; header = await reader.take(block)) {
    if (header.every((byte) => byte === 0)) {
      if (!options.open) yield header;
      for await (const rest of reader.pass(Number.POSITIVE_INFINITY)) if (!options.open) yield rest;
      return;
    }
    const size = number(header, 124, 12);
    if (header[156] === 0x78) {
      records = readRecords((await reader.take(padded(size)))?.subarray(0, size) ?? Buffer.alloc(0), header);
      continue;
    }
    const mtime = timeOf(records?.values.get("mtime")) ?? number(header, 136, 12);
    const after = change(mtime);
    if (after !== mtime) {
      records?.values.delete("mtime");
      writeTime(header, after);
    }
    for (const name of ["atime", "ctime"]) {
      const time = timeOf(records?.values.get(name));
      if (time !== undefined && change(time) !== time) records?.values.delete(name);
    }
    if (records && records.values.size > 0) yield written(records);
    yield header;
    yield* reader.pass(padded(Number(records?.values.get("size")?.toString() ?? size)));
    records = undefined;
  }
}

/** An extended header (POSIX.1-2017, pax): `<length> <key>=<value>\n`. */
interface Records {
  readonly header: Buffer;
  readonly values: Map<string, Buffer>;
}

function readRecords(body: Buffer, header: Buffer): Records {
  const values = new Map<string, Buffer>();
  for (let at = 0; at < body.byteLength; ) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString("latin1", at, space));
    const equals = body.indexOf(0x3d, space);
    if (!(length > 0) || space < 0 || equals < 0) throw new RamekinError("DATA_LOSS", "a PAX header of the layer is damaged");
    values.set(body.toString("utf8", space + 1, equals), body.subarray(equals + 1, at + length - 1));
    at += length;
  }
  return { header, values };
}

function written({ header, values }: Records): Buffer {
  const records = [...values].map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
    let length = rest.byteLength + 1;
    while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength;
    return Buffer.concat([Buffer.from(String(length)), rest]);
  });
  const body = Buffer.concat(records);
  header.write(`${body.byteLength.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  return Buffer.concat([summed(header), body, tarPadding(body.byteLength)]);
}

const timeOf = (text: Buffer | undefined): number | undefined => (text ? Number(text.toString("latin1")) : undefined);

function writeTime(header: Buffer, seconds: number): void {
  header.write(`${seconds.toString(8).padStart(11, "0")}\0`, 136, "latin1");
  summed(header);
}

/** The checksum counts its own field as spaces. */
function summed(header: Buffer): Buffer {
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** Octal, or with the first bit set GNU's binary. */
function number(header: Buffer, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) === 0) return Number.parseInt(header.toString("latin1", at, at + length).replace(/\0.*$/s, ""), 8) || 0;
  return header.subarray(at + 1, at + length).reduce((value, byte) => value * 256 + byte, 0);
}

const padded = (size: number) => Math.ceil(size / block) * block;

class Blocks implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: ByteStream) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Whoever leaves early lets the source go. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return?.();
  }

  /** A copy of the next bytes, which may be written to; undefined at the end. */
  async take(size: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let missing = size;
    for await (const part of this.pass(size)) {
      parts.push(part as Buffer);
      missing -= part.byteLength;
    }
    if (missing === size && size > 0) return undefined;
    if (missing > 0) throw new RamekinError("DATA_LOSS", "the tar of the layer is truncated");
    return Buffer.concat(parts);
  }

  async *pass(size: number): AsyncGenerator<Uint8Array> {
    for (let missing = size; missing > 0; ) {
      if (this.#held.byteLength === 0) {
        const next = await this.#source.next();
        if (next.done) return;
        this.#held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      }
      const part = this.#held.subarray(0, missing);
      this.#held = this.#held.subarray(part.byteLength);
      missing -= part.byteLength;
      if (part.byteLength > 0) yield part;
    }
  }
}
