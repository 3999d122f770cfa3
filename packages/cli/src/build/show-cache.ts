import type { BuildCacheEntry } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { table } from "../format/table.ts";
import { ago, humanSize } from "../format/units.ts";
import { filterOptions } from "./prune-builds.ts";

export interface ShowCacheFlags {
  readonly filter: readonly string[];
  readonly verbose: boolean;
}

/** `ramekin builder du`: as buildx prints it. */
export async function showCache({ filter, verbose }: ShowCacheFlags, context: Context): Promise<number> {
  const { until, types } = filterOptions(filter);
  const engine = await context.engine();
  const all = await engine.buildCache({ signal: context.interruption.signal });
  const entries = all.filter(({ type, usedAt }) => (!types || types.includes(type)) && (!until || usedAt < until));
  for (const line of verbose ? entries.flatMap(details) : cacheRows(entries)) context.print(line);
  const total = humanSize(entries.reduce((sum, { size }) => sum + size, 0));
  // Nothing of it is in use once a build is over.
  context.print(`Reclaimable:\t${total}`);
  context.print(`Total:\t\t${total}`);
  return 0;
}

export function cacheRows(entries: readonly BuildCacheEntry[]): readonly string[] {
  const rows = entries.map(({ id, size, usedAt }) => [id, "true", humanSize(size), ago(usedAt)]);
  return table([["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"], ...rows]);
}

function details({ id, type, size, createdAt, usedAt }: BuildCacheEntry): readonly string[] {
  return [
    `ID:\t\t${id}`,
    `Created at:\t${createdAt.toISOString()}`,
    "Mutable:\tfalse",
    "Reclaimable:\ttrue",
    "Shared:\t\tfalse",
    `Size:\t\t${humanSize(size)}`,
    `Last used:\t${ago(usedAt)}`,
    `Type:\t\t${type}`,
    "",
  ];
}
