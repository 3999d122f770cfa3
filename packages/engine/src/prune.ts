import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Cancellable } from "@ramekin/core";
import type { ContainerConfig, PruneReport } from "./api.ts";
import { collectGarbage } from "./collect.ts";
import { contentOf } from "./image.ts";
import { removeLocked } from "./remove.ts";
import { attempt, type Scope } from "./scope.ts";
import { allIds, currentState, entriesOf, isThere, readConfigIfThere } from "./store/containers.ts";
import { tryLockFile } from "./store/lock.ts";
import { releaseDeadNames, releaseName } from "./store/names.ts";
import { removeVolumeRemains } from "./store/volumes.ts";

/** A download that nobody has gone on with for so long is given up. */
const staleIngestMs = 24 * 3600 * 1000;

/** See `Engine.prune`. Containers that have ended in order are nobody's leftovers and stay. */
export async function prune(scope: Scope, { signal }: Cancellable = {}): Promise<PruneReport> {
  await scope.opened();
  const containers: string[] = [];
  for (const id of await allIds(scope.paths)) {
    signal?.throwIfAborted();
    await attempt(scope, `putting container ${id.slice(0, 12)} right`, async () => {
      if (await removeWreck(scope, id)) containers.push(id);
    });
  }
  for (const entry of await entriesOf(scope.paths.containers)) {
    if (entry.startsWith(".gone-"))
      await attempt(scope, `removing ${entry}`, () => rm(join(scope.paths.containers, entry), { recursive: true, force: true }));
  }
  for (const entry of await entriesOf(scope.paths.root)) {
    if (entry.startsWith(".load-")) await attempt(scope, `removing ${entry}`, () => removeStaleLoad(join(scope.paths.root, entry)));
  }
  await attempt(scope, "removing what is left of volumes", () => removeVolumeRemains(scope.paths));
  await attempt(scope, "releasing names", () => releaseDeadNames(scope.paths));
  await attempt(scope, "giving up old downloads", () => abandonIngests(scope));
  const { blobs, snapshots, reclaimed } = await collectGarbage(scope, { measure: true, signal });
  return { containers, snapshots, blobs, reclaimed };
}

/** Half made, half removed, or ended without its supervisor's having removed it: but not while anybody is at it. */
export async function removeWreck(scope: Scope, id: string): Promise<boolean> {
  const paths = scope.paths.container(id);
  const config = await readConfigIfThere(scope.paths, id);
  const current = config && (await currentState(scope, config)); // this alone ends what lost its supervisor
  const whole = config !== undefined && (await isThere(paths.spec));
  const unstarted = current?.status === "created" && current.state.liveness === "live";
  if (whole && !unstarted && current?.status !== "dead" && current?.status !== "removing") return false;
  await using lock = await tryLockFile(paths.lock);
  if (!lock) return false;
  if (config && whole && unstarted) return endUnstarted(scope, config);
  if (config) {
    await removeLocked(scope, config);
    return true;
  }
  // Not even a configuration: no driver has seen it.
  await attempt(scope, `releasing the name of ${id}`, async () => {
    for (const name of await entriesOf(scope.paths.names)) if (!name.startsWith(".")) await releaseName(scope.paths, name, id);
  });
  await rm(paths.directory, { recursive: true, force: true });
  return true;
}

/** Whoever started it died half-way, and its process waits for ever: it becomes what it was, or goes if it was to go. */
async function endUnstarted(scope: Scope, config: ContainerConfig): Promise<boolean> {
  const isolation = await scope.kernel.use("isolation", config.isolation.driver);
  await isolation.delete(config.id, { force: true });
  if (config.options.autoRemove) await removeLocked(scope, config);
  else await rm(scope.paths.container(config.id).state, { force: true });
  return config.options.autoRemove === true;
}

async function abandonIngests(scope: Scope): Promise<void> {
  const content = await contentOf(scope);
  for await (const { ref, updatedAt } of content.ingests()) {
    if (Date.now() - updatedAt.getTime() < staleIngestMs) continue;
    await attempt(scope, `giving up ${ref}`, async () => (await content.open(ref)).abort());
  }
}

async function removeStaleLoad(path: string): Promise<void> {
  if (Date.now() - (await stat(path)).mtimeMs > staleIngestMs) await rm(path, { recursive: true, force: true });
}
