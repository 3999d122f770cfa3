import { type LogRecord, RamekinError } from "@ramekin/core";
import type { Context, OutputStream } from "../context.ts";
import { parseMoment } from "../values/moment.ts";

export interface LogFlags {
  readonly details: boolean;
  readonly follow: boolean;
  readonly since: string | undefined;
  readonly tail: string;
  readonly timestamps: boolean;
  readonly until: string | undefined;
}

const lineBreak = Buffer.from("\n");

/** `ramekin logs`: what the container wrote to stdout on ours, what it wrote to stderr on ours. */
export async function showLogs(flags: LogFlags, name: string, context: Context): Promise<number> {
  const tail = readTail(flags.tail);
  const since = flags.since === undefined ? undefined : parseMoment(flags.since);
  const until = flags.until === undefined ? undefined : parseMoment(flags.until);
  const engine = await context.engine();
  const container = await engine.container(name);
  const batches = container.logBatches({
    follow: flags.follow,
    signal: context.interruption.signal,
    ...(tail !== undefined && { tail }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  });
  for await (const batch of batches) {
    // One write for all lines in a row of one stream: a write of its own for each took most of the time of a long log.
    for (let first = 0; first < batch.length; ) {
      const stream = batch[first]?.stream;
      const parts: Uint8Array[] = [];
      let next = first;
      for (let record = batch[next]; record !== undefined && record.stream === stream; record = batch[++next]) {
        const before = prefix(record, flags);
        if (before !== "") parts.push(Buffer.from(before));
        parts.push(record.line);
        if (record.partial !== true) parts.push(lineBreak);
      }
      await write(stream === "stdout" ? context.stdout : context.stderr, Buffer.concat(parts));
      first = next;
    }
  }
  return 0;
}

/** In Docker's order: the time, then what was written with the record, of which there may be nothing. */
function prefix({ time, attributes = {} }: LogRecord, { timestamps, details }: LogFlags): string {
  const shown = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const inQuery = (text: string) => encodeURIComponent(text).replaceAll("%20", "+");
  return (
    (timestamps ? `${time.toISOString()} ` : "") +
    (details ? `${shown.map(([key, value]) => `${inQuery(key)}=${inQuery(value)}`).join(",")} ` : "")
  );
}

async function write(target: OutputStream, bytes: Uint8Array): Promise<void> {
  if (!target.write(bytes)) await new Promise((resolve) => target.once("drain", resolve));
}

function readTail(text: string): number | undefined {
  if (text === "all" || text.startsWith("-")) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new RamekinError("INVALID_ARGUMENT", `not a number of lines: ${text}`, { hint: "--tail 20, or --tail all" });
}
