import { availableParallelism } from "node:os";
import {
  type Cancellable,
  type ChainID,
  isRamekinError,
  type LayerApplier,
  type Platform,
  RamekinError,
  type StorageDriver,
} from "@ramekin/core";
import { blobsOf, contentOf, type OpenedImage, openImage, topOf } from "./image.ts";
import { parallel } from "./parallel.ts";
import { mustResolve } from "./resolve.ts";
import { attempt, type Scope } from "./scope.ts";
import { readImages } from "./store/images.ts";
import { type Lease, takeLease } from "./store/leases.ts";

/** See `Engine.unpack`. */
export async function unpack(scope: Scope, text: string, options: Cancellable & { readonly platform?: Platform } = {}): Promise<string> {
  await scope.opened();
  const { descriptor } = mustResolve(await readImages(scope.paths), text);
  const image = await openImage(blobsOf(await contentOf(scope)), descriptor, options.platform ?? scope.platform, text, options);
  await unpackImage(scope, await scope.kernel.use("storage"), image, options);
  return topOf(image) ?? "";
}

type UnpackLayer = OpenedImage["layers"][number];

/**
 * Makes the snapshots that are missing: all layers at once where the driver stacks them afterwards, else in order. Whoever
 * races us to a layer has made the same one: the loser takes the winner's.
 */
export async function unpackImage(scope: Scope, storage: StorageDriver, image: OpenedImage, options: Cancellable = {}): Promise<void> {
  const top = topOf(image);
  if (top === undefined || (await storage.stat(top))) return;
  await using lease = await takeLease(scope.paths);
  await lease.protect(image.manifestDescriptor.digest);

  const present = await Promise.all(image.layers.map(({ chainID }) => storage.stat(chainID)));
  const first = present.findLastIndex((info) => info !== undefined) + 1;
  const missing = image.layers.slice(first);
  const below = image.layers[first - 1]?.chainID;
  const applier = storage.applier ?? (await scope.kernel.use("applier"));
  const work = new Unpacking(scope, storage, applier, lease, options);
  if (storage.capabilities?.rebase && missing.length > 1) await work.atOnce(missing, below);
  else await work.inOrder(missing, below);
}

class Unpacking {
  readonly #scope: Scope;
  readonly #storage: StorageDriver;
  readonly #applier: LayerApplier;
  readonly #lease: Lease;
  readonly #options: Cancellable;

  constructor(scope: Scope, storage: StorageDriver, applier: LayerApplier, lease: Lease, options: Cancellable) {
    this.#scope = scope;
    this.#storage = storage;
    this.#applier = applier;
    this.#lease = lease;
    this.#options = options;
  }

  async inOrder(layers: readonly UnpackLayer[], below: ChainID | undefined): Promise<void> {
    let parent = below;
    for (const [index, layer] of layers.entries()) {
      const key = this.#key(index);
      await this.#discardOnError([key], async () => {
        await this.#apply(layer, key, parent);
        await this.#commit(layer, key, undefined);
      });
      parent = layer.chainID;
    }
  }

  async atOnce(layers: readonly UnpackLayer[], below: ChainID | undefined): Promise<void> {
    const keys = layers.map((_, index) => this.#key(index));
    const failed = new AbortController();
    const signal = this.#options.signal ? AbortSignal.any([this.#options.signal, failed.signal]) : failed.signal;
    await this.#discardOnError(keys, async () => {
      await parallel(layers, availableParallelism(), async (layer, index) => {
        try {
          await this.#apply(layer, keys[index] as string, undefined, signal);
        } catch (error) {
          failed.abort(error); // the others have nothing to work for any more
          throw error;
        }
      });
      let parent = below;
      for (const [index, layer] of layers.entries()) {
        await this.#commit(layer, keys[index] as string, parent);
        parent = layer.chainID;
      }
    });
  }

  /** The lease's id is in it: garbage collection sees by that whether anybody is still at work on it. */
  #key(index: number): string {
    return `unpack-${this.#lease.id}-${index}`;
  }

  async #apply(
    { descriptor, diffID }: UnpackLayer,
    key: string,
    parent: ChainID | undefined,
    signal = this.#options.signal,
  ): Promise<void> {
    const mounts = await this.#storage.prepare(key, parent, { signal });
    const content = await contentOf(this.#scope);
    const applied = await this.#applier
      .apply(mounts, content.read(descriptor.digest, { signal }), descriptor, { signal })
      .catch((error) => {
        throw isRamekinError(error, "DATA_LOSS") ? damaged(descriptor.digest, error) : error;
      });
    if (applied.diffID !== diffID) {
      throw new RamekinError("DATA_LOSS", `layer ${descriptor.digest} unpacks to ${applied.diffID}, the image's config says ${diffID}`);
    }
  }

  async #commit({ chainID }: UnpackLayer, key: string, parent: ChainID | undefined): Promise<void> {
    try {
      await this.#storage.commit(chainID, key, { signal: this.#options.signal, ...(parent !== undefined && { parent }) });
    } catch (error) {
      if (!isRamekinError(error, "ALREADY_EXISTS")) throw error;
      await attempt(this.#scope, `removing snapshot ${key}`, () => this.#storage.remove(key));
    }
  }

  async #discardOnError(keys: readonly string[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      for (const key of keys) await attempt(this.#scope, `removing snapshot ${key}`, () => this.#storage.remove(key));
      throw error;
    }
  }
}

/** Its bytes were right when they were stored. */
function damaged(digest: string, cause: RamekinError): RamekinError {
  const message = cause.message.includes(digest) ? cause.message : `layer ${digest}: ${cause.message}`;
  return new RamekinError("DATA_LOSS", message, { cause, hint: "remove the image and pull it again" });
}
