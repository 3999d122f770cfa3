import { type Cancellable, type Descriptor, type ImageSource, RamekinError } from "@ramekin/core";
import { type DigesterFor, digestAlgorithm, parseDigest } from "./digest.ts";
import { maxManifestSize } from "./manifest.ts";

/** Whoever has blobs by descriptor: an `ImageSource`, or a content store seen as one. */
export type BlobSource = Pick<ImageSource, "blob">;

export interface ReadBlobOptions extends Cancellable {
  readonly digester: DigesterFor;
  /** Bytes; 4 MiB, the limit for manifests, when absent. */
  readonly maxSize?: number;
}

/**
 * A small blob, whole, with size and digest verified: for manifests and configs. Layers are streamed instead.
 * DATA_LOSS for other bytes than promised, RESOURCE_EXHAUSTED above the limit, before a byte is read where the descriptor says so.
 */
export async function readBlob(source: BlobSource, descriptor: Descriptor, options: ReadBlobOptions): Promise<Uint8Array> {
  const { digest, size } = descriptor;
  const { digester, maxSize = maxManifestSize, signal } = options;
  parseDigest(digest);
  if (size > maxSize) throw new RamekinError("RESOURCE_EXHAUSTED", `blob ${digest} has ${size} bytes, the limit is ${maxSize}`);
  const hasher = await (await digester(digestAlgorithm(digest))).create();
  const bytes = new Uint8Array(size);
  let offset = 0;
  for await (const chunk of source.blob(descriptor, { signal })) {
    if (offset + chunk.byteLength > size)
      throw new RamekinError("DATA_LOSS", `blob ${digest} has more than the ${size} bytes that it should`);
    bytes.set(chunk, offset);
    hasher.update(chunk);
    offset += chunk.byteLength;
  }
  if (offset < size) throw new RamekinError("DATA_LOSS", `blob ${digest} ends after ${offset} of ${size} bytes`);
  const actual = hasher.digest();
  if (actual !== digest) throw new RamekinError("DATA_LOSS", `blob ${digest} has the digest ${actual}`);
  return bytes;
}
