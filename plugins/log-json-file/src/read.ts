import { setTimeout as sleep } from "node:timers/promises";
import { type LogReadOptions, type LogRecord, RamekinError } from "@ramekin/core";
import { type LogFile, openLogFile, openLogFiles } from "./files.ts";
import type { Framing } from "./framing.ts";
import type { RecordParser } from "./record.ts";

/** Between two looks at a file that is followed. */
const pollMs = 50;

export interface LogFormat {
  readonly framing: Framing;
  records(): RecordParser;
}

/** See `LogDriver.readBatches`. `warn` hears of what is no record; it is passed over. */
export async function* readLog(
  path: string,
  { framing, records }: LogFormat,
  options: LogReadOptions,
  warn: (message: string) => void,
): AsyncGenerator<readonly LogRecord[]> {
  const { signal, since, until, follow } = options;
  let ended = options.follow !== true;
  options.ended?.then(() => {
    ended = true;
  });
  const parse = records();
  await using reading = new Reading(framing, await openLogFiles(path, framing));
  if (options.tail !== undefined) await reading.skipTo(options.tail);

  for (;;) {
    // Taken before the look: what was written until then is seen by it.
    const last = ended;
    for await (const batch of reading.batches(since)) {
      throwIfAborted(signal, path);
      const found: LogRecord[] = [];
      for (const bytes of batch) {
        const record = parse(bytes);
        if (!record) warn(`${path}: passed over what is no record`);
        else if (until && record.time > until) {
          if (found.length > 0) yield found;
          return;
        } else if (!since || record.time >= since) found.push(record);
      }
      if (found.length > 0) yield found;
    }
    throwIfAborted(signal, path);
    if (await reading.catchUp(path)) continue;
    if (last || !follow) return;
    await sleep(pollMs, undefined, { ...(signal && { signal }) }).catch(() => throwIfAborted(signal, path));
  }
}

/** The files from the oldest that is not read yet to the current one. */
class Reading implements AsyncDisposable {
  readonly #framing: Framing;
  readonly #files: LogFile[];

  constructor(framing: Framing, files: LogFile[]) {
    this.#framing = framing;
    this.#files = files;
  }

  async skipTo(tail: number): Promise<void> {
    let wanted = tail;
    for (let index = this.#files.length - 1; index >= 0; index--) wanted -= await (this.#files[index] as LogFile).seekLast(wanted);
  }

  /** Of files that end before `since`, nothing. */
  async *batches(since: Date | undefined): AsyncGenerator<readonly Buffer[]> {
    for (;;) {
      const [file] = this.#files;
      if (!file) return;
      if (!(since && file.last && file.last < since)) yield* file.batches();
      if (this.#files.length === 1) return;
      await file[Symbol.asyncDispose]();
      this.#files.shift();
    }
  }

  /** Whether rotation has put newer files behind the one that we are at; they are opened. */
  async catchUp(path: string): Promise<boolean> {
    const at = this.#files.at(-1);
    const current = await openLogFile(path, this.#framing);
    if (!current || current.identity === at?.identity) {
      await current?.[Symbol.asyncDispose]();
      return false;
    }
    await current[Symbol.asyncDispose]();
    const all = await openLogFiles(path, this.#framing);
    const known = at ? all.findIndex(({ identity }) => identity === at.identity) : -1;
    // Ours is in there still, or has been rotated away: then all that is left is newer.
    for (const old of all.splice(0, known + 1)) await old[Symbol.asyncDispose]();
    this.#files.push(...all);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files.splice(0)) await file[Symbol.asyncDispose]();
  }
}

function throwIfAborted(signal: AbortSignal | undefined, path: string): void {
  if (signal?.aborted) throw new RamekinError("CANCELLED", `reading ${path} was cancelled`, { cause: signal.reason });
}
