import {
  type Awaitable,
  type ByteStream,
  type Cancellable,
  type Codec,
  type Descriptor,
  type DiffID,
  type Image,
  type Layer,
  type Manifest,
  type Platform,
  RamekinError,
} from "@ramekin/core";
import { type BlobSource, readBlob } from "./blob.ts";
import type { DigesterFor } from "./digest.ts";
import { type ContainerImageConfig, parseImageConfig } from "./image-config.ts";
import { maxIndexDepth, parseIndex, parseManifest } from "./manifest.ts";
import { isConfigType, isIndexType, isLayerType, isManifestType, layerCompression } from "./media-types.ts";
import { choosePlatform, noPlatform, platformRank } from "./platform.ts";

export interface ImageOptions {
  readonly digester: DigesterFor;
  /** By format (`gzip`); only `Layer.uncompressed` needs it. */
  readonly codec?: ((format: string) => Awaitable<Codec>) | undefined;
}

/** An image whose configuration is typed. */
export interface ContainerImage extends Image {
  config(): Promise<ContainerImageConfig>;
}

/**
 * Derives an image from whatever can deliver blobs. `descriptor` is a manifest's; see `findManifest` for an index.
 * Manifest and config are read once, on first use, verified and checked against each other. Layers are handed out as they come:
 * who stores or applies them verifies them.
 */
export function imageFrom(source: BlobSource, descriptor: Descriptor, options: ImageOptions): ContainerImage {
  const manifest = once(async () => parseManifest(await readBlob(source, descriptor, options), descriptor.mediaType));
  const config = once(async () => {
    const { config } = await manifest();
    if (!isConfigType(config.mediaType)) {
      throw new RamekinError("UNSUPPORTED", `${descriptor.digest} is not a container image: its config is ${config.mediaType}`);
    }
    return parseImageConfig(await readBlob(source, config, options));
  });
  const layers = once(async () => pairLayers(await manifest(), await config()).map((pair) => layerFrom(source, pair, options)));
  return { descriptor, manifest, config, layers };
}

/**
 * The manifest that a root stands for on a platform: itself, or the best one of an index, nested ones included.
 * NOT_FOUND, naming what there is, when nothing runs there. A single manifest is taken as it is: its config says what it is for.
 */
export async function findManifest(
  source: BlobSource,
  root: Descriptor,
  platform: Platform,
  options: { readonly digester: DigesterFor } & Cancellable,
): Promise<Descriptor> {
  if (isManifestType(root.mediaType)) return root;
  return choosePlatform(await manifestsBelow(source, root, options), platform, root.digest);
}

/** All manifests of an index, those of nested indexes in place of them, in order. A manifest's descriptor gives itself. */
export async function manifestsBelow(
  source: BlobSource,
  root: Descriptor,
  options: { readonly digester: DigesterFor } & Cancellable,
  depth = 0,
): Promise<readonly Descriptor[]> {
  if (isManifestType(root.mediaType)) return [root];
  if (!isIndexType(root.mediaType)) {
    // Not ours to judge inside an index (artifacts may be anything), but nothing to run either.
    if (depth > 0) return [];
    throw new RamekinError("UNSUPPORTED", `${root.digest} is neither a manifest nor an index but ${root.mediaType}`);
  }
  if (depth >= maxIndexDepth) throw new RamekinError("DATA_LOSS", `index ${root.digest} is nested more than ${maxIndexDepth} deep`);
  const { manifests } = parseIndex(await readBlob(source, root, options), root.mediaType);
  const found: Descriptor[] = [];
  for (const descriptor of manifests) {
    if (isIndexType(descriptor.mediaType)) found.push(...(await manifestsBelow(source, descriptor, options, depth + 1)));
    else if (isManifestType(descriptor.mediaType)) found.push(descriptor);
  }
  return found;
}

/** That the image runs on `platform`; NOT_FOUND with what it is for otherwise. An image that does not say runs anywhere. */
export function checkPlatform(config: ContainerImageConfig, platform: Platform, name: string): void {
  if (config.os === "" && config.architecture === "") return;
  if (platformRank(platform, config as Platform) === undefined) throw noPlatform(name, platform, [config as Platform]);
}

/** Layers with their diff ids; DATA_LOSS when the manifest and the config do not list the same number, UNSUPPORTED for what is no tar. */
export function pairLayers(
  manifest: Manifest,
  config: ContainerImageConfig,
): readonly { readonly descriptor: Descriptor; readonly diffID: DiffID }[] {
  const ids = config.rootfs.diff_ids;
  if (manifest.layers.length !== ids.length) {
    throw new RamekinError(
      "DATA_LOSS",
      `the manifest lists ${manifest.layers.length} layers, config ${manifest.config.digest} ${ids.length}`,
    );
  }
  return manifest.layers.map((descriptor, index) => {
    if (!isLayerType(descriptor.mediaType)) throw new RamekinError("UNSUPPORTED", `layer ${descriptor.digest} is ${descriptor.mediaType}`);
    return { descriptor, diffID: ids[index] as DiffID };
  });
}

function layerFrom(source: BlobSource, { descriptor, diffID }: { descriptor: Descriptor; diffID: DiffID }, { codec }: ImageOptions): Layer {
  const compressed = (options?: Cancellable) => source.blob(descriptor, options);
  const format = layerCompression(descriptor.mediaType);
  return {
    descriptor,
    diffID,
    compressed,
    uncompressed: (options) => (format === undefined ? compressed(options) : decoded(compressed(options), format, codec, options)),
  };
}

async function* decoded(
  source: ByteStream,
  format: string,
  codec: ImageOptions["codec"],
  options?: Cancellable,
): ByteStream & AsyncGenerator<Uint8Array> {
  if (!codec) throw new RamekinError("UNSUPPORTED", `no codec for ${format} was given`);
  yield* (await codec(format)).decode(source, options);
}

/** A rejection is not kept: the next call tries again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}
