import { join } from "node:path";
import { type Digest, isRamekinError, RamekinError } from "@ramekin/core";
import { checkLayoutMarker, emptyLayoutIndex, isDigest, type LayoutIndex, layoutEntries, refName } from "@ramekin/oci";
import type { ContainerConfig } from "../api.ts";
import { unlessDamaged } from "../inventory.ts";
import type { Scope } from "../scope.ts";
import { allIds, readConfigIfThere } from "../store/containers.ts";
import { readIfThere } from "../store/files.ts";
import { readImages } from "../store/images.ts";
import { leaseIds } from "../store/leases.ts";
import { tryLockFile } from "../store/lock.ts";
import type { StoreProblem } from "../store-api.ts";
import type { Root } from "./walk.ts";

export interface Roots {
  readonly roots: readonly Root[];
  readonly index: LayoutIndex;
  /** Of the files that say what images there are. */
  readonly problems: readonly StoreProblem[];
}

export async function readRoots(scope: Scope): Promise<Roots> {
  const problems: StoreProblem[] = [];
  const tell = (id: string, error: unknown) => {
    if (!isRamekinError(error)) throw error;
    problems.push({ kind: "index", id, message: error.message, images: [], containers: [] });
  };
  let index = emptyLayoutIndex;
  try {
    index = await readImages(scope.paths);
  } catch (error) {
    tell(scope.paths.index, error);
  }
  const marker = join(scope.paths.images, "oci-layout");
  if (index !== emptyLayoutIndex) {
    try {
      checkLayoutMarker(new TextEncoder().encode((await readIfThere(marker)) ?? ""));
    } catch (error) {
      tell(marker, error instanceof RamekinError ? error : new RamekinError("DATA_LOSS", `${marker} is not JSON`));
    }
  }
  const roots = new Map<Digest, { -readonly [K in keyof Root]: Root[K] } & { names: string[]; containers: ContainerConfig[] }>();
  for (const descriptor of layoutEntries(index)) {
    const root = roots.get(descriptor.digest) ?? { descriptor, names: [], listed: true, containers: [] };
    roots.set(descriptor.digest, root);
    const name = refName(descriptor);
    if (name !== undefined) root.names.push(name);
  }
  for (const id of await allIds(scope.paths)) {
    const config = await unlessDamaged(() => readConfigIfThere(scope.paths, id));
    if (!config) continue;
    const { descriptor } = config.image;
    const root = roots.get(descriptor.digest) ?? { descriptor, names: [], listed: false, containers: [] };
    roots.set(descriptor.digest, root);
    root.containers.push(config);
  }
  return { roots: [...roots.values()], index, problems };
}

/** As people know it. */
export const labelOf = ({ names, descriptor }: Root): readonly string[] => (names.length > 0 ? names : [descriptor.digest]);

export interface LiveLeases {
  readonly digests: ReadonlySet<Digest>;
  readonly dead: number;
}

/** Without removing the dead ones: that is for `prune`. */
export async function liveLeases(scope: Scope): Promise<LiveLeases> {
  const digests = new Set<Digest>();
  let dead = 0;
  for (const id of await leaseIds(scope.paths)) {
    const path = join(scope.paths.leases, id);
    await using free = await tryLockFile(path);
    if (free) dead++;
    else for (const line of ((await readIfThere(path)) ?? "").split("\n")) if (isDigest(line)) digests.add(line);
  }
  return { digests, dead };
}
