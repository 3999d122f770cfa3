import type { StorageDriver } from "@ramekin/core";
import type { ContainerInfo } from "./api.ts";
import { parallel } from "./parallel.ts";
import { attempt, type Scope } from "./scope.ts";
import { readConfigIfThere } from "./store/containers.ts";

/** The same list, with what each has written, and what that makes with all layers below it. A layer is measured once. */
export async function withSizes(scope: Scope, containers: readonly ContainerInfo[]): Promise<readonly ContainerInfo[]> {
  const layers = new Map<string, Promise<number>>();
  return parallel(containers, 4, async (info) => {
    let size: ContainerInfo["size"];
    await attempt(scope, `measuring container ${info.name}`, async () => {
      const config = await readConfigIfThere(scope.paths, info.id);
      if (!config) return;
      const storage = await scope.kernel.use("storage", config.storage.driver);
      const snapshot = await storage.stat(config.storage.key);
      if (!snapshot || !storage.usage) return;
      const written = (await storage.usage(config.storage.key)).size;
      size = { written, virtual: written + (await sizeBelow(storage, snapshot.parent, layers)) };
    });
    return size ? { ...info, size } : info;
  });
}

async function sizeBelow(storage: StorageDriver, key: string | undefined, known: Map<string, Promise<number>>): Promise<number> {
  let total = 0;
  for (let layer = key; layer !== undefined; layer = (await storage.stat(layer))?.parent) {
    let size = known.get(layer);
    if (!size) {
      size = storage.usage?.(layer).then((usage) => usage.size) ?? Promise.resolve(0);
      known.set(layer, size);
    }
    total += await size;
  }
  return total;
}
