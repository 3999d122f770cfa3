import type { Context } from "../context.ts";
import { matchesLabels, parseFilters } from "../format/filters.ts";
import { humanSize } from "../format/units.ts";
import { agreed } from "../system/agree.ts";
import { parseMoment } from "../values/moment.ts";

/** `ramekin image prune`. */
export async function pruneImages(
  { all, filter, force }: { readonly all: boolean; readonly filter: readonly string[]; readonly force: boolean },
  context: Context,
): Promise<number> {
  const filters = parseFilters(filter, ["until", "label", "label!"]);
  const until = filters.get("until")?.map((text) => parseMoment(text)) ?? [];
  const earliest = until.sort((a, b) => a.getTime() - b.getTime())[0];
  const wanted = filters.get("label") ?? [];
  const unwanted = filters.get("label!") ?? [];
  const what = all ? "all images without at least one container associated to them" : "all dangling images";
  if (!force && !(await agreed(`WARNING! This will remove ${what}.`, context))) return 0;

  const engine = await context.engine();
  const { untagged, deleted, reclaimed } = await engine.pruneImages({
    signal: context.interruption.signal,
    all,
    ...(earliest && { until: earliest }),
    ...((wanted.length > 0 || unwanted.length > 0) && {
      keep: (_, labels) => !matchesLabels(labels, wanted) || unwanted.some((label) => matchesLabels(labels, [label])),
    }),
  });
  const lines = [...untagged.map((name) => `untagged: ${name}`), ...deleted.map((digest) => `deleted: ${digest}`)];
  if (lines.length > 0) context.print(["Deleted Images:", ...lines, ""].join("\n"));
  context.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  return 0;
}
