import {
  type Cancellable,
  type Descriptor,
  type Digest,
  type ImageTarget,
  isRamekinError,
  type Manifest,
  type Platform,
} from "@ramekin/core";
import {
  blobPath,
  choosePlatform,
  emptyLayoutIndex,
  familiarReference,
  isConfigType,
  isIndexType,
  isManifestType,
  type LayoutIndex,
  maxManifestSize,
  parseIndex,
  parseManifest,
  parseReference,
  readBlob,
  refName,
  refNameAnnotation,
  withRefName,
} from "@ramekin/oci";
import { layoutArchiveTarget } from "./layout-archive-target.ts";
import type { TargetOptions } from "./layout-target.ts";
import type { TarWriter } from "./tar-writer.ts";

export interface DualOptions extends TargetOptions {
  /** Which image of an index manifest.json names: it knows but one. */
  readonly platform: Platform;
}

/** containerd's and Docker's annotation for a whole name, where `ref.name` holds the tag alone. */
export const imageNameAnnotation = "io.containerd.image.name";

/**
 * What `docker save` writes since version 25: an OCI layout that also has a manifest.json, over the same blobs, for readers that
 * know no layouts. Names are in the index as Docker writes them there.
 */
export async function dualTarget(location: string | WritableStream<Uint8Array>, { digester, platform }: DualOptions): Promise<ImageTarget> {
  const documents = new Map<Digest, Uint8Array>();
  const written = new Set<Digest>();

  async function conclude(tar: TarWriter, roots: readonly Descriptor[]): Promise<LayoutIndex> {
    const images = new Map<Digest, { readonly manifest: Manifest; readonly tags: string[] }>();
    for (const root of roots) {
      const found = chosenManifest(root, documents, platform);
      if (!found || !isConfigType(found.config.mediaType) || !found.layers.every(({ digest }) => written.has(digest))) continue;
      const image = images.get(found.config.digest) ?? { manifest: found, tags: [] };
      const tag = tagOf(root);
      if (tag !== undefined && !image.tags.includes(tag)) image.tags.push(tag);
      images.set(found.config.digest, image);
    }
    const list = [...images.values()].map(({ manifest, tags }) => ({
      Config: blobPath(manifest.config.digest),
      RepoTags: tags.length > 0 ? tags : null,
      Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
    }));
    const text = new TextEncoder().encode(JSON.stringify(list));
    await tar.file("manifest.json", text.byteLength, text);
    // Not by name: two images may have the same tag.
    return { ...emptyLayoutIndex, manifests: roots.map(namedAsDocker) };
  }

  const layout = await layoutArchiveTarget(location, { digester, conclude });
  return {
    ...layout,
    blob: async (descriptor, source, options: Cancellable = {}) => {
      const { digest, mediaType } = descriptor;
      if (written.has(digest)) return;
      written.add(digest);
      if (!isManifestType(mediaType) && !isIndexType(mediaType)) return layout.blob(descriptor, source, options);
      const bytes = await readBlob({ blob: () => source }, descriptor, { digester, maxSize: maxManifestSize, signal: options.signal });
      documents.set(digest, bytes);
      return layout.blob(descriptor, once(bytes), options);
    },
  };
}

/** Undefined where none runs on the platform, or where it was not written. */
function chosenManifest(root: Descriptor, documents: ReadonlyMap<Digest, Uint8Array>, platform: Platform): Manifest | undefined {
  const bytes = documents.get(root.digest);
  if (!bytes) return undefined;
  if (isManifestType(root.mediaType)) return parseManifest(bytes, root.mediaType);
  const below = manifestsIn(root, documents);
  try {
    return chosenManifest(choosePlatform(below, platform), documents, platform);
  } catch (error) {
    if (!isRamekinError(error, "NOT_FOUND")) throw error;
    const [only, ...more] = below.filter((descriptor) => descriptor.platform?.os !== "unknown");
    return only && more.length === 0 ? chosenManifest(only, documents, platform) : undefined;
  }
}

function manifestsIn(root: Descriptor, documents: ReadonlyMap<Digest, Uint8Array>): readonly Descriptor[] {
  const bytes = documents.get(root.digest);
  if (!bytes) return [];
  return isIndexType(root.mediaType)
    ? parseIndex(bytes, root.mediaType).manifests.flatMap((entry) => manifestsIn(entry, documents))
    : [root];
}

function tagOf(root: Descriptor): string | undefined {
  const name = refName(root);
  if (name === undefined) return undefined;
  const { digest: _, ...reference } = parseReference(name);
  return reference.tag === undefined ? undefined : familiarReference(reference);
}

function namedAsDocker(root: Descriptor): Descriptor {
  const name = refName(root);
  if (name === undefined) return root;
  const { tag } = parseReference(name);
  const annotations = { ...root.annotations, [imageNameAnnotation]: name, ...(tag !== undefined && { [refNameAnnotation]: tag }) };
  return { ...withRefName(root, undefined), annotations };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
