import {
  type Cancellable,
  type ChainID,
  type Descriptor,
  type Digest,
  isRamekinError,
  RamekinError,
  type StorageDriver,
} from "@ramekin/core";
import type { PullProgress } from "./api.ts";
import type { OpenedImage } from "./image.ts";
import { naming } from "./naming.ts";
import type { Scope } from "./scope.ts";
import type { Lease } from "./store/leases.ts";
import { type BlobTap, openTap } from "./tap.ts";
import { checkDiffID, isToldByApplier, type MissingLayers, missingLayers, Unpacking, type UnpackLayer } from "./unpack.ts";

export interface ArrivingOptions extends Cancellable {
  readonly storage: StorageDriver;
  /** The pull's: what is unpacked lives as long as it does. */
  readonly lease: Lease;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  /** A layer is no good: there is no use in fetching the rest. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Unpacks the layers of an image while they are fetched: from the network through the hash into the store and, by a tap, into a
 * snapshot, in one pass. What does not come by (it was here already, or its beginning was) is read from the store at the end.
 */
export class ArrivingLayers {
  readonly #options: ArrivingOptions;
  readonly #unpacking: Unpacking;
  #missing: MissingLayers = { layers: [], below: undefined };
  /** By digest; each settles without ever rejecting. */
  readonly #running = new Map<Digest, Promise<void>>();
  readonly #applied = new Map<ChainID, string>();

  static async open(scope: Scope, options: ArrivingOptions): Promise<ArrivingLayers> {
    const applier = options.storage.applier ?? (await scope.kernel.use("applier"));
    return new ArrivingLayers(options, new Unpacking(scope, options.storage, applier, options.lease, options));
  }

  private constructor(options: ArrivingOptions, unpacking: Unpacking) {
    this.#options = options;
    this.#unpacking = unpacking;
  }

  /** Manifest and config are here, the layers are about to come. */
  async expect(image: OpenedImage): Promise<void> {
    this.#missing = await missingLayers(this.#options.storage, image);
  }

  /** For a layer whose first byte is about to come; undefined when it has to wait for the ones below it. */
  tap({ digest }: Descriptor): BlobTap | undefined {
    const { layers, below } = this.#missing;
    const index = layers.findIndex(({ descriptor }) => descriptor.digest === digest);
    const layer = layers[index];
    if (layer === undefined || this.#running.has(digest) || !isToldByApplier(layer)) return undefined;
    const apart = this.#options.storage.capabilities?.rebase === true && layers.length > 1;
    if (!apart && index > 0) return undefined;
    const { tap, stream } = openTap();
    let whole = false;
    let given: unknown;
    /** Of a layer whose bytes have not been verified yet. */
    let suspicion: unknown;
    const refuse = (error: unknown) => this.#options.onFailure(naming(`layer ${digest}`, error));
    const fail = (reason: unknown) => {
      given = reason;
      tap.fail(reason);
    };
    const work = async () => {
      const key = this.#unpacking.key(index);
      try {
        checkDiffID(layer, await this.#unpacking.apply(layer, stream, key, apart ? undefined : below));
        this.#applied.set(layer.chainID, key);
        this.#report(layer, "unpacked");
      } catch (error) {
        await this.#unpacking.discard(key);
        // That the bytes stopped coming, or are the wrong ones, is the download's affair, which may yet succeed; anything else is the layer's, or ours.
        if (given !== undefined) return;
        if (whole || !isRamekinError(error, "DATA_LOSS")) refuse(error);
        else suspicion = error;
      } finally {
        tap.fail(new RamekinError("CANCELLED", "nobody reads the tap any more"));
      }
    };
    this.#running.set(digest, work());
    const end = () => {
      whole = true;
      tap.end();
      if (suspicion !== undefined) return refuse(suspicion);
      if (this.#running.has(digest) && !this.#applied.has(layer.chainID)) this.#report(layer, "unpacking");
    };
    return { write: (chunk) => tap.write(chunk), end, fail };
  }

  /** All blobs are in the store. */
  async finish(): Promise<void> {
    await Promise.all(this.#running.values());
    if (this.#missing.layers.length === 0) return;
    const rest = this.#missing.layers.filter(({ chainID }) => !this.#applied.has(chainID));
    for (const layer of rest) this.#report(layer, "unpacking");
    const applied = new Map(this.#applied);
    this.#applied.clear();
    await this.#unpacking.all(this.#missing, applied);
    for (const layer of rest) this.#report(layer, "unpacked");
  }

  /** Takes away what was unpacked for nothing; a no-op after `finish`. */
  async discard(): Promise<void> {
    await Promise.all(this.#running.values());
    for (const key of this.#applied.values()) await this.#unpacking.discard(key);
    this.#applied.clear();
  }

  #report({ descriptor: { digest, mediaType, size } }: UnpackLayer, status: "unpacking" | "unpacked"): void {
    this.#options.onProgress?.({ digest, mediaType, status, current: size, total: size });
  }
}
