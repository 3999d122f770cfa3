import type { ImageDetails } from "@ramekin/engine";
import { familiarReference, familiarRepository, parseReference } from "@ramekin/oci";

/** In the shape of `docker image inspect`, as far as there is something to say. */
export function describeImage({ id, names, descriptor, createdAt, size, manifest, config, platform }: ImageDetails): object {
  const references = names.map(parseReference);
  return {
    Id: id,
    RepoTags: references.filter(({ tag }) => tag !== undefined).map((reference) => familiarReference(reference)),
    RepoDigests: [...new Set(references.map((reference) => `${familiarRepository(reference)}@${id}`))],
    Comment: "",
    Created: createdAt?.toISOString() ?? "",
    Author: config["author"] ?? "",
    Config: config["config"] ?? {},
    Architecture: platform.architecture,
    ...(platform.variant !== undefined && { Variant: platform.variant }),
    Os: platform.os,
    Size: size,
    RootFS: { Type: config.rootfs.type, Layers: config.rootfs.diff_ids },
    Descriptor: descriptor,
    Manifest: manifest,
  };
}
