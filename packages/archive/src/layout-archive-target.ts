import { type Descriptor, type Digest, type Hasher, type ImageTarget, RamekinError } from "@ramekin/core";
import { blobPath, digestAlgorithm, emptyLayoutIndex, formatLayoutIndex, type LayoutIndex, layoutMarker } from "@ramekin/oci";
import { cancellable } from "./framing/reader.ts";
import { addRoot, type TargetOptions } from "./layout-target.ts";
import { type TarWriter, tarWriter } from "./tar-writer.ts";

export interface LayoutArchiveOptions extends TargetOptions {
  /** Writes what else belongs into the archive, and says what its index holds; absent: every root under its own name. */
  readonly conclude?: (tar: TarWriter, roots: readonly Descriptor[]) => Promise<LayoutIndex>;
}

/**
 * Writes an OCI layout as a tar. Blobs go through as they come, never into memory; the index is the last entry, so a stream that
 * breaks off holds no image.
 */
export async function layoutArchiveTarget(
  location: string | WritableStream<Uint8Array>,
  { digester, conclude }: LayoutArchiveOptions,
): Promise<ImageTarget> {
  const tar = await tarWriter(location);
  const written = new Set<Digest>();
  const folders = new Set<string>();
  const roots: Descriptor[] = [];
  const text = (content: string) => new TextEncoder().encode(content);

  const marker = text(layoutMarker);
  await tar.file("oci-layout", marker.byteLength, marker);
  return {
    blob: async (descriptor, source, { signal } = {}) => {
      const { digest, size } = descriptor;
      const path = blobPath(digest);
      if (written.has(digest)) return;
      for (const folder of ["blobs", path.slice(0, path.lastIndexOf("/"))]) {
        if (folders.has(folder)) continue;
        await tar.directory(folder);
        folders.add(folder);
      }
      const hasher = await (await digester(digestAlgorithm(digest))).create();
      await tar.file(path, size, verified(cancellable(source, signal), hasher, digest));
      written.add(digest);
    },
    root: async (descriptor) => {
      if (!written.has(descriptor.digest))
        throw new RamekinError("FAILED_PRECONDITION", `root ${descriptor.digest} was not written to the archive`);
      roots.push(descriptor);
    },
    commit: async () => {
      const index = text(formatLayoutIndex((await conclude?.(tar, roots)) ?? roots.reduce(addRoot, emptyLayoutIndex)));
      await tar.file("index.json", index.byteLength, index);
      await tar.finish();
    },
    [Symbol.asyncDispose]: () => tar[Symbol.asyncDispose](),
  };
}

/** Passes bytes on; DATA_LOSS at their end if they were others. */
async function* verified(source: AsyncIterable<Uint8Array>, hasher: Hasher, digest: Digest): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hasher.update(chunk);
    yield chunk;
  }
  const actual = hasher.digest();
  if (actual !== digest) throw new RamekinError("DATA_LOSS", `blob ${digest} has the digest ${actual}`);
}
