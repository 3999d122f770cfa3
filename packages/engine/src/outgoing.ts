import {
  type Cancellable,
  type ContentStore,
  type Descriptor,
  isRamekinError,
  type Manifest,
  type Platform,
  RamekinError,
} from "@ramekin/core";
import {
  isConfigType,
  isIndexType,
  isManifestType,
  maxIndexDepth,
  parseImageConfig,
  parseIndex,
  parseManifest,
  readBlob,
} from "@ramekin/oci";
import { blobsOf, checkConfigPlatform, chooseManifest, documentDigester } from "./image.ts";

/** An image or artifact with all its blobs in the store. */
export interface WholeImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

/** What of an image can leave: everything that its root reaches and that is here. */
export interface Outgoing {
  readonly root: Descriptor;
  readonly images: readonly WholeImage[];
  /** Inner ones first, so that none names what has not gone before it. */
  readonly indexes: readonly Descriptor[];
  /** Listed in an index and neither a manifest nor an index. */
  readonly others: readonly Descriptor[];
  /** Listed in an index, and not here, or not all of it. */
  readonly absent: readonly Descriptor[];
}

/** NOT_FOUND for a root that is not whole itself; of an index, `absent` tells. */
export async function gather(content: ContentStore, root: Descriptor, options: Cancellable = {}): Promise<Outgoing> {
  const images = new Map<string, WholeImage>();
  const indexes = new Map<string, Descriptor>();
  const others = new Map<string, Descriptor>();
  const absent = new Map<string, Descriptor>();
  const read = (descriptor: Descriptor) => readBlob(blobsOf(content), descriptor, { digester: documentDigester, signal: options.signal });

  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const { digest, mediaType } = descriptor;
    if (images.has(digest) || indexes.has(digest) || others.has(digest) || absent.has(digest)) return;
    if (isManifestType(mediaType)) {
      const manifest = parseManifest(await read(descriptor), mediaType);
      const missing = await firstMissing(content, [manifest.config, ...manifest.layers.filter(isDistributed)]);
      if (missing) throw new RamekinError("NOT_FOUND", `blob ${missing.digest} of image ${digest} is not here`);
      images.set(digest, { descriptor, manifest });
    } else if (isIndexType(mediaType)) {
      if (depth >= maxIndexDepth) throw new RamekinError("DATA_LOSS", `index ${digest} is nested more than ${maxIndexDepth} deep`);
      for (const entry of parseIndex(await read(descriptor), mediaType).manifests) {
        await visit(entry, depth + 1).catch((error: unknown) => {
          if (!isRamekinError(error, "NOT_FOUND")) throw error;
          absent.set(entry.digest, entry);
        });
      }
      indexes.set(digest, descriptor);
    } else if (depth === 0) {
      throw new RamekinError("UNSUPPORTED", `${digest} is neither a manifest nor an index but ${mediaType}`);
    } else if (await content.stat(digest)) {
      others.set(digest, descriptor);
    } else {
      absent.set(digest, descriptor);
    }
  };
  await visit(root, 0);
  return {
    root,
    images: [...images.values()],
    indexes: [...indexes.values()],
    others: [...others.values()],
    absent: [...absent.values()],
  };
}

/** The root, or with a platform the one manifest for it, by itself. UNSUPPORTED when the image is for others. */
export async function rootFor(
  content: ContentStore,
  root: Descriptor,
  platform: Platform | undefined,
  name: string,
  options: Cancellable = {},
): Promise<Descriptor> {
  if (!platform) return root;
  const source = blobsOf(content);
  const chosen = await chooseManifest(source, root, platform, name, options);
  const manifest = parseManifest(await readBlob(source, chosen, { digester: documentDigester }), chosen.mediaType);
  if (isConfigType(manifest.config.mediaType)) {
    await checkConfigPlatform(parseImageConfig(await readBlob(source, manifest.config, { digester: documentDigester })), platform, name);
  }
  return chosen;
}

/** All blobs, each once, in the order in which they may go: what a document names goes before it. */
export function blobsInOrder({ images, indexes, others }: Outgoing): readonly Descriptor[] {
  const blobs = new Map<string, Descriptor>();
  for (const { descriptor, manifest } of images) {
    for (const blob of [...manifest.layers.filter(isDistributed), manifest.config, descriptor]) blobs.set(blob.digest, blob);
  }
  for (const blob of [...others, ...indexes]) blobs.set(blob.digest, blob);
  return [...blobs.values()];
}

/** Not a layer that everybody has to fetch from its own place (OCI image spec, layer.md, "Non-Distributable Layers"). */
export function isDistributed({ mediaType, urls }: Descriptor): boolean {
  return !(/\.(?:nondistributable|foreign)\./.test(mediaType) && (urls?.length ?? 0) > 0);
}

async function firstMissing(content: ContentStore, blobs: readonly Descriptor[]): Promise<Descriptor | undefined> {
  for (const blob of blobs) if (!(await content.stat(blob.digest))) return blob;
  return undefined;
}
