import { RamekinError } from "@ramekin/core";
import type { Context } from "../context.ts";
import { parseMoment } from "../values/moment.ts";

export interface LogFlags {
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
  const records = container.logs({
    follow: flags.follow,
    signal: context.interruption.signal,
    ...(tail !== undefined && { tail }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  });
  for await (const { time, stream, line, partial } of records) {
    const target = stream === "stdout" ? context.stdout : context.stderr;
    const parts = [...(flags.timestamps ? [Buffer.from(`${time.toISOString()} `)] : []), line, ...(partial ? [] : [lineBreak])];
    if (!target.write(Buffer.concat(parts))) await new Promise((resolve) => target.once("drain", resolve));
  }
  return 0;
}

function readTail(text: string): number | undefined {
  if (text === "all" || text.startsWith("-")) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new RamekinError("INVALID_ARGUMENT", `not a number of lines: ${text}`, { hint: "--tail 20, or --tail all" });
}
