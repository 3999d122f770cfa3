import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { RamekinError } from "@ramekin/core";
import type { LogFile } from "./files.ts";
import type { Framing } from "./framing.ts";

/** What the supervisor writes into the header of a file that it compresses; of Docker's there is only `lastTime`. */
interface Origin {
  readonly lastTime?: string;
  /** Of the file that it was made of, in decimal. */
  readonly inode?: string;
  readonly born?: string;
}

/** RFC 1952, 2.3. */
const fixedHeader = 10;
const extraFlag = 4;
const mostExtra = 0xffff;
const packedChunk = 64 << 10;

/** What rotation has left and a supervisor has compressed. It is read from its beginning each time, and never held as a whole. */
export async function openCompressed(file: FileHandle, path: string, framing: Framing): Promise<LogFile> {
  const origin = await readOrigin(file, path);
  const { ino } = await file.stat({ bigint: true });
  const last = new Date(origin.lastTime ?? "");
  let start = 0; // in what is unpacked
  return {
    identity: origin.inode === undefined ? `gz ${ino}` : `${origin.inode} ${origin.born ?? "0"}`,
    ...(!Number.isNaN(last.getTime()) && { last }),
    batches: async function* () {
      const from = start;
      start = Number.POSITIVE_INFINITY; // nobody appends to it: the next reading finds nothing new
      if (from === Number.POSITIVE_INFINITY) return;
      for await (const { records } of unpackedRecords(file, path, framing, from)) yield records;
    },
    async seekLast(count) {
      const starts: number[] = [];
      let end = 0;
      for await (const { records, at } of unpackedRecords(file, path, framing, 0)) {
        end = at;
        for (const record of records) {
          starts.push(end);
          end += record.length + framing.overhead;
        }
        if (starts.length > 2 * count) starts.splice(0, starts.length - count);
      }
      const found = count === 0 ? [] : starts.slice(-count);
      start = found[0] ?? end;
      return found.length;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Whole records from byte `from` on, and where, unpacked, the first of each lot lies. */
async function* unpackedRecords(file: FileHandle, path: string, framing: Framing, from: number) {
  const unpacked = createGunzip({ chunkSize: 256 << 10 });
  const packed = Readable.from(bytesOf(file), { objectMode: false }).on("error", (error) => unpacked.destroy(error));
  packed.pipe(unpacked);
  let position = 0;
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      const skipped = Math.min(chunk.length, Math.max(0, from - position - rest.length));
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk.subarray(skipped)]) : chunk.subarray(skipped);
      position += skipped;
      const { records, rest: cut } = framing.cut(bytes);
      if (records.length > 0) yield { records, at: position };
      position += cut;
      rest = bytes.subarray(cut);
    }
  } catch (cause) {
    if (cause instanceof RamekinError) throw cause;
    throw new RamekinError("DATA_LOSS", `cannot unpack ${path}`, { cause });
  } finally {
    packed.destroy();
    unpacked.destroy();
  }
}

/** A stream of the file's own would close it. */
async function* bytesOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(packedChunk), 0, packedChunk, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function readOrigin(file: FileHandle, path: string): Promise<Origin> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(fixedHeader + 2 + mostExtra), 0, fixedHeader + 2 + mostExtra, 0);
  if (bytesRead < fixedHeader || buffer.readUInt16BE(0) !== 0x1f8b) throw new RamekinError("DATA_LOSS", `${path} is no gzip`);
  if (((buffer[3] ?? 0) & extraFlag) === 0) return {};
  const begin = fixedHeader + 2;
  try {
    return JSON.parse(buffer.toString("utf8", begin, begin + buffer.readUInt16LE(fixedHeader))) as Origin;
  } catch {
    return {}; // somebody else's
  }
}
