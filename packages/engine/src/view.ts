import type { Cancellable, Mount, Platform, StorageDriver } from "@ramekin/core";
import { blobsOf, contentOf, type OpenedImage, openImage } from "./image.ts";
import { mustResolve } from "./resolve.ts";
import { attempt, type Scope } from "./scope.ts";
import { readImages } from "./store/images.ts";
import { takeLease } from "./store/leases.ts";
import { unpackImage } from "./unpack.ts";

/** Opens images and shows any of their stacks of layers, for as long as it is not disposed. */
export interface Views extends AsyncDisposable {
  readonly storage: StorageDriver;
  /** With all its layers unpacked. */
  open(text: string, platform: Platform | undefined): Promise<OpenedImage>;
  /** Of a chain id; of nothing, an empty tree. */
  mounts(chainID: string | undefined): Promise<readonly Mount[]>;
}

/** `storage`: the driver, by name; the kernel chooses when absent. */
export async function openViews(scope: Scope, options: Cancellable & { readonly storage?: string } = {}): Promise<Views> {
  await scope.opened();
  const lease = await takeLease(scope.paths);
  const storage = await scope.kernel.use("storage", options.storage);
  const keys: string[] = [];
  return {
    storage,
    async open(text, platform) {
      const { descriptor } = mustResolve(await readImages(scope.paths), text);
      await lease.protect(descriptor.digest);
      const image = await openImage(blobsOf(await contentOf(scope)), descriptor, platform ?? scope.platform, text, options);
      await lease.protect(image.manifestDescriptor.digest);
      await unpackImage(scope, storage, image, options);
      return image;
    },
    async mounts(chainID) {
      if (chainID === undefined) return [];
      // The lease's id is in it, as in the keys of unpacking: a collection sees by that whether anybody still looks.
      const key = `unpack-${lease.id}-view-${keys.length}`;
      keys.push(key);
      return storage.view(key, chainID, { signal: options.signal });
    },
    async [Symbol.asyncDispose]() {
      for (const key of keys) await attempt(scope, `removing snapshot ${key}`, () => storage.remove(key));
      await lease[Symbol.asyncDispose]();
    },
  };
}
