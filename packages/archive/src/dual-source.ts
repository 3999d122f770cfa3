import { type Cancellable, type Descriptor, type ImageSource, RamekinError } from "@ramekin/core";
import { formatReference, parseReference, refName, withRefName } from "@ramekin/oci";
import { imageNameAnnotation } from "./dual-target.ts";
import type { ImageFiles } from "./image-files.ts";
import { layoutSource } from "./layout-source.ts";

/** Images of an archive that `dualTarget`, Docker or containerd wrote: its layout, under the whole names that are in its index. */
export async function dualSource(
  files: ImageFiles,
  { name, signal }: Cancellable & { readonly name?: string | undefined } = {},
): Promise<ImageSource> {
  const source = await layoutSource(files, { signal });
  const roots = (await source.roots()).map(wholeName);
  if (name === undefined) return { ...source, roots: async () => roots };
  const wanted = formatReference(parseReference(name));
  const found = roots.filter((root) => refName(root) === wanted);
  if (found.length > 0) return { ...source, roots: async () => found };
  await source[Symbol.asyncDispose]();
  throw new RamekinError("NOT_FOUND", `${files.location} has no image named ${name}`);
}

function wholeName(root: Descriptor): Descriptor {
  const { [imageNameAnnotation]: whole, ...annotations } = root.annotations ?? {};
  return whole === undefined ? root : withRefName({ ...root, annotations }, whole);
}
