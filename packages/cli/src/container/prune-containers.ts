import type { Context } from "../context.ts";
import { matchesLabels, parseFilters } from "../format/filters.ts";
import { humanSize } from "../format/units.ts";
import { agreed } from "../system/agree.ts";
import { parseMoment } from "../values/moment.ts";

/** `ramekin container prune`. */
export async function pruneContainers(
  { filter, force }: { readonly filter: readonly string[]; readonly force: boolean },
  context: Context,
): Promise<number> {
  const filters = parseFilters(filter, ["until", "label", "label!"]);
  const earliest = (filters.get("until") ?? []).map((text) => parseMoment(text)).sort((a, b) => a.getTime() - b.getTime())[0];
  const wanted = filters.get("label") ?? [];
  const unwanted = filters.get("label!") ?? [];
  if (!force && !(await agreed("WARNING! This will remove all stopped containers.", context))) return 0;

  const engine = await context.engine();
  const { containers, reclaimed } = await engine.pruneContainers({
    signal: context.interruption.signal,
    ...(earliest && { until: earliest }),
    keep: ({ labels }) => !matchesLabels(labels, wanted) || unwanted.some((label) => matchesLabels(labels, [label])),
  });
  if (containers.length > 0) context.print(["Deleted Containers:", ...containers, ""].join("\n"));
  context.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  return 0;
}
