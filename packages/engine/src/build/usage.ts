import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Cancellable, Digest } from "@ramekin/core";
import { removeTree } from "@ramekin/native";
import type { BuildCacheEntry } from "../api.ts";
import { bytesBelow } from "../inventory.ts";
import type { Scope } from "../scope.ts";
import { forgetStep, listSteps } from "../store/build-cache.ts";
import { isGone } from "../store/files.ts";

/** See `Engine.buildCache`. */
export async function listBuildCache(scope: Scope, _options: Cancellable = {}): Promise<readonly BuildCacheEntry[]> {
  await scope.opened();
  const entries = [...(await stepEntries(scope)), ...(await mountEntries(scope))];
  return entries.sort((a, b) => b.usedAt.getTime() - a.usedAt.getTime());
}

/** A layer that several steps made counts with the first of them. */
async function stepEntries(scope: Scope): Promise<readonly BuildCacheEntry[]> {
  const counted = new Set<Digest>();
  return (await listSteps(scope.paths)).map(({ key, record, usedAt }) => {
    const { layer, createdAt } = record;
    const size = layer && !counted.has(layer.descriptor.digest) ? layer.descriptor.size : 0;
    if (layer) counted.add(layer.descriptor.digest);
    return { id: key.slice(key.indexOf(":") + 1), type: "regular", size, createdAt: new Date(createdAt), usedAt };
  });
}

const mountsOf = (scope: Scope) => join(scope.paths.buildCache, "mounts");

async function mountEntries(scope: Scope): Promise<readonly BuildCacheEntry[]> {
  const entries: BuildCacheEntry[] = [];
  for (const id of await readdir(mountsOf(scope)).catch(ifGone)) {
    const folder = join(mountsOf(scope), id);
    const info = await stat(folder).catch(() => undefined); // somebody prunes, too
    if (!info) continue;
    entries.push({ id, type: "exec.cachemount", size: await bytesBelow(folder), createdAt: info.birthtime, usedAt: info.mtime });
  }
  return entries;
}

/** What it stood for goes with the next garbage collection; the contents of a cache mount go at once. */
export async function forgetEntry(scope: Scope, { id, type }: BuildCacheEntry): Promise<void> {
  if (type === "regular") return forgetStep(scope.paths, `sha256:${id}`);
  const folder = join(mountsOf(scope), id);
  await rm(folder, { recursive: true, force: true }).catch(async (error: NodeJS.ErrnoException) => {
    // Without root, files in it belong to ids of the user's own that only a user namespace may act for.
    if (error.code !== "EACCES" && error.code !== "EPERM") throw error;
    await removeTree(mountsOf(scope), id);
  });
}

function ifGone(error: unknown): string[] {
  if (isGone(error)) return [];
  throw error;
}
