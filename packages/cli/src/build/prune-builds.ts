import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { parseFilters } from "../format/filters.ts";
import { humanSize } from "../format/units.ts";
import { agreed } from "../system/agree.ts";
import { parseMoment } from "../values/moment.ts";

export interface PruneBuildsFlags {
  readonly filter: readonly string[];
  readonly force: boolean;
}

/** `ramekin builder prune`. */
export async function pruneBuilds({ filter, force }: PruneBuildsFlags, context: Context): Promise<number> {
  const [until, ...more] = parseFilters(filter, ["until"]).get("until") ?? [];
  if (more.length > 0) throw new UsageError("the filter until can be given once");
  const moment = until === undefined ? undefined : parseMoment(until);
  if (!force && !(await agreed("WARNING! This will remove all build cache. Are you sure you want to continue?", context))) return 0;
  const engine = await context.engine();
  const { reclaimed } = await engine.pruneBuilds({ signal: context.interruption.signal, ...(moment && { until: moment }) });
  context.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  return 0;
}
