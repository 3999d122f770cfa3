import type { ContentStore, Descriptor, Manifest } from "@ramekin/core";
import { type ContainerImageConfig, mediaTypes } from "@ramekin/oci";
import { type StoredLayer, storeDocument } from "./import.ts";
import type { Lease } from "./store/leases.ts";

/** As Docker tells a step that made no layer: a tar of nothing but its end, two blocks of zeros. */
const emptyTar = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

export const isEmptyLayer = ({ diffID }: StoredLayer): boolean => diffID === emptyTar;

/** Manifest and config of an image made from another one: of the same kind, Docker's or OCI's, on the layers `below` and a new one. */
export async function storeDerived(
  content: ContentStore,
  lease: Lease,
  from: Manifest,
  { below, layer, config }: { below: readonly Descriptor[]; layer: StoredLayer | undefined; config: ContainerImageConfig },
): Promise<Descriptor> {
  const docker = from.mediaType === mediaTypes.dockerManifest;
  const own = layer && !isEmptyLayer(layer) ? [docker ? { ...layer.layer, mediaType: mediaTypes.dockerLayerGzip } : layer.layer] : [];
  const configuration = await storeDocument(content, lease, config, docker ? mediaTypes.dockerConfig : mediaTypes.config);
  const mediaType = docker ? mediaTypes.dockerManifest : mediaTypes.manifest;
  return storeDocument(content, lease, { schemaVersion: 2, mediaType, config: configuration, layers: [...below, ...own] }, mediaType);
}
