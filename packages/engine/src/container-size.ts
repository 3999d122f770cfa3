import { RamekinError, type StorageDriver } from "@ramekin/core";
import type { ContainerConfig, ContainerInfo, ContainerSize } from "./api.ts";
import { parallel } from "./parallel.ts";
import { attempt, type Scope } from "./scope.ts";
import { readConfigIfThere } from "./store/containers.ts";

/** Bytes of layers by their key: one that many stand on is measured once. */
type Measured = Map<string, Promise<number>>;

/** See `Container.size`. */
export async function containerSize(
  scope: Scope,
  { storage: { driver, key }, options: { rootDirectory } }: ContainerConfig,
  layers: Measured = new Map(),
): Promise<ContainerSize> {
  if (rootDirectory) return { written: 0, total: 0 }; // nothing of it is the store's
  const storage = await scope.kernel.use("storage", driver);
  const written = await bytesOf(storage, key);
  let total = written;
  for (let parent = (await storage.stat(key))?.parent; parent !== undefined; parent = (await storage.stat(parent))?.parent) {
    const bytes = layers.get(parent) ?? bytesOf(storage, parent);
    layers.set(parent, bytes);
    total += await bytes;
  }
  return { written, total };
}

/** The same list, with sizes where they can be told. */
export async function withSizes(scope: Scope, containers: readonly ContainerInfo[]): Promise<readonly ContainerInfo[]> {
  const layers: Measured = new Map();
  return parallel(containers, 4, async (info) => {
    let sizes: ContainerSize | undefined;
    await attempt(scope, `measuring container ${info.name}`, async () => {
      const config = await readConfigIfThere(scope.paths, info.id);
      if (config) sizes = await containerSize(scope, config, layers);
    });
    return sizes ? { ...info, sizes } : info;
  });
}

async function bytesOf(storage: StorageDriver, key: string): Promise<number> {
  if (storage.usage) return (await storage.usage(key)).size;
  throw new RamekinError("UNSUPPORTED", "this storage driver does not say how large a snapshot is");
}
