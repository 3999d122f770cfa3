import { type FSWatcher, watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { RamekinError } from "@ramekin/core";
import type { EngineEvent, EventOptions } from "./event.ts";
import { matchesFilters } from "./event-filters.ts";
import { fileError } from "./store/files.ts";
import { type JournalReader, readJournal } from "./store/journal-reader.ts";

/** Where the kernel tells of no change (a network's file system), somebody has to look. */
const lookMs = 1000;

/**
 * See `Engine.events`. `reader` stands where the journal ended at the call; `closed` fires when the engine is disposed of,
 * which ends it after what has happened until then.
 */
export async function* events(
  directory: string,
  reader: JournalReader,
  closed: AbortSignal,
  { since, until, filters = {}, signal }: EventOptions = {},
): AsyncGenerator<EngineEvent> {
  const from = since && BigInt(since.getTime()) * 1_000_000n;
  // A Date stands for the whole of its millisecond: what has just happened is in it.
  const to = until && BigInt(until.getTime()) * 1_000_000n + 999_999n;
  const wanted = (event: EngineEvent) =>
    (from === undefined || event.timeNano >= from) && (to === undefined || event.timeNano <= to) && matchesFilters(event, filters);
  const past = since || until ? readJournal(directory) : reader;
  const stop = AbortSignal.any([closed, ...(signal ? [signal] : [])]);
  await using changes = await changesIn(directory, stop);
  for (;;) {
    const last = stop.aborted || (until !== undefined && Date.now() > until.getTime());
    for (const event of past.read()) if (wanted(event)) yield event;
    if (signal?.aborted) throw new RamekinError("CANCELLED", "listening to events was cancelled", { cause: signal.reason });
    if (last) return;
    await changes.next(until && until.getTime() - Date.now() + 1);
  }
}

interface Changes extends AsyncDisposable {
  /** Resolves when something may have been written, or it is over, or after so many milliseconds. */
  next(atMost: number | undefined): Promise<void>;
}

async function changesIn(directory: string, stop: AbortSignal): Promise<Changes> {
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw fileError(error, directory);
  });
  let woken = Promise.withResolvers<void>();
  const wake = () => woken.resolve();
  const watcher = watching(directory, wake);
  stop.addEventListener("abort", wake, { once: true });
  return {
    async next(atMost = lookMs) {
      const over = new AbortController();
      // Any timer keeps a program alive that has nothing else to do; one that waits for events has just that.
      const pause = sleep(Math.max(0, Math.min(atMost, lookMs)), undefined, { signal: over.signal }).catch(() => {});
      if (!stop.aborted) await Promise.race([woken.promise, pause]);
      over.abort();
      woken = Promise.withResolvers();
    },
    async [Symbol.asyncDispose]() {
      watcher?.close();
      stop.removeEventListener("abort", wake);
    },
  };
}

/** Undefined when the kernel has no watches left: looking does then. */
function watching(directory: string, wake: () => void): FSWatcher | undefined {
  try {
    return watch(directory, wake).on("error", wake);
  } catch {
    return undefined;
  }
}
