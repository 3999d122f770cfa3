import { join } from "node:path";
import type { CleanupOperation, StorageDriver } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { eventAttributes } from "./container-event.ts";
import type { Paths } from "./store/paths.ts";
import { volumePaths } from "./store/volumes.ts";

/**
 * What the supervisor does when the container has ended. The snapshot of one that stays stays too; `--rm` takes everything,
 * names before data: what a crash leaves in between is a container without a name, which `prune` finds, not a name without a container.
 */
export async function cleanupList(
  paths: Paths,
  config: ContainerConfig,
  storage: StorageDriver,
  cgroup: string | undefined,
  /** That a renaming has not let go of yet. */
  formerNames: readonly string[] = [],
): Promise<readonly CleanupOperation[]> {
  const control: CleanupOperation[] = [
    ...(cgroup === undefined ? [] : [{ op: "remove-cgroup", path: cgroup } as const]),
    ...unmountEvents(paths, config),
  ];
  if (!config.options.autoRemove) return control;
  const snapshot = config.options.rootDirectory ? [] : ((await storage.teardown?.(config.storage.key)) ?? []);
  return [
    ...control,
    ...snapshot,
    ...(await mountOperations(paths, config, storage)),
    ...[config.name, ...formerNames].map(
      (name): CleanupOperation => ({ op: "release-name", path: join(paths.names, name), holder: config.id }),
    ),
    { op: "remove-tree", root: paths.containers, path: config.id },
    {
      op: "append-event",
      directory: paths.events,
      event: { type: "container", action: "destroy", id: config.id, attributes: eventAttributes(config) },
    },
    // Its own run directory last: nobody will come to delete it.
    { op: "remove-tree", root: join(paths.runRoot, "containers"), path: config.id },
  ];
}

/** What Docker tells of volumes when a container has ended: nobody else sees it. */
function unmountEvents(paths: Paths, config: ContainerConfig): readonly CleanupOperation[] {
  const volumes = (config.mounts ?? []).filter(({ type }) => type === "volume");
  return volumes.map((point) => ({
    op: "append-event",
    directory: paths.events,
    event: {
      type: "volume",
      action: "unmount",
      id: point.name ?? "",
      attributes: { container: config.id, driver: point.driver ?? "local" },
    },
  }));
}

/** Volumes are let go of; anonymous ones go with their last container. */
async function mountOperations(
  paths: Paths,
  { id, mounts = [] }: ContainerConfig,
  storage: StorageDriver,
): Promise<readonly CleanupOperation[]> {
  const operations: CleanupOperation[] = [];
  for (const { type, name = "", anonymous = false, image } of mounts) {
    if (image) operations.push(...((await storage.teardown?.(image.key)) ?? []));
    if (type !== "volume") continue;
    const { directory, holders } = volumePaths(paths, name);
    operations.push(anonymous ? { op: "release-volume", directory, holder: id } : { op: "remove-tree", root: holders, path: id });
  }
  return operations;
}
