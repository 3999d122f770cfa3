import { join } from "node:path";
import type { CleanupOperation, StorageDriver } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";
import { eventAttributes } from "./container-event.ts";
import type { Paths } from "./store/paths.ts";

/**
 * What the supervisor does when the container has ended. The snapshot of one that stays stays too; `--rm` takes everything,
 * names before data: what a crash leaves in between is a container without a name, which `prune` finds, not a name without a container.
 */
export async function cleanupList(
  paths: Paths,
  config: ContainerConfig,
  storage: StorageDriver,
  cgroup: string | undefined,
): Promise<readonly CleanupOperation[]> {
  const control: CleanupOperation[] = cgroup === undefined ? [] : [{ op: "remove-cgroup", path: cgroup }];
  if (!config.options.autoRemove) return control;
  const snapshot = (await storage.teardown?.(config.storage.key)) ?? [];
  return [
    ...control,
    ...snapshot,
    { op: "remove-tree", root: paths.names, path: config.name },
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
