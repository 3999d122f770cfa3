import { availableParallelism } from "node:os";
import {
  type ByteStream,
  type Cancellable,
  type ChainID,
  type DiffID,
  isRamekinError,
  type LayerApplier,
  type Platform,
  RamekinError,
  type StorageDriver,
} from "@ramekin/core";
import { asDiffID, digestAlgorithm, layerCompression } from "@ramekin/oci";
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

export type UnpackLayer = OpenedImage["layers"][number];

/**
 * Makes the snapshots that are missing: all layers at once where the driver stacks them afterwards, else in order. Whoever
 * races us to a layer has made the same one: the loser takes the winner's.
 */
export async function unpackImage(
  scope: Scope,
  storage: StorageDriver,
  image: Pick<OpenedImage, "layers" | "manifestDescriptor">,
  options: Cancellable = {},
): Promise<void> {
  const top = topOf(image);
  if (top === undefined || (await storage.stat(top))) return;
  await using lease = await takeLease(scope.paths);
  await lease.protect(image.manifestDescriptor.digest);
  const applier = storage.applier ?? (await scope.kernel.use("applier"));
  await new Unpacking(scope, storage, applier, lease, options).all(await missingLayers(storage, image));
}

/** Layers without a snapshot, from the first on that has none above it; and the snapshot below them. */
export interface MissingLayers {
  readonly layers: readonly UnpackLayer[];
  readonly below: ChainID | undefined;
}

export async function missingLayers(storage: StorageDriver, { layers }: Pick<OpenedImage, "layers">): Promise<MissingLayers> {
  const present = await Promise.all(layers.map(({ chainID }) => storage.stat(chainID)));
  const first = present.findLastIndex((info) => info !== undefined) + 1;
  return { layers: layers.slice(first), below: layers[first - 1]?.chainID };
}

/** Keys of active snapshots that hold a layer already, by the layer's chain id. */
export type AppliedLayers = ReadonlyMap<ChainID, string>;

export class Unpacking {
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

  async all(missing: MissingLayers, applied: AppliedLayers = new Map()): Promise<void> {
    if (this.#storage.capabilities?.rebase && missing.layers.length > 1) await this.#atOnce(missing, applied);
    else await this.#inOrder(missing, applied);
  }

  async #inOrder({ layers, below }: MissingLayers, applied: AppliedLayers): Promise<void> {
    let parent = below;
    for (const [index, layer] of layers.entries()) {
      const key = applied.get(layer.chainID) ?? this.key(index);
      await this.#discardOnError([key], async () => {
        if (!applied.has(layer.chainID)) await this.#fromStore(layer, key, parent);
        await this.#commit(layer, key, undefined);
      });
      parent = layer.chainID;
    }
  }

  async #atOnce({ layers, below }: MissingLayers, applied: AppliedLayers): Promise<void> {
    const keys = layers.map(({ chainID }, index) => applied.get(chainID) ?? this.key(index));
    const failed = new AbortController();
    const signal = this.#options.signal ? AbortSignal.any([this.#options.signal, failed.signal]) : failed.signal;
    await this.#discardOnError(keys, async () => {
      await parallel(layers, availableParallelism(), async (layer, index) => {
        if (applied.has(layer.chainID)) return;
        try {
          await this.#fromStore(layer, keys[index] as string, undefined, signal);
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
  key(index: number): string {
    return `unpack-${this.#lease.id}-${index}`;
  }

  async #fromStore(layer: UnpackLayer, key: string, parent: ChainID | undefined, signal = this.#options.signal): Promise<void> {
    const { digest } = layer.descriptor;
    const source = (await contentOf(this.#scope)).read(digest, { signal });
    const diffID = await this.apply(layer, source, key, parent, signal).catch((error) => {
      throw isRamekinError(error, "DATA_LOSS") ? damaged(digest, error) : error;
    });
    checkDiffID(layer, isToldByApplier(layer) ? diffID : await this.#diffID(layer, signal));
  }

  /** Read once more: layers that the config knows by another algorithm are too rare for a second hash on the way. */
  async #diffID({ descriptor, diffID }: UnpackLayer, signal: AbortSignal | undefined): Promise<DiffID> {
    const { kernel } = this.#scope;
    const stored = (await contentOf(this.#scope)).read(descriptor.digest, { signal });
    const format = layerCompression(descriptor.mediaType);
    const tar = format === undefined ? stored : (await kernel.use("codec", { for: format })).decode(stored, { signal });
    const hash = await (await kernel.use("digester", { for: digestAlgorithm(diffID) })).create();
    for await (const chunk of tar) hash.update(chunk);
    return asDiffID(hash.digest());
  }

  /** Into a new active snapshot `key`; resolves with what `checkDiffID` wants to know. */
  async apply(
    { descriptor }: UnpackLayer,
    source: ByteStream,
    key: string,
    parent: ChainID | undefined,
    signal = this.#options.signal,
  ): Promise<DiffID> {
    const mounts = await this.#storage.prepare(key, parent, { signal });
    return (await this.#applier.apply(mounts, source, descriptor, { signal })).diffID;
  }

  async #commit({ chainID }: UnpackLayer, key: string, parent: ChainID | undefined): Promise<void> {
    try {
      await this.#storage.commit(chainID, key, { signal: this.#options.signal, ...(parent !== undefined && { parent }) });
    } catch (error) {
      if (!isRamekinError(error, "ALREADY_EXISTS")) throw error;
      await this.discard(key);
    }
  }

  async #discardOnError(keys: readonly string[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      for (const key of keys) await this.discard(key);
      throw error;
    }
  }

  async discard(key: string): Promise<void> {
    await attempt(this.#scope, `removing snapshot ${key}`, () => this.#storage.remove(key));
  }
}

/** Appliers hash with sha256, on the way. */
export const isToldByApplier = ({ diffID }: UnpackLayer) => digestAlgorithm(diffID) === "sha256";

export function checkDiffID({ descriptor, diffID }: UnpackLayer, found: DiffID): void {
  if (found === diffID) return;
  throw new RamekinError("DATA_LOSS", `layer ${descriptor.digest} unpacks to ${found}, the image's config says ${diffID}`);
}

/** Its bytes were right when they were stored. */
function damaged(digest: string, cause: RamekinError): RamekinError {
  const message = cause.message.includes(digest) ? cause.message : `layer ${digest}: ${cause.message}`;
  return new RamekinError("DATA_LOSS", message, { cause, hint: "remove the image and pull it again" });
}
