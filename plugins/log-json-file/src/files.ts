import { type FileHandle, open } from "node:fs/promises";
import type { Framing } from "./framing.ts";

/** One file of a log, read forwards; others may append to it meanwhile, or rename it. */
export interface LogFile extends AsyncDisposable {
  readonly inode: number;
  /** Whole records that have come since the last call, as many at a time as a read brings. One that is still being written stays for the next. */
  batches(): AsyncGenerator<readonly Buffer[]>;
  /** Forward to the last `count` records; resolves with how many there are, at most `count`. */
  seekLast(count: number): Promise<number>;
}

const chunkSize = 256 << 10;

/** Undefined when there is none. */
export async function openLogFile(path: string, framing: Framing): Promise<LogFile | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const { ino } = await file.stat();
  let position = 0;
  async function* batches(): AsyncGenerator<readonly Buffer[]> {
    for (let size = chunkSize; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, position);
      const { records, rest } = framing.cut(buffer.subarray(0, bytesRead));
      position += rest;
      if (records.length > 0) yield records;
      // a record that is longer than what was read, or not whole yet
      if (rest === 0 && bytesRead === size) size *= 2;
      else if (bytesRead < size) return;
    }
  }
  return {
    inode: ino,
    batches,
    async seekLast(count) {
      const { found, start } = framing.lines ? await lastLines(file, count) : await lastFrames(file, framing, count);
      position = start;
      return found;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

interface Last {
  readonly found: number;
  /** Where the first of them begins. */
  readonly start: number;
}

/** From the end, line break by line break. */
async function lastLines(file: FileHandle, count: number): Promise<Last> {
  const { size } = await file.stat();
  let found = 0;
  let start = size; // behind the last line break that counts
  for (let end = size; end > 0 && found <= count; ) {
    const from = Math.max(0, end - chunkSize);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(end - from), 0, end - from, from);
    const chunk = buffer.subarray(0, bytesRead);
    for (let at = chunk.lastIndexOf(0x0a); at >= 0 && found <= count; at = at === 0 ? -1 : chunk.lastIndexOf(0x0a, at - 1)) {
      found++;
      if (found <= count + 1) start = from + at + 1;
    }
    end = from;
  }
  // `found` line breaks: the one before the first wanted line is the one too many.
  return { found: Math.min(found, count), start: found > count ? start : 0 };
}

/** From the beginning: a length stands before each, and nothing behind it. */
async function lastFrames(file: FileHandle, framing: Framing, count: number): Promise<Last> {
  const starts: number[] = [];
  let position = 0;
  for (let size = chunkSize; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, position);
    const { records, rest } = framing.cut(buffer.subarray(0, bytesRead));
    let at = position;
    for (const record of records) {
      starts.push(at);
      at += 4 + record.length;
    }
    if (starts.length > 2 * count) starts.splice(0, starts.length - count);
    position += rest;
    if (rest === 0 && bytesRead === size) size *= 2;
    else if (bytesRead < size) break;
  }
  const last = count === 0 ? [] : starts.slice(-count);
  return { found: last.length, start: last[0] ?? position };
}

/** The current file and those that rotation has left, oldest first; one that moved while we looked counts once. */
export async function openLogFiles(path: string, framing: Framing): Promise<LogFile[]> {
  const files: LogFile[] = [];
  for (let number = 0; ; number++) {
    const file = await openLogFile(number === 0 ? path : `${path}.${number}`, framing);
    if (!file) {
      // Between renaming the old file and making the new one there is no current one.
      if (number === 0) continue;
      return files.reverse();
    }
    if (files.some(({ inode }) => inode === file.inode)) await file[Symbol.asyncDispose]();
    else files.push(file);
  }
}
