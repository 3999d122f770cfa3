import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type BuildBase,
  type BuildFiles,
  type BuildLayer,
  type BuildPull,
  type BuildSession,
  type ByteStream,
  type CachedStep,
  type CacheSource,
  type Cancellable,
  type ChainID,
  type ContentStore,
  type Descriptor,
  type Digest,
  type ImageConfig,
  isRamekinError,
  type Mount,
  type Platform,
  RamekinError,
  type Stack,
  type StorageDriver,
} from "@ramekin/core";
import { lookAt, nativeProgram, packTree, unpackInto } from "@ramekin/native";
import { chainIDs, mediaTypes } from "@ramekin/oci";
import { isEmptyLayer } from "../derived-image.ts";
import { blobsOf, contentOf, documentDigester, openImage } from "../image.ts";
import { storeDocument, storeLayer, tarInside } from "../import.ts";
import { resolveImage } from "../resolve.ts";
import { attempt, type Scope } from "../scope.ts";
import { readNote, readStep, touchStep, writeNote, writeStep } from "../store/build-cache.ts";
import { readImages } from "../store/images.ts";
import { type Lease, takeLease } from "../store/leases.ts";
import { unpackImage } from "../unpack.ts";
import type { ImportedCache } from "./cache/import.ts";
import { publish } from "./publish.ts";
import { runStep } from "./run-step.ts";
import type { VirtualStacks } from "./virtual/virtual-stacks.ts";

/** See `BuildHost.openBuild`. */
export async function openBuild(scope: Scope, options: Cancellable = {}): Promise<BuildSession> {
  await scope.opened();
  const content = await contentOf(scope);
  return new Session(scope, content, await usableStorage(scope), await takeLease(scope.paths), options);
}

/** Why there is none, where nothing can unpack a layer or tell what a step has changed. */
async function usableStorage(scope: Scope): Promise<StorageDriver | RamekinError> {
  try {
    nativeProgram("ramekin-rootfs");
    return await scope.kernel.use("storage");
  } catch (error) {
    if (isRamekinError(error, "UNSUPPORTED")) return error;
    throw error;
  }
}

/** What a session and the steps in it work with. */
export class Session implements BuildSession {
  readonly scope: Scope;
  readonly content: ContentStore;
  readonly #storage: StorageDriver | RamekinError;
  readonly lease: Lease;
  readonly platform: Platform;
  readonly #options: Cancellable;
  readonly #imported: ImportedCache[] = [];
  #stacks: VirtualStacks | undefined;
  #keys = 0;
  #stored: Promise<unknown> = Promise.resolve();

  constructor(scope: Scope, content: ContentStore, storage: StorageDriver | RamekinError, lease: Lease, options: Cancellable) {
    this.scope = scope;
    this.content = content;
    this.#storage = storage;
    this.lease = lease;
    this.platform = scope.platform;
    this.#options = options;
  }

  /** UNSUPPORTED where no driver works: what needs none is done without. */
  get storage(): StorageDriver {
    if (this.#storage instanceof RamekinError) throw this.#storage;
    return this.#storage;
  }

  async #virtual(): Promise<VirtualStacks | undefined> {
    return this.#storage instanceof RamekinError ? this.#inMemory() : undefined;
  }

