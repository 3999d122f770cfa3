import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { namelessFile, readRange } from "@ramekin/archive";
import {
  type ByteSource,
  type Cancellable,
  type ContentStore,
  type Descriptor,
  type Digest,
  type Manifest,
  RamekinError,
} from "@ramekin/core";
import { isConfigType, isLayerType, layerCompression, mediaTypes, parseIndex, readBlob } from "@ramekin/oci";
import type { Compression, PushOptions } from "./api.ts";
import { blobsOf, documentDigester } from "./image.ts";
import { isDistributed, type Outgoing, type WholeImage } from "./outgoing.ts";
import type { Scope } from "./scope.ts";

/** An image like another, with layers compressed in another way; its new blobs lie in nameless files until disposal. */
export interface Recompressed extends AsyncDisposable {
  readonly outgoing: Outgoing;
  /** Of a blob that is not in the store. */
  source(descriptor: Descriptor): ByteSource | undefined;
}

/** What was made anew; a document, or a layer in a file. */
type Made = { readonly bytes: Uint8Array } | { readonly file: FileHandle; readonly size: number };

const attestationOf = "vnd.docker.reference.digest";

/**
 * Layers in the wanted compression stay as they are; configs, and so diff ids and snapshots, always do. zstd is not for Docker's
 * schema 2, whose readers know gzip alone: such a manifest becomes an OCI one.
 */
export async function recompress(
  scope: Scope,
  content: ContentStore,
  outgoing: Outgoing,
  to: NonNullable<PushOptions["compression"]>,
  options: Cancellable = {},
): Promise<Recompressed> {
  const made = new Map<Digest, Made>();
  const layers = new Map<Digest, Descriptor>();
  const documents = new Map<Digest, Descriptor>();
  const close = async () => {
    for (const blob of made.values()) if ("file" in blob) await blob.file.close();
    made.clear();
  };

  const convertLayer = async (layer: Descriptor): Promise<Descriptor> => {
    const from = layerCompression(layer.mediaType);
    if (!isLayerType(layer.mediaType) || !isDistributed(layer) || from === to.format) return layer;
    const done = layers.get(layer.digest);
    if (done) return done;
    const stored = content.read(layer.digest, { signal: options.signal });
    const plain = from === undefined ? stored : (await scope.kernel.use("codec", { for: from })).decode(stored, options);
    const codec = await scope.kernel.use("codec", { for: to.format });
    if (!codec.encode)
      throw new RamekinError("UNSUPPORTED", `codec ${to.format} only reads`, { hint: "`ramekin doctor` lists the codecs" });
    const file = await namelessFile(join(scope.paths.root, "spool"));
    const hash = createHash("sha256");
    let size = 0;
    try {
      for await (const chunk of codec.encode(plain, { level: to.level, signal: options.signal })) {
        hash.update(chunk);
        await file.appendFile(chunk);
        size += chunk.byteLength;
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    const digest: Digest = `sha256:${hash.digest("hex")}`;
    made.set(digest, { file, size });
    const { annotations: _, ...rest } = layer; // those of eStargz and zstd:chunked describe the old bytes
    const converted = { ...rest, mediaType: layerTypeFor(to.format), digest, size };
    layers.set(layer.digest, converted);
    return converted;
  };

  const keep = (old: Descriptor, document: object, mediaType: string): Descriptor => {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    made.set(digest, { bytes });
    const descriptor = { ...old, mediaType, digest, size: bytes.byteLength };
    documents.set(old.digest, descriptor);
    return descriptor;
  };

  const convertImage = async ({ descriptor, manifest }: WholeImage): Promise<WholeImage> => {
    const converted: Descriptor[] = [];
    for (const layer of manifest.layers) converted.push(await convertLayer(layer));
    if (converted.every(({ digest }, index) => digest === manifest.layers[index]?.digest)) return { descriptor, manifest };
    const config = isConfigType(manifest.config.mediaType) ? { ...manifest.config, mediaType: mediaTypes.config } : manifest.config;
    const after: Manifest = { ...manifest, mediaType: mediaTypes.manifest, config, layers: converted.map(asOci) };
    return { descriptor: keep(descriptor, after, mediaTypes.manifest), manifest: after };
  };

  try {
    const images: WholeImage[] = [];
    for (const image of outgoing.images) images.push(await convertImage(image));
    const indexes: Descriptor[] = [];
    for (const descriptor of outgoing.indexes) {
      const bytes = await readBlob(blobsOf(content), descriptor, { digester: documentDigester, signal: options.signal });
      const index = parseIndex(bytes, descriptor.mediaType);
      const manifests = index.manifests.map((entry) => pointed(entry, documents));
      const same = manifests.every(({ digest }, at) => digest === index.manifests[at]?.digest);
      indexes.push(same ? descriptor : keep(descriptor, { ...index, mediaType: mediaTypes.index, manifests }, mediaTypes.index));
    }
    return {
      outgoing: { ...outgoing, images, indexes, root: documents.get(outgoing.root.digest) ?? outgoing.root },
      source: (descriptor) => sourceOf(made.get(descriptor.digest)),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An entry of an index that follows its document; an attestation also says of which image it is. */
function pointed(entry: Descriptor, documents: ReadonlyMap<Digest, Descriptor>): Descriptor {
  const { digest, size, mediaType } = documents.get(entry.digest) ?? entry;
  const about = documents.get(entry.annotations?.[attestationOf] as Digest);
  return { ...entry, mediaType, digest, size, ...(about && { annotations: { ...entry.annotations, [attestationOf]: about.digest } }) };
}

const layerTypeFor = (format: Compression) => (format === "gzip" ? mediaTypes.layerGzip : mediaTypes.layerZstd);

function asOci(layer: Descriptor): Descriptor {
  const types: Readonly<Record<string, string>> = {
    [mediaTypes.dockerLayer]: mediaTypes.layer,
    [mediaTypes.dockerLayerGzip]: mediaTypes.layerGzip,
    [mediaTypes.dockerLayerZstd]: mediaTypes.layerZstd,
    [mediaTypes.dockerForeignLayerGzip]: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  };
  return { ...layer, mediaType: types[layer.mediaType] ?? layer.mediaType };
}

function sourceOf(blob: Made | undefined): ByteSource | undefined {
  if (!blob) return undefined;
  if ("file" in blob) return (offset) => readRange(blob.file, offset, blob.size);
  return async function* (offset) {
    if (offset < blob.bytes.byteLength) yield blob.bytes.subarray(offset);
  };
}
