import { appendFile, mkdir, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type LogRecord, type LogWriterSpec, RamekinError } from "@ramekin/core";

/** Stands in for the supervisor: does what a writer's specification says, in the order of the records. */
export async function writeRecords(spec: LogWriterSpec, records: readonly LogRecord[]): Promise<void> {
  if (spec.type !== "json-file" && spec.type !== "local")
    throw new RamekinError("UNSUPPORTED", `the suite writes json-file and local, not ${spec.type}`);
  await mkdir(dirname(spec.path), { recursive: true });
  for (const record of records) {
    const line = recordBytes(spec.type, record);
    if (spec.maxBytes !== undefined && (await sizeOf(spec.path)) + line.length > spec.maxBytes) await rotate(spec.path, spec.maxFiles ?? 1);
    await appendFile(spec.path, line);
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
  for (let number = files - 1; number > 0; number--) await rename(at(number - 1), at(number)).catch(() => {}); // not so many yet
}
