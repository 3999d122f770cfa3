import { isOn } from "../argv/read-value.ts";
import type { Context } from "../context.ts";
import { matchesLabels, parseFilters } from "../format/filters.ts";
import { humanSize } from "../format/units.ts";
import { agreed } from "../system/agree.ts";

/** `ramekin volume prune`. */
export async function pruneVolumes(
  flags: { readonly all: boolean; readonly filter: readonly string[]; readonly force: boolean },
  context: Context,
): Promise<number> {
  const filters = parseFilters(flags.filter, ["all", "label", "label!"]);
  const all = flags.all || (filters.get("all") ?? []).some((text) => isOn(text) === true);
  const wanted = filters.get("label") ?? [];
  const unwanted = filters.get("label!") ?? [];
  const which = all ? "all" : "anonymous";
  const warning = `WARNING! This will remove ${which} local volumes not used by at least one container.`;
  if (!flags.force && !(await agreed(warning, context))) return 0;
  const engine = await context.engine();
  const { volumes, reclaimed } = await engine.volumes.prune({
    all,
    signal: context.interruption.signal,
    keep: ({ labels }) => !matchesLabels(labels, wanted) || unwanted.some((label) => matchesLabels(labels, [label])),
  });
  if (volumes.length > 0) context.print(["Deleted Volumes:", ...volumes, ""].join("\n"));
  context.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  return 0;
}
