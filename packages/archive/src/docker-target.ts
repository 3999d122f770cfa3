import type { FileHandle } from "node:fs/promises";
import { type Descriptor, type Digest, type ImageTarget, type Manifest, RamekinError } from "@ramekin/core";
import {
  type DigesterFor,
  digestHex,
  familiarReference,
  isIndexType,
  isLayerType,
  isManifestType,
  layerCompression,
  maxManifestSize,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseReference,
  readBlob,
  refName,
} from "@ramekin/oci";
import type { ArchiveOptions } from "./archive-file.ts";
import { cancellable } from "./framing/reader.ts";
import { append, namelessFile, readRange } from "./spool.ts";
import { tarWriter } from "./tar-writer.ts";

interface StoredLayer {
  readonly file: FileHandle;
  readonly size: number;
  readonly diffID: Digest;
}

/**
 * Writes what `docker load`, podman and skopeo read: configs byte for byte, layers as plain tars named by their diff ids. A tar
 * entry needs its size first, so layers wait uncompressed in nameless files until `commit`.
 */
export async function dockerTarget(
  location: string | WritableStream<Uint8Array>,
  { digester, codec, directory }: ArchiveOptions & { readonly digester: DigesterFor },
): Promise<ImageTarget> {
  const documents = new Map<Digest, Uint8Array>();
  const layers = new Map<Digest, StoredLayer>();
  const roots: Descriptor[] = [];

  async function storeLayer({ digest, mediaType, size }: Descriptor, source: AsyncIterable<Uint8Array>): Promise<StoredLayer> {
    const blobHash = await (await digester("sha256")).create();
    const diffHash = await (await digester("sha256")).create();
    const file = await namelessFile(directory);
    try {
      let taken = 0;
      const counted = (async function* () {
        for await (const chunk of source) {
          taken += chunk.byteLength;
          if (taken > size) throw new RamekinError("DATA_LOSS", `layer ${digest} has more than the ${size} bytes that it should`);
          blobHash.update(chunk);
          yield chunk;
        }
      })();
      const format = layerCompression(mediaType);
      let position = 0;
      for await (const chunk of format === undefined ? counted : (await codec(format)).decode(counted)) {
        diffHash.update(chunk);
        position += await append(file, chunk, position);
      }
      const actual = blobHash.digest();
      if (taken < size || actual !== digest)
        throw new RamekinError("DATA_LOSS", `layer ${digest} has ${taken} bytes and the digest ${actual}`);
      return { file, size: position, diffID: diffHash.digest() };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async function commit(): Promise<void> {
    const images = new Map<Digest, { manifest: Manifest; config: Uint8Array; tags: string[] }>();
    for (const root of roots) {
      const manifest = imageOf(root, documents);
      const config = documents.get(manifest.config.digest);
      if (!config) throw new RamekinError("FAILED_PRECONDITION", `config ${manifest.config.digest} was not written to the archive`);
      const image = images.get(manifest.config.digest) ?? { manifest, config, tags: [] };
      const tag = tagOf(root);
      if (tag !== undefined && !image.tags.includes(tag)) image.tags.push(tag);
      images.set(manifest.config.digest, image);
    }
    await using tar = await tarWriter(location);
    const written = new Set<string>();
    const list = [];
    for (const { manifest, config, tags } of images.values()) {
      const ids = parseImageConfig(config).rootfs.diff_ids;
      const names: string[] = [];
      for (const [index, { digest }] of manifest.layers.entries()) {
        const layer = layers.get(digest);
        if (!layer) throw new RamekinError("FAILED_PRECONDITION", `layer ${digest} was not written to the archive`);
        if (layer.diffID !== ids[index])
          throw new RamekinError("DATA_LOSS", `layer ${digest} has the diff id ${layer.diffID}, the config says ${ids[index]}`);
        const name = `${digestHex(layer.diffID)}.tar`;
        if (!written.has(name)) await tar.file(name, layer.size, readRange(layer.file, 0, layer.size));
        written.add(name);
        names.push(name);
      }
      const configName = `${digestHex(manifest.config.digest)}.json`;
      await tar.file(configName, config.byteLength, config);
      list.push({ Config: configName, RepoTags: tags.length > 0 ? tags : null, Layers: names });
    }
    const text = new TextEncoder().encode(JSON.stringify(list));
    await tar.file("manifest.json", text.byteLength, text);
    await tar.finish();
  }

  return {
    blob: async (descriptor, source, { signal } = {}) => {
      const { digest, mediaType } = descriptor;
      if (layers.has(digest) || documents.has(digest)) return;
      const watched = cancellable(source, signal);
      if (isLayerType(mediaType)) layers.set(digest, await storeLayer(descriptor, watched));
      else documents.set(digest, await readBlob({ blob: () => watched }, descriptor, { digester, maxSize: maxManifestSize }));
    },
    root: async (descriptor) => {
      imageOf(descriptor, documents);
      roots.push(descriptor);
    },
    commit,
    [Symbol.asyncDispose]: async () => {
      for (const { file } of layers.values()) await file.close();
      layers.clear();
    },
  };
}

/** The manifest of a root. A docker archive holds no indexes: of one, the only image that was written. */
function imageOf(root: Descriptor, documents: ReadonlyMap<Digest, Uint8Array>): Manifest {
  const bytes = documents.get(root.digest);
  if (!bytes) throw new RamekinError("FAILED_PRECONDITION", `root ${root.digest} was not written to the archive`);
  if (isManifestType(root.mediaType)) return parseManifest(bytes, root.mediaType);
  if (!isIndexType(root.mediaType))
    throw new RamekinError("UNSUPPORTED", `${root.digest} is neither a manifest nor an index but ${root.mediaType}`);
  const there = parseIndex(bytes, root.mediaType).manifests.filter(
    ({ digest, mediaType }) => isManifestType(mediaType) && documents.has(digest),
  );
  const [only, ...more] = there;
  if (!only || more.length > 0) {
    throw new RamekinError("UNSUPPORTED", `index ${root.digest} has ${there.length} images, a docker archive holds one per name`, {
      hint: "choose a platform, or save as an OCI archive",
    });
  }
  return imageOf(only, documents);
}

/** As `docker save` writes it; docker knows no tag with a digest. */
function tagOf(root: Descriptor): string | undefined {
  const name = refName(root);
  if (name === undefined) return undefined;
  const { digest: _, ...reference } = parseReference(name);
  return reference.tag === undefined ? undefined : familiarReference(reference);
}