  async #inMemory(): Promise<VirtualStacks> {
    const { VirtualStacks } = await import("./virtual/virtual-stacks.ts");
    this.#stacks ??= new VirtualStacks(this);
    return this.#stacks;
  }

  async image(
    reference: string,
    { platform, pull, signal }: Cancellable & { readonly platform: Platform; readonly pull: BuildPull },
  ): Promise<BuildBase> {
    const find = async () => {
      const found = resolveImage(await readImages(this.scope.paths), reference);
      if (!found) return undefined;
      await this.lease.protect(found.descriptor.digest);
      const image = await openImage(blobsOf(this.content), found.descriptor, platform, reference, { signal });
      await this.lease.protect(image.manifestDescriptor.digest, ...image.layers.map(({ descriptor }) => descriptor.digest));
      return { name: found.name ?? reference, image };
    };
    const here = pull === "always" ? undefined : await find().catch(unlessMissing);
    if (!here && pull !== "never") {
      const { pull: fetch } = await import("../pull.ts");
      await fetch(this.scope, reference, { platform, unpack: !(this.#storage instanceof RamekinError), signal });
    }
    const found = here ?? (await find());
    const { mustResolve } = await import("../resolve.ts");
    if (!found) throw mustResolve(await readImages(this.scope.paths), reference);
    const { name, image } = found;
    return { name, digest: image.manifestDescriptor.digest, config: image.config, layers: image.layers };
  }

  async change(stack: Stack, work: (files: BuildFiles) => Promise<void>, { signal }: Cancellable = {}): Promise<BuildLayer | undefined> {
    const virtual = await this.#virtual();
    if (virtual) return virtual.change(stack, work, { signal });
    const below = await this.chain(stack);
    const key = this.#key("step");
    const mounts = await this.storage.prepare(key, below, { signal });
    let kept = false;
    try {
      await work(filesOf(mounts, signal));
      const layer = await this.layerOf(below, mounts, [], signal);
      if (layer) kept = await this.#keep(key, [...stack, layer]);
      return layer;
    } finally {
      if (!kept) await attempt(this.scope, `removing snapshot ${key}`, () => this.storage.remove(key));
    }
  }

  async layer(work: (files: BuildFiles) => Promise<void>, { signal }: Cancellable = {}): Promise<BuildLayer | undefined> {
    return (await this.#inMemory()).change([], work, { signal, apart: true });
  }

  async view<T>(stack: Stack, work: (files: BuildFiles) => Promise<T>, { signal }: Cancellable = {}): Promise<T> {
    const virtual = await this.#virtual();
    if (virtual) return virtual.view(stack, work, { signal });
    const chain = await this.chain(stack);
    if (chain === undefined) return work(filesOf([], signal));
    const key = this.#key("view");
    try {
      return await work(filesOf(await this.storage.view(key, chain, { signal }), signal));
    } finally {
      await attempt(this.scope, `removing snapshot ${key}`, () => this.storage.remove(key));
    }
  }

  run: BuildSession["run"] = (stack, step, options = {}) => runStep(this, stack, step, options);

  tarIn(source: ByteStream, { signal }: Cancellable = {}): Promise<ByteStream | undefined> {
    return tarInside(this.scope, source, signal);
  }

  async recall(key: Digest): Promise<CachedStep | undefined> {
    return (await this.#recallHere(key)) ?? (await this.#recallImported(key));
  }

  async #recallHere(key: Digest): Promise<CachedStep | undefined> {
    const record = await readStep(this.scope.paths, key);
    if (!record) return undefined;
    const { layer, createdAt } = record;
    if (layer) {
      await this.lease.protect(layer.descriptor.digest);
      if (!(await this.content.stat(layer.descriptor.digest))) return undefined;
    }
    await touchStep(this.scope.paths, key);
    return { ...(layer && { layer }), createdAt: new Date(createdAt) };
  }

  async #recallImported(key: Digest): Promise<CachedStep | undefined> {
    for (const cache of this.#imported) {
      const known = cache.steps.get(key);
      if (!known) continue;
      const { fetchLayer } = await import("./cache/import.ts");
      if (known.layer && !(await fetchLayer(this, cache, known.layer, this.#options))) continue;
      const { layer, createdAt } = known;
      await writeStep(this.scope.paths, key, { version: 1, createdAt: createdAt.toISOString(), ...(layer && { layer }) });
      return known;
    }
    return undefined;
  }

  async importCache(source: CacheSource, options: Cancellable = {}): Promise<boolean> {
    const { openCache } = await import("./cache/import.ts");
    try {
      this.#imported.push(await openCache(this, source, options));
      return true;
    } catch (error) {
      if (!isRamekinError(error) || error.code === "CANCELLED") throw error;
      this.scope.warn(`the cache ${source.type === "local" ? source.directory : source.reference} is not used: ${error.message}`);
      return false;
    }
  }

  exportCache: BuildSession["exportCache"] = async (made, built, target, options = {}) => {
    const { exportCache } = await import("./cache/export.ts");
    await exportCache(this, made, built, target, options);
  };

  async remember(key: Digest, stack: Stack, layer: BuildLayer | undefined) {
    const createdAt = new Date();
    const chainId = layer && (await chainOf([...stack, layer])).at(-1);
    await writeStep(this.scope.paths, key, {
      version: 1,
      createdAt: createdAt.toISOString(),
      ...(layer && { layer }),
      ...(chainId !== undefined && { chainId }),
    });
    return { ...(layer && { layer }), createdAt };
  }

  publish: BuildSession["publish"] = (built, outputs, options = {}) => publish(this, built, outputs, options);

  /** Manifest and config of a stack, in the store, without a name. */
  store(config: ImageConfig, stack: Stack): Promise<{ readonly manifest: Descriptor; readonly config: Descriptor }> {
    // One after the other: stages that run at once may write the same document, and an ingestion has one writer.
    const stored = this.#stored.then(() => this.#store(config, stack));
    this.#stored = stored.catch(() => {});
    return stored;
  }

  async #store(config: ImageConfig, stack: Stack) {
    const configuration = await storeDocument(this.content, this.lease, config, mediaTypes.config);
    const layers = stack.map(({ descriptor }) => ({ ...descriptor, mediaType: ociLayers[descriptor.mediaType] ?? descriptor.mediaType }));
    const document = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: configuration, layers };
    return { manifest: await storeDocument(this.content, this.lease, document, mediaTypes.manifest), config: configuration };
  }

  /** The key of the snapshot that has all of a stack, which is made when it is not there. */
  async chain(stack: Stack): Promise<ChainID | undefined> {
    const top = stack.at(-1);
    if (!top) return undefined;
    const chain = await chainOf(stack);
    const layers = stack.map((layer, index) => ({ ...layer, chainID: chain[index] as ChainID }));
    await unpackImage(this.scope, this.storage, { layers, manifestDescriptor: top.descriptor }, this.#options);
    return chain.at(-1);
  }

  /** What `mounts` have that the snapshot `below` has not, as a stored layer; undefined when that is nothing. */
  async layerOf(
    below: ChainID | undefined,
    mounts: readonly Mount[],
    targets: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<BuildLayer | undefined> {
    const { scope, storage, content, lease } = this;
    const differ = storage.differ ?? (await scope.kernel.use("differ"));
    const key = this.#key("view");
    const lower = below === undefined ? [] : await storage.view(key, below, { signal });
    try {
      const bytes = differ.diff(lower, mounts, { signal, targets });
      const stored = await storeLayer(scope, content, lease, { format: undefined, bytes }, { signal });
      return isEmptyLayer(stored) ? undefined : { descriptor: stored.layer, diffID: stored.diffID as BuildLayer["diffID"] };
    } finally {
      if (below !== undefined) await attempt(scope, `removing snapshot ${key}`, () => storage.remove(key));
    }
  }

  async layoutImage(
    path: string,
    { reference, platform, signal }: Cancellable & { readonly reference?: string | undefined; readonly platform: Platform },
  ): Promise<BuildBase> {
    const { ingestLayout } = await import("./layout-image.ts");
    const root = await ingestLayout(this, path, { reference, platform, signal });
    const image = await openImage(blobsOf(this.content), root, platform, path, { signal });
    await this.lease.protect(image.manifestDescriptor.digest, ...image.layers.map(({ descriptor }) => descriptor.digest));
    return { name: path, digest: image.manifestDescriptor.digest, config: image.config, layers: image.layers };
  }

  async folder(): Promise<string> {
    const folder = join(this.scope.paths.buildWork, this.lease.id, String(this.#keys++));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  readNote = (name: string) => readNote(this.scope.paths, name);
  writeNote = (name: string, text: string) => writeNote(this.scope.paths, name, text);

  async [Symbol.asyncDispose]() {
    for (const cache of this.#imported) await attempt(this.scope, "closing an imported cache", async () => cache[Symbol.asyncDispose]());
    for (const place of [this.scope.paths.builds, this.scope.paths.buildWork]) {
      const folder = join(place, this.lease.id);
      await attempt(this.scope, `removing ${folder}`, () => rm(folder, { recursive: true, force: true }));
    }
    await this.lease[Symbol.asyncDispose]();
  }

  /** The files that a layer was made from are its snapshot: nobody has to extract it. */
  async #keep(key: string, stack: Stack): Promise<boolean> {
    try {
      await this.storage.commit((await chainOf(stack)).at(-1) as ChainID, key);
      return true;
    } catch (error) {
      if (isRamekinError(error, "ALREADY_EXISTS")) return false;
      throw error;
    }
  }

  /** The lease's id is in it: garbage collection sees by that whether anybody is still at work on it. */
  #key(what: string): string {
    return `unpack-${this.lease.id}-${what}-${this.#keys++}`;
  }
}

/** A build writes OCI manifests, whatever its base had; the bytes are the same. */
const ociLayers: Readonly<Record<string, string>> = { [mediaTypes.dockerLayerGzip]: mediaTypes.layerGzip };

const chainOf = (stack: Stack) =>
  chainIDs(
    stack.map(({ diffID }) => diffID),
    documentDigester("sha256"),
  );

function filesOf(mounts: readonly Mount[], signal: AbortSignal | undefined): BuildFiles {
  const view = { mounts };
  return {
    look: (path, { follow = false } = {}) => lookAt(view, path, { follow, signal }),
    pack: (path, options = {}) => packTree(view, path, { ...options, signal }),
    unpack: (path, tar, { user } = {}) => unpackInto(view, path, tar, { ...(user !== undefined && { user }), signal }),
  };
}

function unlessMissing(error: unknown): undefined {
  if (isRamekinError(error, "NOT_FOUND")) return undefined;
  throw error;
}
