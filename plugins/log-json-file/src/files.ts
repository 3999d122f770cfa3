import { type FileHandle, open } from "node:fs/promises";

/** One file of a log, read forwards; others may append to it meanwhile, or rename it. */
export interface LogFile extends AsyncDisposable {
  readonly inode: number;
  /** Whole lines that have come since the last call. A line that is still being written stays for the next. */
  lines(): AsyncGenerator<Buffer>;
  /** Forward to the last `count` lines; resolves with how many there are, at most `count`. */
  seekLast(count: number): Promise<number>;
}

const chunkSize = 64 << 10;

/** Undefined when there is none. */
export async function openLogFile(path: string): Promise<LogFile | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const { ino } = await file.stat();
  let position = 0;
  return {
    inode: ino,
    async *lines() {
      let rest = Buffer.alloc(0);
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkSize), 0, chunkSize, position + rest.length);
        if (bytesRead === 0) return;
        rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
          const line = rest.subarray(0, end);
          rest = rest.subarray(end + 1);
          position += end + 1;
          yield line;
        }
      }
    },
    async seekLast(count) {
      const { size } = await file.stat();
      let found = 0;
      let start = size; // behind the last line break that counts
      for (let end = size; end > 0 && found <= count; ) {
        const from = Math.max(0, end - chunkSize);
        const { buffer, bytesRead } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
        const chunk = buffer.subarray(0, bytesRead);
        for (let at = chunk.lastIndexOf(0x0a); at >= 0 && found <= count; at = at === 0 ? -1 : chunk.lastIndexOf(0x0a, at - 1)) {
          found++;
          if (found <= count + 1) start = from + at + 1;
        }
        end = from;
      }
      // `found` line breaks: the one before the first wanted line is the one too many.
      position = found > count ? start : 0;
      return Math.min(found, count);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** The current file and those that rotation has left, oldest first; one that moved while we looked counts once. */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  const files: LogFile[] = [];
  for (let number = 0; ; number++) {
    const file = await openLogFile(number === 0 ? path : `${path}.${number}`);
    if (!file) {
      // Between renaming the old file and making the new one there is no current one.
      if (number === 0) continue;
      return files.reverse();
    }
    if (files.some(({ inode }) => inode === file.inode)) await file[Symbol.asyncDispose]();
    else files.push(file);
  }
}
