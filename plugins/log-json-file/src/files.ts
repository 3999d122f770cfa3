import { type FileHandle, open, readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Framing } from "./framing.ts";

/** One file of a log, read forwards; others may append to it meanwhile, or rename it. */
export interface LogFile extends AsyncDisposable {
  /** Of the file that was written, whatever it is called by now, and though it has been compressed since. */
  readonly identity: string;
  /** When its last record was written, where that is known without reading it. */
  readonly last?: Date;
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
  if (path.endsWith(".gz")) return await (await import("./compressed-file.ts")).openCompressed(file, path, framing);
  const { ino, birthtimeNs } = await file.stat({ bigint: true });
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
    // inode numbers are given again, as soon as a rotated file has been compressed
    identity: `${ino} ${birthtimeNs}`,
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
      at += framing.overhead + record.length;
    }
    if (starts.length > 2 * count) starts.splice(0, starts.length - count);
    position += rest;
    if (rest === 0 && bytesRead === size) size *= 2;
    else if (bytesRead < size) break;
  }
  const last = count === 0 ? [] : starts.slice(-count);
  return { found: last.length, start: last[0] ?? position };
}

/** Looks for a file that rotation is moving at this moment before it counts as gone. */
const looks = 5;

/** The current file and those that rotation has left, oldest first; one that moved while we looked counts once. */
export async function openLogFiles(path: string, framing: Framing): Promise<LogFile[]> {
  const files: LogFile[] = [];
  for (let [number, look] = [0, 1]; ; ) {
    // Between renaming the old file and making the new one there is no current one.
    const file = number === 0 ? await openLogFile(path, framing) : await openNumbered(`${path}.${number}`, framing);
    if (!file && number > 0) {
      // The last one; or those before it are just moving up, the oldest first.
      if (!(await hasNumberAbove(path, number))) return files.reverse();
      if (look++ < looks) continue;
    }
    if (file && files.some(({ identity }) => identity === file.identity)) await file[Symbol.asyncDispose]();
    else if (file) files.push(file);
    number++;
    look = 1;
  }
}

/** The one takes the other's place: while it is made, both are there. */
async function openNumbered(path: string, framing: Framing): Promise<LogFile | undefined> {
  return (await openLogFile(path, framing)) ?? (await openLogFile(`${path}.gz`, framing));
}

async function hasNumberAbove(path: string, number: number): Promise<boolean> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const numbers = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return numbers.some((rest) => /^[0-9]+(\.gz)?$/.test(rest) && Number.parseInt(rest, 10) > number);
}
