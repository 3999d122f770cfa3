import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { JournalEvent } from "@ramekin/core";
import { fileError, isGone } from "./files.ts";

/**
 * The journal of events: `<root>/events/<ten digits>.jsonl`. Every process of the engine appends what it does, and each
 * supervisor (crates/ramekin-shim, events.rs) what happens while nobody is there. One event is one line, one write at the
 * end of the newest segment, so that lines of many writers never mix:
 *
 *   {"time":"2026-11-23T17:00:00.123Z","type":"container","action":"start","id":"<id>","attributes":{"name":"web","image":"…"}}
 *
 * `time` is RFC 3339 in UTC with up to nine digits of a second; values of `attributes` are strings; unknown fields are
 * ignored. A segment that has grown to 4 MiB is followed by the next number, made by whoever comes first; eight are kept,
 * so that some 100,000 events are. There is no lock and no rename: a writer that was killed leaves whole lines. A line
 * without an end (a full disk, a power cut) is ignored by readers, and ended by the next writer before its own.
 */
export const segmentBytes = 4 * 1024 * 1024;
const segments = 8;

export function appendEvent(directory: string, event: JournalEvent): void {
  const { type, action, id, attributes } = event;
  const line = `${JSON.stringify({ time: new Date(), type, action, id, attributes })}\n`;
  try {
    const file = openNewest(directory);
    try {
      writeSync(file, isTorn(file) ? `\n${line}` : line);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(error, directory);
  }
}

/** Numbers of the segments that are there, oldest first. */
export function segmentNumbers(directory: string): number[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^\d{10}\.jsonl$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

export const segmentName = (number: number): string => `${String(number).padStart(10, "0")}.jsonl`;

const appending = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;

function openNewest(directory: string): number {
  const newest = segmentNumbers(directory).at(-1) ?? 1;
  const file = openIn(directory, newest);
  if (fstatSync(file).size < segmentBytes) return file;
  closeSync(file);
  const next = newest + 1;
  try {
    const made = openSync(join(directory, segmentName(next)), appending | constants.O_EXCL, 0o600);
    for (const old of segmentNumbers(directory)) if (old <= next - segments) rmSync(join(directory, segmentName(old)), { force: true });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return openIn(directory, next); // somebody else was there first
  }
}

function openIn(directory: string, number: number): number {
  const path = join(directory, segmentName(number));
  try {
    return openSync(path, appending, 0o600);
  } catch (error) {
    if (!isGone(error)) throw error;
    makeDirectory(directory);
    return openSync(path, appending, 0o600);
  }
}

/** Not what is above it: a store that has been removed must not come to life again by its last event. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function isTorn(file: number): boolean {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
}
