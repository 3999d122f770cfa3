import { statfs } from "node:fs/promises";
import { type Cancellable, isRamekinError } from "@ramekin/core";
import { collectLocked } from "./collect.ts";
import { lastUseOf, ownersOf, sizeOf } from "./disk-usage.ts";
import { forgetImages, tellForgotten } from "./forget-images.ts";
import { type Inventory, readContainers, type StoredImage, takeInventory } from "./inventory.ts";
import { records } from "./mount-image.ts";
import type { Scope } from "./scope.ts";
import { readLeases } from "./store/leases.ts";
import { withLock } from "./store/lock.ts";
import type { GcPolicy, GcReport } from "./store-api.ts";

const nothing: GcReport = { images: [], blobs: [], snapshots: [], reclaimed: 0 };

/** See `Engine.gc`. */
export async function gc(scope: Scope, policy: GcPolicy, options: Cancellable = {}): Promise<GcReport> {
  await scope.opened();
  const disk = await freeSpace(scope);
  if (withinLimits(policy, disk)) return nothing;
  const inventory = await takeInventory(scope, options);
  const doomed = await chooseDoomed(scope, inventory, policy, disk.free);
  if (doomed.length === 0) return nothing;
  return withLock(scope.paths.lock, { exclusive: true, signal: options.signal }, () => removeUnused(scope, doomed));
}

interface Disk {
  readonly free: number;
  readonly used: number;
}

async function freeSpace(scope: Scope): Promise<Disk> {
  const { bavail, bfree, blocks, bsize } = await statfs(scope.paths.root);
  return { free: bavail * bsize, used: (blocks - bfree) * bsize };
}

/** The store is no larger than all that its file system holds: mostly nobody has to look closer. */
function withinLimits({ maxUsed, minFree, maxAge }: GcPolicy, { free, used }: Disk): boolean {
  if (maxAge !== undefined || (maxUsed === undefined && minFree === undefined)) return false;
  return (maxUsed === undefined || used <= maxUsed) && (minFree === undefined || free >= minFree);
}

/** How many bytes images may keep; as BuildKit reckons it. */
function bytesToKeep({ maxUsed, minFree, maxAge, reserved = 0 }: GcPolicy, used: number, free: number): number {
  let keep = maxUsed ?? Number.POSITIVE_INFINITY;
  if (minFree !== undefined && free < minFree) keep = Math.min(keep, used - (minFree - free));
  if (maxUsed === undefined && minFree === undefined && maxAge === undefined) keep = 0;
  return Math.max(keep, reserved);
}

async function chooseDoomed(scope: Scope, inventory: Inventory, policy: GcPolicy, free: number): Promise<readonly StoredImage[]> {
  const mounted = new Set(await mountedIn(scope));
  const unused = inventory.images.filter(
    ({ descriptor, listed, containers }) => listed && containers.length === 0 && !mounted.has(descriptor.digest),
  );
  const aged = await Promise.all(
    unused.map(async (image) => ({ image, usedAt: (await lastUseOf(scope, image).catch(unlessGone))?.getTime() ?? 0 })),
  );
  aged.sort((a, b) => b.usedAt - a.usedAt);
  const candidates = aged.slice(policy.keepLast ?? 0).reverse();

  const owners = ownersOf(inventory.images);
  let used = sizeOf(inventory, owners.keys());
  const keep = bytesToKeep(policy, used, free);
  const oldest = policy.maxAge === undefined ? Number.NEGATIVE_INFINITY : Date.now() - policy.maxAge;
  const doomed: StoredImage[] = [];
  for (const { image, usedAt } of candidates) {
    if (used <= keep && usedAt >= oldest) break;
    doomed.push(image);
    for (const item of image.items) {
      const left = (owners.get(item) as number) - 1;
      owners.set(item, left);
      if (left === 0) used -= inventory.items.get(item) ?? 0;
    }
  }
  return doomed;
}

const mountedIn = async (scope: Scope) => (await records(scope)).map(({ id }) => id);

function unlessGone(error: unknown): undefined {
  if (!isRamekinError(error, "NOT_FOUND")) throw error;
}

/** Under the store's exclusive lock: a container or a lease that came since the choice keeps its image, name and all. */
async function removeUnused(scope: Scope, doomed: readonly StoredImage[]): Promise<GcReport> {
  const leases = await readLeases(scope.paths);
  const inUse = new Set([...(await readContainers(scope)).map(({ image }) => image.descriptor.digest), ...(await mountedIn(scope))]);
  const going = doomed.filter(
    ({ descriptor, documents }) => !inUse.has(descriptor.digest) && ![...documents].some((digest) => leases.digests.has(digest)),
  );
  const digests = new Set(going.map(({ descriptor }) => descriptor.digest));
  const images = await forgetImages(scope, (id) => digests.has(id));
  const { blobs, snapshots, reclaimed } = await collectLocked(scope, leases, { measure: true });
  tellForgotten(scope, images);
  return { images, blobs, snapshots, reclaimed };
}
