import { type LogRecord, RamekinError } from "@ramekin/core";
import type { Context, OutputStream } from "../context.ts";
import { parseMoment } from "../values/moment.ts";

export interface LogFlags {
  readonly color: boolean;
  readonly details: boolean;
  readonly follow: boolean;
  readonly names: boolean;
  readonly since: string | undefined;
  readonly tail: string;
  readonly timestamps: boolean;
  readonly until: string | undefined;
}

const lineBreak = Buffer.from("\n");

/** `ramekin logs`: what the container wrote to stdout on ours, what it wrote to stderr on ours. Of several, one after the other; those that are followed, all at once. */
export async function showLogs(flags: LogFlags, names: readonly string[], context: Context): Promise<number> {
  const tail = readTail(flags.tail);
  const since = flags.since === undefined ? undefined : parseMoment(flags.since);
  const until = flags.until === undefined ? undefined : parseMoment(flags.until);
  const engine = await context.engine();
  const containers = await Promise.all(names.map((name) => engine.container(name)));
  const options = {
    follow: flags.follow,
    signal: context.interruption.signal,
    ...(tail !== undefined && { tail }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
  const shows = containers.map((container, index) => () => {
    const whose = flags.names ? `${container.name} ` : containers.length > 1 ? `${container.id.slice(0, 12)} ` : "";
    return showBatches(
      container.logBatches(options),
      { ...flags, whose, colour: flags.color ? colours[index % colours.length] : undefined },
      context,
    );
  });
  if (flags.follow) await Promise.all(shows.map((show) => show()));
  else for (const show of shows) await show();
  return 0;
}

/** ECMA-48: red to cyan in the foreground; and as it was. */
const colours = [31, 32, 33, 34, 35, 36].map((code) => `\x1b[${code}m`);
const plain = "\x1b[0m";

interface LineStyle extends LogFlags {
  /** Stands before each line. */
  readonly whose: string;
  readonly colour: string | undefined;
}

async function showBatches(batches: AsyncIterable<readonly LogRecord[]>, style: LineStyle, context: Context): Promise<void> {
  for await (const batch of batches) {
    // One write for all lines in a row of one stream: a write of its own for each took most of the time of a long log.
    for (let first = 0; first < batch.length; ) {
      const stream = batch[first]?.stream;
      const parts: Uint8Array[] = [];
      let next = first;
      for (let record = batch[next]; record !== undefined && record.stream === stream; record = batch[++next]) {
        const before = prefix(record, style);
        if (before !== "") parts.push(Buffer.from(before));
        parts.push(record.line);
        if (style.colour !== undefined) parts.push(Buffer.from(plain));
        if (record.partial !== true) parts.push(lineBreak);
      }
      await write(stream === "stdout" ? context.stdout : context.stderr, Buffer.concat(parts));
      first = next;
    }
  }
}

/** In Docker's order, behind whose it is: the time, then what was written with the record, of which there may be nothing. */
function prefix({ time, nanoseconds = 0, attributes = {} }: LogRecord, { timestamps, details, whose, colour = "" }: LineStyle): string {
  const shown = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const inQuery = (text: string) => encodeURIComponent(text).replaceAll("%20", "+");
  return (
    colour +
    whose +
    (timestamps ? `${time.toISOString().slice(0, -1)}${String(nanoseconds).padStart(6, "0")}Z ` : "") +
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
