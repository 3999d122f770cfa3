import { type Cancellable, type Descriptor, type ImageSource, RamekinError } from "@ramekin/core";
import {
  type DigesterFor,
  detectManifestType,
  digestAlgorithm,
  digestHex,
  digestOf,
  isIndexType,
  isManifestType,
  maxManifestSize,
} from "@ramekin/oci";
import { type ImageFiles, readSmall } from "./image-files.ts";

/**
 * The image of a `dir:` of containers-transports(5), in a folder or an archive: its manifest in `manifest.json`, blobs beside it
 * by their digits, the images of an index in `<digits>.manifest.json`. It has no name. NOT_FOUND where there is none.
 */
export async function dirSource(
  files: ImageFiles,
  { digester, signal }: { readonly digester: DigesterFor } & Cancellable,
): Promise<ImageSource> {
  try {
    const bytes = await readSmall(files, "manifest.json", maxManifestSize, { signal });
    const root: Descriptor = {
      mediaType: detectManifestType(bytes),
      digest: await digestOf(bytes, await digester("sha256")),
      size: bytes.byteLength,
    };
    return {
      roots: async () => [root],
      blob: (descriptor, options) => dirBlob(files, root, descriptor, options),
      [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
    };
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

async function* dirBlob(
  files: ImageFiles,
  root: Descriptor,
  descriptor: Descriptor,
  options: Cancellable & { readonly offset?: number } = {},
): AsyncGenerator<Uint8Array> {
  const name = fileOf(descriptor, root);
  const found = await files.size(name);
  if (found !== descriptor.size)
    throw new RamekinError("DATA_LOSS", `${name} in ${files.location} has ${found} bytes, its descriptor says ${descriptor.size}`);
  if ((options.offset ?? 0) > found)
    throw new RamekinError("INVALID_ARGUMENT", `${name} in ${files.location} has ${found} bytes, none at ${options.offset}`);
  yield* files.read(name, options);
}

/** As containers/image has it: other algorithms than sha256 are a part of the name. */
export function fileOf({ digest, mediaType }: Descriptor, root: Descriptor | undefined): string {
  if (digest === root?.digest) return "manifest.json";
  const algorithm = digestAlgorithm(digest);
  const stem = `${algorithm === "sha256" ? "" : `${algorithm}-`}${digestHex(digest)}`;
  return isManifestType(mediaType) || isIndexType(mediaType) ? `${stem}.manifest.json` : stem;
}
