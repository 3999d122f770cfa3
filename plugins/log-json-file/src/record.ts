import type { LogAttributes, LogRecord } from "@ramekin/core";

/** Makes records of bytes; undefined for what is no record. One for each reading: it remembers the last time. */
export type RecordParser = (bytes: Buffer) => LogRecord | undefined;

const begin = Buffer.from('{"log":"');
/** What stands between the text and the time where there is nothing else, as it stands there in nearly every record. */
const ends = [
  { stream: "stdout", bytes: Buffer.from('","stream":"stdout","time":"') },
  { stream: "stderr", bytes: Buffer.from('","stream":"stderr","time":"') },
] as const;
const endLength = ends[0].bytes.length;
const [quote, backslash, letterN, brace] = Buffer.from('"\\n}');

/**
 * `{"log":"text\n","stream":"stdout","time":"RFC 3339"}`, as Docker writes it. Without the line break, the line goes on in the
 * next record. Bytes that are no UTF-8 come whole in `raw`, base64. Records without escapes, nearly all, are taken as they lie
 * in the file, byte by byte: JSON.parse, and strings made of them, took most of the time that reading a log took.
 */
export function jsonRecords(): RecordParser {
  const time = timeReader();
  return (bytes) => plainRecord(bytes, time) ?? parsedRecord(bytes);
}

function plainRecord(bytes: Buffer, time: (bytes: Buffer, from: number, to: number) => Moment): LogRecord | undefined {
  const last = bytes.length - 2;
  if (bytes[last] !== quote || bytes[last + 1] !== brace) return undefined;
  let from = last;
  while (from > 0 && bytes[from - 1] !== quote) from--;
  const end = from - endLength;
  if (end < begin.length || !matches(bytes, 0, begin)) return undefined;
  const { stream } = ends.find((known) => matches(bytes, end, known.bytes)) ?? {};
  if (stream === undefined) return undefined;
  const whole = bytes[end - 1] === letterN && bytes[end - 2] === backslash && end - 2 >= begin.length;
  const line = bytes.subarray(begin.length, whole ? end - 2 : end);
  for (let at = 0; at < line.length; at++) if (line[at] === backslash) return undefined;
  const { ms, nanoseconds } = time(bytes, from, last);
  if (Number.isNaN(ms)) return undefined;
  const moment = new Date(ms);
  return whole ? { time: moment, nanoseconds, stream, line } : { time: moment, nanoseconds, stream, line, partial: true };
}

function matches(bytes: Uint8Array, from: number, wanted: Uint8Array): boolean {
  for (let at = 0; at < wanted.length; at++) if (bytes[from + at] !== wanted[at]) return false;
  return true;
}

interface Moment {
  /** Since 1970; not a number for what is no time. */
  readonly ms: number;
  /** Of that millisecond. */
  readonly nanoseconds: number;
}

/** RFC 3339. */
function momentOf(text: string): Moment {
  const fraction = /\.([0-9]+)/.exec(text)?.[1] ?? "";
  return { ms: Date.parse(text), nanoseconds: Number(fraction.slice(3, 9).padEnd(6, "0")) };
}

/** All that one read of the container's output brings has the same time. */
function timeReader(): (bytes: Buffer, from: number, to: number) => Moment {
  let known = Buffer.alloc(0);
  let value = momentOf("");
  return (bytes, from, to) => {
    if (to - from !== known.length || !matches(bytes, from, known)) {
      known = Buffer.from(bytes.subarray(from, to));
      value = momentOf(known.toString("latin1"));
    }
    return value;
  };
}

function parsedRecord(bytes: Buffer): LogRecord | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined; // cut short by a crash, or by somebody else
  }
  const { log, raw, stream, time, attrs } = (entry ?? {}) as Partial<Record<"log" | "raw" | "stream" | "time" | "attrs", unknown>>;
  if (typeof log !== "string" || (stream !== "stdout" && stream !== "stderr") || typeof time !== "string") return undefined;
  const { ms, nanoseconds } = momentOf(time);
  if (Number.isNaN(ms)) return undefined;
  const text = typeof raw === "string" ? Buffer.from(raw, "base64") : Buffer.from(log, "utf8");
  const whole = text.at(-1) === 0x0a;
  return {
    time: new Date(ms),
    nanoseconds,
    stream,
    line: whole ? text.subarray(0, -1) : text,
    ...(!whole && { partial: true }),
    ...(typeof attrs === "object" && attrs !== null && { attributes: attrs as LogAttributes }),
  };
}

/** The frame of `LogWriterSpec`, without its length: time in nanoseconds, stream, flags, line. */
export function framedRecords(): RecordParser {
  return (bytes) => {
    if (bytes.length < 10) return undefined;
    const stream = bytes[8] === 1 ? "stdout" : bytes[8] === 2 ? "stderr" : undefined;
    if (stream === undefined) return undefined;
    const nanos = bytes.readBigInt64BE(0);
    const [time, nanoseconds] = [new Date(Number(nanos / 1_000_000n)), Number(nanos % 1_000_000n)];
    return { time, nanoseconds, stream, line: bytes.subarray(10), ...(((bytes[9] ?? 0) & 1) === 1 && { partial: true }) };
  };
}
