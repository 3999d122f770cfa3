import { type Cancellable, type Descriptor, type ImageSource, RamekinError } from "@ramekin/core";
import {
  blobPath,
  checkLayoutMarker,
  isIndexType,
  isManifestType,
  layoutEntries,
  maxLayoutIndexSize,
  parseLayoutIndex,
  refName,
} from "@ramekin/oci";
import { type ImageFiles, readSmall } from "./image-files.ts";

/**
 * Images of an OCI layout (image-layout.md), in a folder or an archive. `name` picks the one with that
 * `org.opencontainers.image.ref.name`. The source owns `files` and disposes of them.
 * NOT_FOUND where there is no layout.
 */
export async function layoutSource(
  files: ImageFiles,
  { name, signal }: Cancellable & { readonly name?: string | undefined } = {},
): Promise<ImageSource> {
  try {
    checkLayoutMarker(await readSmall(files, "oci-layout", 64 << 10, { signal }));
    const index = parseLayoutIndex(await readSmall(files, "index.json", maxLayoutIndexSize, { signal }));
    const images = layoutEntries(index).filter(({ mediaType }) => isManifestType(mediaType) || isIndexType(mediaType));
    const roots = name === undefined ? images : images.filter((root) => refName(root) === name);
    if (name !== undefined && roots.length === 0) {
      const names = images.flatMap((root) => refName(root) ?? []);
      throw new RamekinError("NOT_FOUND", `${files.location} has no image named ${name}`, {
        hint: names.length > 0 ? `it has ${names.join(", ")}` : "its images have no names",
      });
    }
    return {
      roots: async () => roots,
      blob: (descriptor, options) => layoutBlob(files, descriptor, options),
      [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
    };
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

async function* layoutBlob(
  files: ImageFiles,
  { digest, size }: Descriptor,
  options: Cancellable & { readonly offset?: number } = {},
): AsyncGenerator<Uint8Array> {
  const path = blobPath(digest);
  const found = await files.size(path);
  if (found !== size) throw new RamekinError("DATA_LOSS", `${path} in ${files.location} has ${found} bytes, its descriptor says ${size}`);
  if ((options.offset ?? 0) > size)
    throw new RamekinError("INVALID_ARGUMENT", `${path} in ${files.location} has ${size} bytes, none at ${options.offset}`);
  yield* files.read(path, options);
}
