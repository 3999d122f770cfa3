import type { Engine, GcPolicy } from "@ramekin/engine";
import { familiarReference, parseReference } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { matchesLabels, parseFilters } from "../format/filters.ts";
import { humanSize } from "../format/units.ts";
import { parseMoment } from "../values/moment.ts";
import { agreed } from "./agree.ts";

export interface PruneFlags {
  readonly all: boolean;
  readonly filter: readonly string[];
  readonly force: boolean;
  readonly "keep-last": number | undefined;
  readonly "max-used-space": number | undefined;
  readonly "min-free-space": number | undefined;
  readonly "reserved-space": number | undefined;
  readonly volumes: boolean;
}

/** A heading, and what was removed under it. */
type Section = readonly [string, readonly string[]];

interface Pruned {
  readonly sections: readonly Section[];
  readonly reclaimed: number;
}

/** `ramekin system prune`. */
export async function pruneSystem(flags: PruneFlags, context: Context): Promise<number> {
  const policy = policyOf(flags);
  if (policy && (flags.all || flags.volumes || flags.filter.length > 0))
    throw new UsageError("limits of space cannot be combined with --all, --volumes and --filter", {
      hint: "limits choose images by their last use",
    });
  const filters = readFilters(flags.filter);
  if (!flags.force && !(await agreed(policy ? policyWarning : warning(flags), context))) return 0;

  const engine = await context.engine();
  const { signal } = context.interruption;
  // The wreck of a container holds its volumes: it goes first.
  const parts = flags.volumes ? [await tidyUp(engine, signal)] : [];
  parts.push(...(policy ? [await collect(engine, policy, signal)] : await removeUnused(engine, flags, filters, signal)));
  parts.push(await tidyUp(engine, signal));
  for (const [title, names] of parts.flatMap(({ sections }) => sections)) {
    if (names.length > 0) context.print([title, ...names, ""].join("\n"));
  }
  context.print(`Total reclaimed space: ${humanSize(parts.reduce((sum, { reclaimed }) => sum + reclaimed, 0))}`);
  return 0;
}

function policyOf(flags: PruneFlags): GcPolicy | undefined {
  const given = {
    keepLast: flags["keep-last"],
    maxUsed: flags["max-used-space"],
    minFree: flags["min-free-space"],
    reserved: flags["reserved-space"],
  };
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

interface Filters {
  readonly until: Date | undefined;
  /** Undefined when labels do not matter. */
  readonly keeps: ((labels: Readonly<Record<string, string>>) => boolean) | undefined;
}

function readFilters(texts: readonly string[]): Filters {
  const filters = parseFilters(texts, ["until", "label", "label!"]);
  const until = (filters.get("until") ?? []).map((text) => parseMoment(text)).sort((a, b) => a.getTime() - b.getTime())[0];
  const wanted = filters.get("label") ?? [];
  const unwanted = filters.get("label!") ?? [];
  const keeps = (labels: Readonly<Record<string, string>>) =>
    !matchesLabels(labels, wanted) || unwanted.some((label) => matchesLabels(labels, [label]));
  return { until, keeps: wanted.length + unwanted.length > 0 ? keeps : undefined };
}

function warning({ all, filter, volumes }: PruneFlags): string {
  const what = [
    "all stopped containers",
    ...(volumes ? ["all anonymous volumes not used by at least one container"] : []),
    all ? "all images without at least one container associated to them" : "all dangling images",
    "what crashes have left behind",
  ];
  const filters = filter.length > 0 ? ["", "  Items to be pruned will be filtered with:", ...filter.map((each) => `  - ${each}`)] : [];
  return ["WARNING! This will remove:", ...what.map((each) => `  - ${each}`), ...filters, ""].join("\n");
}

const policyWarning = [
  "WARNING! This will remove:",
  "  - unused images, least recently used first, until the limits hold",
  "  - what crashes have left behind",
  "",
].join("\n");

async function removeUnused(engine: Engine, flags: PruneFlags, { until, keeps }: Filters, signal: AbortSignal): Promise<Pruned[]> {
  const common = { signal, ...(until && { until }) };
  const { containers, reclaimed } = await engine.pruneContainers({ ...common, ...(keeps && { keep: ({ labels }) => keeps(labels) }) });
  // As Docker: volumes have no age that counts.
  const volumes = flags.volumes ? await engine.volumes.prune({ signal, ...(keeps && { keep: ({ labels }) => keeps(labels) }) }) : undefined;
  const images = await engine.pruneImages({ ...common, all: flags.all, ...(keeps && { keep: (_, labels) => keeps(labels) }) });
  return [
    { sections: [["Deleted Containers:", containers]], reclaimed },
    ...(volumes ? [{ sections: [["Deleted Volumes:", volumes.volumes] satisfies Section], reclaimed: volumes.reclaimed }] : []),
    { sections: [imageSection(images.untagged, images.deleted)], reclaimed: images.reclaimed },
  ];
}

async function collect(engine: Engine, policy: GcPolicy, signal: AbortSignal): Promise<Pruned> {
  const { images, blobs, reclaimed } = await engine.gc(policy, { signal });
  const untagged = images.flatMap(({ names }) => names.map((name) => familiarReference(parseReference(name))));
  return { sections: [imageSection(untagged, blobs)], reclaimed };
}

function imageSection(untagged: readonly string[], deleted: readonly string[]): Section {
  return ["Deleted Images:", [...untagged.map((name) => `untagged: ${name}`), ...deleted.map((digest) => `deleted: ${digest}`)]];
}

async function tidyUp(engine: Engine, signal: AbortSignal): Promise<Pruned> {
  const { containers, snapshots, blobs, reclaimed } = await engine.prune({ signal });
  const sections: readonly Section[] = [
    ["Put right or removed containers:", containers],
    ["Deleted snapshots:", snapshots],
    ["Deleted blobs:", blobs],
  ];
  return { sections, reclaimed };
}
