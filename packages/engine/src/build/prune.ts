import { statfs } from "node:fs/promises";
import type { BuildCacheEntry, PruneBuildsOptions, PrunedBuilds } from "../api.ts";
import { collectGarbage } from "../collect.ts";
import type { Scope } from "../scope.ts";
import { forgetNotes } from "../store/build-cache.ts";
import { forgetEntry, listBuildCache } from "./usage.ts";

/** See `Engine.pruneBuilds`. What has not been of use for the longest goes first. */
export async function pruneBuilds(scope: Scope, options: PruneBuildsOptions = {}): Promise<PrunedBuilds> {
  await scope.opened();
  const { until, types, signal } = options;
  const all = await listBuildCache(scope, { signal });
  const total = all.reduce((sum, { size }) => sum + size, 0);
  const keep = await bytesToKeep(scope, total, options);
  let left = total;
  let mounts = 0;
  const forgotten: BuildCacheEntry[] = [];
  for (const entry of all.toReversed()) {
    signal?.throwIfAborted();
    if (types && !types.includes(entry.type)) continue;
    if (until && entry.usedAt >= until) continue;
    if (keep > 0 && left <= keep) break;
    await forgetEntry(scope, entry);
    left -= entry.size;
    if (entry.type === "exec.cachemount") mounts += entry.size;
    forgotten.push(entry);
  }
  if (!types && keep === 0) await forgetNotes(scope.paths, until);
  const { reclaimed } = await collectGarbage(scope, { measure: true });
  scope.emit("builder", "prune", "", { reclaimed: String(reclaimed + mounts) });
  return { steps: forgotten.length, entries: forgotten, reclaimed: reclaimed + mounts };
}

/** 0: nothing. As BuildKit reckons it (cache/manager.go, calculateKeepBytes). */
async function bytesToKeep(
  { paths }: Scope,
  total: number,
  { maxUsed = 0, reserved = 0, minFree = 0 }: Pick<PruneBuildsOptions, "maxUsed" | "reserved" | "minFree">,
): Promise<number> {
  if (maxUsed === 0 && reserved === 0 && minFree === 0) return 0;
  const { bavail, bsize } = await statfs(paths.root);
  const excess = minFree - bavail * bsize;
  let keep = maxUsed;
  if (excess > 0) keep = keep === 0 ? total - excess : Math.min(keep, total - excess);
  else if (keep === 0 && minFree > 0) return total; // there is room enough
  return Math.max(keep, reserved);
}
