import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Cancellable } from "@ramekin/core";
import { listBuildCache } from "./build/usage.ts";
import { contentOf } from "./image.ts";
import { describeImage } from "./images.ts";
import { bytesBelow, type Inventory, type StoredImage, snapshotItem, takeInventory } from "./inventory.ts";
import { listContainers } from "./list.ts";
import { parallel } from "./parallel.ts";
import type { Scope } from "./scope.ts";
import { readSteps } from "./store/build-cache.ts";
import { entriesOf } from "./store/containers.ts";
import { isGone } from "./store/files.ts";
import { lastUse } from "./store/last-use.ts";
import type { ContainerUsage, DiskUsage, ImageUsage, Portion, VolumeUsage } from "./store-api.ts";
import { listVolumes } from "./volume/list.ts";
import { volumeSize } from "./volume/usage.ts";

/** See `Engine.diskUsage`. */
export async function diskUsage(scope: Scope, options: Cancellable = {}): Promise<DiskUsage> {
  await scope.opened();
  const inventory = await takeInventory(scope, options);
  const all = union(inventory.images);
  const used = union(inventory.images.filter(({ containers }) => containers.length > 0));
  const own = new Set(inventory.containers.map(({ storage }) => snapshotItem(storage.driver, storage.key)));
  const rest = [...inventory.items.keys()].filter((item) => !all.has(item) && !own.has(item));
  const bytes = (items: Iterable<string>) => sizeOf(inventory, items);
  const owners = ownersOf(inventory.images);
  const unpacking = rest.filter((item) => /\/unpack-/.test(item));
  const others = rest.filter((item) => isForeign(item) && !unpacking.includes(item));
  const remembered = await rememberedItems(scope);
  const cached = rest.filter((item) => remembered.has(item.slice(item.lastIndexOf("/") + 1)));
  const garbage = rest.filter((item) => !others.includes(item) && !unpacking.includes(item) && !cached.includes(item));
  const entries = await listBuildCache(scope, options);
  const mounts = entries.filter(({ type }) => type === "exec.cachemount").reduce((sum, { size }) => sum + size, 0);
  const downloads = await unfinishedIn(scope);
  return {
    images: await Promise.all(inventory.images.map((image) => imageUsage(scope, inventory, image, owners))),
    containers: await containerUsages(scope, inventory),
    volumes: await volumeUsages(scope),
    imagesSize: bytes(all),
    imagesReclaimable: bytes(all) - bytes(used),
    unfinished: { count: downloads.count + unpacking.length, size: downloads.size + bytes(unpacking) },
    garbage: {
      blobs: garbage.filter((item) => !isSnapshot(item)).length,
      snapshots: garbage.filter(isSnapshot).length,
      size: bytes(garbage),
    },
    buildCache: { entries, size: bytes(cached) + mounts },
    other: { count: others.length, size: bytes(others) },
  };
}

/** Blobs and snapshots that steps of builds keep, by digest and key. */
async function rememberedItems({ paths }: Scope): Promise<ReadonlySet<string>> {
  return new Set((await readSteps(paths)).flatMap(({ layer, chainId }) => [layer?.descriptor.digest ?? "", chainId ?? ""]));
}

const isSnapshot = (item: string) => item.includes("/");
/** The snapshot of a mounted image, say: garbage collection does not judge it, either. */
const isForeign = (item: string) => isSnapshot(item) && !/\/(?:sha(?:256|512):)?[0-9a-f]{64,}$/.test(item);

const union = (images: readonly StoredImage[]) => new Set(images.flatMap(({ items }) => [...items]));

export function sizeOf({ items }: Inventory, some: Iterable<string>): number {
  let sum = 0;
  for (const item of some) sum += items.get(item) ?? 0;
  return sum;
}

/** How many images have an item. */
export function ownersOf(images: readonly StoredImage[]): Map<string, number> {
  const owners = new Map<string, number>();
  for (const { items } of images) for (const item of items) owners.set(item, (owners.get(item) ?? 0) + 1);
  return owners;
}

async function imageUsage(
  scope: Scope,
  inventory: Inventory,
  image: StoredImage,
  owners: ReadonlyMap<string, number>,
): Promise<ImageUsage> {
  const { createdAt } = await describeImage(scope, image.descriptor, undefined);
  const lastUsedAt = await lastUseOf(scope, image);
  const size = sizeOf(inventory, image.items);
  const shared = sizeOf(
    inventory,
    [...image.items].filter((item) => (owners.get(item) as number) > 1),
  );
  return {
    id: image.descriptor.digest,
    names: image.names,
    ...(createdAt && { createdAt }),
    ...(lastUsedAt && { lastUsedAt }),
    size,
    shared,
    unique: size - shared,
    containers: image.containers.map(({ id }) => id),
  };
}

/** Without a mark, since it came. */
export async function lastUseOf(scope: Scope, { descriptor }: StoredImage): Promise<Date | undefined> {
  return lastUse(scope.paths, descriptor.digest) ?? (await (await contentOf(scope)).stat(descriptor.digest))?.createdAt;
}

async function containerUsages(scope: Scope, inventory: Inventory): Promise<readonly ContainerUsage[]> {
  const configs = new Map(inventory.containers.map((config) => [config.id, config]));
  return Promise.all(
    (await listContainers(scope, { all: true })).map(async (info) => {
      const storage = configs.get(info.id)?.storage;
      const written = storage ? (inventory.items.get(snapshotItem(storage.driver, storage.key)) ?? 0) : 0;
      const size = written + (await bytesBelow(scope.paths.container(info.id).directory));
      return { ...info, size };
    }),
  );
}

async function volumeUsages(scope: Scope): Promise<readonly VolumeUsage[]> {
  const volumes = await listVolumes(scope);
  return parallel(volumes, 8, async (volume) => ({ ...volume, size: await volumeSize(scope, volume.name) }));
}

/** Ingestions of the content store, and archives that come through a stream. */
export async function unfinishedIn(scope: Scope): Promise<Portion> {
  const found: number[] = [];
  for await (const { offset } of (await contentOf(scope)).ingests()) found.push(offset);
  for (const entry of await entriesOf(scope.paths.root)) {
    if (entry.startsWith(".load-")) found.push(await sizeIfThere(join(scope.paths.root, entry, "archive")));
  }
  return { count: found.length, size: found.reduce((sum, size) => sum + size, 0) };
}

async function sizeIfThere(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}
