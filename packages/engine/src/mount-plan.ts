import type { MountConfig } from "@ramekin/oci";
import type { ContainerMount, ContainerOptions, MountPoint } from "./api.ts";

/** What a container mounts, as far as can be said before its image is known. */
export interface MountPlan {
  readonly mounts: readonly ContainerMount[];
  /** Of other containers. */
  readonly inherited: readonly MountPoint[];
}

/** Mounts as they are once image and volumes are known. */
export interface Settled {
  readonly points: readonly MountPoint[];
  readonly specs: readonly MountConfig[];
}

/** Most containers have none, and need nothing of what reads them. */
export function hasMounts({ mounts, volumesFrom, readOnly, readOnlyTmpfs }: ContainerOptions): boolean {
  return (mounts?.length ?? 0) + (volumesFrom?.length ?? 0) > 0 || (readOnly === true && readOnlyTmpfs === true);
}

/** A storage key of ours: a container's view of an image that is not its own. */
export const viewKey: RegExp = /^view-([0-9a-f]{64})-[0-9]+$/;
