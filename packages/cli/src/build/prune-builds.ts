import type { BuildCacheEntry, PruneBuildsOptions } from "@ramekin/engine";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { parseFilters } from "../format/filters.ts";
import { humanSize } from "../format/units.ts";
import { agreed } from "../system/agree.ts";
import { defined } from "../values/defined.ts";
import { parseMoment } from "../values/moment.ts";
import { cacheRows } from "./show-cache.ts";

export interface PruneBuildsFlags {
  readonly filter: readonly string[];
  readonly force: boolean;
  readonly "keep-storage": number | undefined;
  readonly "max-used-space": number | undefined;
  readonly "min-free-space": number | undefined;
  readonly "reserved-space": number | undefined;
  readonly verbose: boolean;
}

/** `ramekin builder prune`. */
export async function pruneBuilds(flags: PruneBuildsFlags, context: Context): Promise<number> {
  const options: PruneBuildsOptions = {
    ...filterOptions(flags.filter),
    ...defined({
      maxUsed: flags["max-used-space"],
      minFree: flags["min-free-space"],
      // The older name.
      reserved: flags["reserved-space"] ?? flags["keep-storage"],
    }),
  };
  const warning = "WARNING! This will remove all build cache. Are you sure you want to continue?";
  if (!flags.force && !(await agreed(warning, context))) return 0;
  const engine = await context.engine();
  const { entries, reclaimed } = await engine.pruneBuilds({ ...options, signal: context.interruption.signal });
  if (flags.verbose) for (const line of cacheRows(entries)) context.print(line);
  context.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  return 0;
}

const types: readonly BuildCacheEntry["type"][] = ["regular", "exec.cachemount"];

/** `until=24h`, `type=exec.cachemount`. */
export function filterOptions(filter: readonly string[]): Pick<PruneBuildsOptions, "until" | "types"> {
  const filters = parseFilters(filter, ["until", "type"]);
  const [until, ...more] = filters.get("until") ?? [];
  if (more.length > 0) throw new UsageError("the filter until can be given once");
  const wanted = filters.get("type")?.map((text) => {
    const type = types.find((each) => each === text);
    if (!type) throw new UsageError(`invalid filter 'type=${text}'`, { status: 1, hint: `known are ${types.join(", ")}` });
    return type;
  });
  return { ...(until !== undefined && { until: parseMoment(until) }), ...(wanted && { types: wanted }) };
}
