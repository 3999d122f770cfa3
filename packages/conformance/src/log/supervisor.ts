import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { type LogRecord, type LogWriterSpec, RamekinError } from "@ramekin/core";

/** Stands in for the supervisor: does what a writer's specification says, in the order of the records. */
export async function writeRecords(spec: LogWriterSpec, records: readonly LogRecord[]): Promise<void> {
  if (spec.type !== "json-file" && spec.type !== "local")
    throw new RamekinError("UNSUPPORTED", `the suite writes json-file and local, not ${spec.type}`);
  await mkdir(dirname(spec.path), { recursive: true });
  let last = new Date(0);
  for (const record of records) {
    const line = recordBytes(spec.type, record);
    if (spec.maxBytes !== undefined && (await sizeOf(spec.path)) + line.length > spec.maxBytes) {
      await rotate(spec.path, spec.maxFiles ?? 1);
      if (spec.compress) await compress(`${spec.path}.1`, last);
    }
    await appendFile(spec.path, line);
    last = record.time;
  }
}

export function recordBytes(type: "json-file" | "local", record: LogRecord): Buffer {
  return type === "local" ? frame(record) : Buffer.from(jsonLine(record));
}

/** See `LogWriterSpec`. */
function frame({ line, stream, time, partial }: LogRecord): Buffer {
  const header = Buffer.alloc(14);
  header.writeUInt32BE(10 + line.length);
  header.writeBigInt64BE(BigInt(time.getTime()) * 1_000_000n, 4);
  header[12] = stream === "stdout" ? 1 : 2;
  header[13] = partial ? 1 : 0;
  return Buffer.concat([header, line]);
}

function jsonLine({ line, stream, time, partial }: LogRecord): string {
  const bytes = partial ? Buffer.from(line) : Buffer.concat([line, Buffer.from("\n")]);
  const log = bytes.toString("utf8");
  const raw = Buffer.from(log, "utf8").equals(bytes) ? {} : { raw: bytes.toString("base64") };
  return `${JSON.stringify({ log, stream, time: time.toISOString(), ...raw })}\n`;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function rotate(path: string, files: number): Promise<void> {
  const at = (number: number) => (number === 0 ? path : `${path}.${number}`);
  for (let number = files - 1; number > 0; number--)
    for (const suffix of ["", ".gz"]) await rename(at(number - 1) + suffix, at(number) + suffix).catch(() => {}); // not so many yet
}

/** gzip whose header's extra field says what of: as the supervisor has it. */
async function compress(path: string, last: Date): Promise<void> {
  const [bytes, { ino, birthtimeNs }] = await Promise.all([readFile(path), stat(path, { bigint: true })]);
  const extra = Buffer.from(JSON.stringify({ lastTime: last.toISOString(), inode: String(ino), born: String(birthtimeNs) }));
  const header = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, extra.length & 255, extra.length >> 8]);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.length, 4);
  await writeFile(`${path}.gz`, Buffer.concat([header, extra, deflateRawSync(bytes), trailer]));
  await rm(path);
}
