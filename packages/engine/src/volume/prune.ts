import type { PrunedVolumes, PruneVolumesOptions } from "../api.ts";
import { attempt, type Scope } from "../scope.ts";
import { removeVolumeRemains } from "../store/volumes.ts";
import { listVolumes } from "./list.ts";
import { removeUnused } from "./remove.ts";
import { volumeSize } from "./usage.ts";

/** See `Volumes.prune`. */
export async function pruneVolumes(
  scope: Scope,
  { all = false, keep = () => false, signal }: PruneVolumesOptions = {},
): Promise<PrunedVolumes> {
  const volumes: string[] = [];
  let reclaimed = 0;
  for (const volume of await listVolumes(scope)) {
    signal?.throwIfAborted();
    if (volume.containers.length > 0 || !(all || volume.anonymous) || keep(volume)) continue;
    await attempt(scope, `removing volume ${volume.name}`, async () => {
      const size = await volumeSize(scope, volume.name);
      if (!(await removeUnused(scope, volume.name))) return;
      volumes.push(volume.name);
      reclaimed += size;
    });
  }
  await attempt(scope, "removing what is left of volumes", () => removeVolumeRemains(scope.paths));
  scope.emit("volume", "prune", "", { reclaimed: String(reclaimed) });
  return { volumes, reclaimed };
}
