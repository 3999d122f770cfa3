import {
  type Cancellable,
  type ChainID,
  type ContentStore,
  type Descriptor,
  type DiffID,
  type Digester,
  isRamekinError,
  type Manifest,
  type Platform,
  RamekinError,
} from "@ramekin/core";
import { createHasher } from "@ramekin/native";
import { type BlobSource, type ContainerImageConfig, chainIDs, checkPlatform, findManifest, imageFrom, pairLayers } from "@ramekin/oci";
import type { Scope } from "./scope.ts";

/** An image for one platform, as far as its small documents tell. */
export interface OpenedImage {
  readonly manifestDescriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ContainerImageConfig;
  readonly layers: readonly { readonly descriptor: Descriptor; readonly diffID: DiffID; readonly chainID: ChainID }[];
}

/** For documents of a few kilobytes: choosing among drivers would take longer than the work. */
export const documentDigester = (algorithm: "sha256" | "sha512"): Digester => ({
  algorithm,
  create: () => createHasher(algorithm),
});

export const blobsOf = (content: ContentStore): BlobSource => ({ blob: ({ digest }, options) => content.read(digest, options) });

/**
 * Manifest and config from the store. NOT_FOUND for a document that is not here; UNSUPPORTED, naming the platforms that there
 * are, when the image does not run on `platform`.
 */
export async function openImage(
  source: BlobSource,
  root: Descriptor,
  platform: Platform,
  name: string,
  options: Cancellable = {},
): Promise<OpenedImage> {
  const manifestDescriptor = await chooseManifest(source, root, platform, name, options);
  const image = imageFrom(source, manifestDescriptor, { digester: documentDigester });
  const [manifest, config] = [await image.manifest(), await image.config()];
  await checkConfigPlatform(config, platform, name);
  return openedImage(manifestDescriptor, manifest, config);
}

/** Of documents that have been read already. */
export async function openedImage(manifestDescriptor: Descriptor, manifest: Manifest, config: ContainerImageConfig): Promise<OpenedImage> {
  const pairs = pairLayers(manifest, config);
  const chain = await chainIDs(
    pairs.map(({ diffID }) => diffID),
    documentDigester("sha256"),
  );
  return { manifestDescriptor, manifest, config, layers: pairs.map((pair, index) => ({ ...pair, chainID: chain[index] as ChainID })) };
}

export async function chooseManifest(
  source: BlobSource,
  root: Descriptor,
  platform: Platform,
  name: string,
  options: Cancellable = {},
): Promise<Descriptor> {
  return onPlatform(name, () => findManifest(source, root, platform, { ...options, digester: documentDigester }));
}

/** UNSUPPORTED, with the platform that the image is for, when it is not the wanted one. */
export async function checkConfigPlatform(config: ContainerImageConfig, platform: Platform, name: string): Promise<void> {
  await onPlatform(name, async () => checkPlatform(config, platform, name));
}

/** An image that does not run here is not an image that is not here: the second is pulled, the first is of no use. */
async function onPlatform<T>(name: string, choose: () => Promise<T>): Promise<T> {
  try {
    return await choose();
  } catch (error) {
    if (!isRamekinError(error, "NOT_FOUND") || !error.message.includes("has no image for")) throw error;
    const wanted = error.message.slice(error.message.lastIndexOf(" ") + 1);
    throw new RamekinError("UNSUPPORTED", `${name}: no matching manifest for ${wanted} in the manifest list entries`, {
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}

/** Key of the snapshot that has all layers; none for an image without any. */
export function topOf(image: Pick<OpenedImage, "layers">): ChainID | undefined {
  return image.layers.at(-1)?.chainID;
}

export async function contentOf(scope: Scope): Promise<ContentStore> {
  return scope.kernel.use("content");
}
