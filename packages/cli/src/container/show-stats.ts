import { RamekinError } from "@ramekin/core";
import type { StatsRow } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { type Listing, listingLines, type Row } from "../format/listing.ts";
import { humanMemory, humanSize, shortId } from "../format/units.ts";

export interface StatsFlags {
  readonly all: boolean;
  readonly format: string | undefined;
  readonly interval: number;
  readonly "no-reset": boolean;
  readonly "no-stream": boolean;
  readonly "no-trunc": boolean;
}

/** `ramekin stats`. */
export async function showStats(flags: StatsFlags, names: readonly string[], context: Context): Promise<number> {
  const { all, format, interval } = flags;
  if (all && names.length > 0)
    throw new RamekinError("INVALID_ARGUMENT", "--all and names of containers exclude each other", { hint: "name them, or say --all" });
  if (!(interval > 0)) throw new RamekinError("INVALID_ARGUMENT", `--interval ${interval}: not a time`, { hint: "seconds, more than 0" });
  const engine = await context.engine();
  const tables = engine.stats({
    all,
    intervalMs: interval * 1000,
    signal: context.interruption.signal,
    ...(names.length > 0 && { containers: names }),
  });
  const redraws = context.stdout.isTTY === true && !flags["no-stream"] && !flags["no-reset"];
  if (redraws) context.stdout.write(clear);
  for await (const found of tables) {
    const rows = found.map((row) => statsRow(row, names.length > 0 ? row.name : shortId(row.id), !flags["no-trunc"]));
    const lines = listingLines({ ...listing, rows }, format, false);
    if (redraws) context.stdout.write(`${home}${lines.map((line) => `${line}${restOfLine}\n`).join("")}${below}`);
    else for (const line of lines) context.print(line);
    if (flags["no-stream"]) break;
  }
  return 0;
}

/** ECMA-48: erase all; cursor to the first place; erase to the end of the line, and of the screen. */
const [clear, home, restOfLine, below] = ["\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"] as const;

const listing: Omit<Listing, "rows"> = {
  columns: ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"],
  headings: {
    ID: "CONTAINER ID",
    CPUPerc: "CPU %",
    MemUsage: "MEM USAGE / LIMIT",
    MemPerc: "MEM %",
    NetIO: "NET I/O",
    BlockIO: "BLOCK I/O",
    PIDs: "PIDS",
  },
  key: "ID",
};

/** By the names of Docker's `stats --format`. */
function statsRow({ id, name, stats, cpuPercent, memory }: StatsRow, asked: string, short: boolean): Row {
  const { network, io } = stats ?? {};
  return {
    BlockIO: `${humanSize(io?.readBytes ?? 0)} / ${humanSize(io?.writtenBytes ?? 0)}`,
    CPUPerc: percent(cpuPercent),
    Container: asked,
    ID: short ? shortId(id) : id,
    MemPerc: percent(memory.limit > 0 ? (memory.used / memory.limit) * 100 : 0),
    MemUsage: `${humanMemory(memory.used)} / ${humanMemory(memory.limit)}`,
    Name: name,
    NetIO: `${humanSize(network?.receivedBytes ?? 0)} / ${humanSize(network?.sentBytes ?? 0)}`,
    PIDs: String(stats?.pids.current ?? 0),
  };
}

const percent = (value: number) => `${value.toFixed(2)}%`;
