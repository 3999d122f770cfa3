import { RamekinError, type StorageDriver } from "@ramekin/core";
import type { ContainerConfig, ContainerSize } from "./api.ts";
import type { Scope } from "./scope.ts";

/** See `Container.size`. */
export async function containerSize(scope: Scope, { storage: { driver, key } }: ContainerConfig): Promise<ContainerSize> {
  const storage = await scope.kernel.use("storage", driver);
  const written = await bytesOf(storage, key);
  let total = written;
  for (let parent = (await storage.stat(key))?.parent; parent !== undefined; parent = (await storage.stat(parent))?.parent) {
    total += await bytesOf(storage, parent);
  }
  return { written, total };
}

async function bytesOf(storage: StorageDriver, key: string): Promise<number> {
  if (storage.usage) return (await storage.usage(key)).size;
  throw new RamekinError("UNSUPPORTED", "this storage driver does not say how large a snapshot is");
}
