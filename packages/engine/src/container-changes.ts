import type { Cancellable, Change } from "@ramekin/core";
import { changes } from "@ramekin/native";
import type { RuntimeConfig } from "@ramekin/oci";
import type { ContainerConfig } from "./api.ts";
import { rootMounts } from "./root-directory.ts";
import type { Scope } from "./scope.ts";
import { readJsonIfThere } from "./store/files.ts";
import { openViews } from "./view.ts";

/** See `Container.changes`. */
export async function* containerChanges(scope: Scope, config: ContainerConfig, options: Cancellable = {}): AsyncGenerator<Change> {
  await using views = await openViews(scope, { ...options, storage: config.storage.driver });
  const upper = await rootMounts(scope.paths, views.storage, config);
  const lower = await views.mounts(config.image.chainId || undefined);
  yield* changes(upper, lower, { signal: options.signal, targets: await mountTargets(scope, config) });
}

/**
 * Docker makes what it mounts on in a layer of its own, below the one that it compares and commits; here the supervisor makes it in the
 * container's, and it is left out of what the container has changed.
 */
export async function mountTargets(scope: Scope, { id }: ContainerConfig): Promise<readonly string[]> {
  const spec = await readJsonIfThere<RuntimeConfig>(scope.paths.container(id).spec);
  return (spec?.mounts ?? []).map(({ destination }) => destination);
}
