import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { EngineEvent } from "../event.ts";
import { isGone } from "./files.ts";
import { segmentName, segmentNumbers } from "./journal.ts";

export interface JournalReader {
  /** What has been written since the last call. */
  read(): Iterable<EngineEvent>;
}

const chunkBytes = 256 * 1024;

/** `fromEnd`: what is there already does not count. All segments are looked at, since a slow writer may still be at an older one. */
export function readJournal(directory: string, { fromEnd = false } = {}): JournalReader {
  const offsets = new Map<number, number>();
  if (fromEnd) for (const number of segmentNumbers(directory)) offsets.set(number, sizeOf(directory, number));
  return {
    *read() {
      for (const number of segmentNumbers(directory)) {
        for (const [line, end] of linesFrom(join(directory, segmentName(number)), offsets.get(number) ?? 0)) {
          offsets.set(number, end);
          const event = parseLine(line);
          if (event) yield event;
        }
      }
    },
  };
}

/** Whole lines, each with where it ends. What has no end yet is left for the next time. */
function* linesFrom(path: string, offset: number): Generator<[line: string, end: number]> {
  const file = openIfThere(path);
  if (file === undefined) return;
  try {
    let rest = Buffer.alloc(0);
    const chunk = Buffer.alloc(chunkBytes);
    for (let at = offset; ; ) {
      const read = readSync(file, chunk, 0, chunk.length, at);
      if (read === 0) return;
      const text = Buffer.concat([rest, chunk.subarray(0, read)]);
      const base = at - rest.length;
      at += read;
      let begin = 0;
      for (let end = text.indexOf(0x0a); end >= 0; end = text.indexOf(0x0a, begin)) {
        yield [text.toString("utf8", begin, end), base + end + 1];
        begin = end + 1;
      }
      rest = text.subarray(begin);
    }
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function sizeOf(directory: string, number: number): number {
  const file = openIfThere(join(directory, segmentName(number)));
  if (file === undefined) return 0;
  try {
    return fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}

/** Undefined for a line that somebody's death or a full disk has cut short. */
export function parseLine(line: string): EngineEvent | undefined {
  if (line === "") return undefined;
  try {
    const { time, type, action, id, attributes } = JSON.parse(line) as Record<string, unknown>;
    if (typeof time !== "string" || typeof type !== "string" || typeof action !== "string" || typeof id !== "string") return undefined;
    const timeNano = nanoseconds(time);
    if (timeNano === undefined) return undefined;
    return {
      time: new Date(time),
      timeNano,
      type: type as EngineEvent["type"],
      action,
      id,
      attributes: (attributes ?? {}) as EngineEvent["attributes"],
    };
  } catch {
    return undefined;
  }
}

function nanoseconds(time: string): bigint | undefined {
  const [, whole, fraction = ""] = /^(.*?)(?:\.(\d{1,9}))?Z$/.exec(time) ?? [];
  const seconds = Date.parse(`${whole}Z`);
  return Number.isNaN(seconds) ? undefined : BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
