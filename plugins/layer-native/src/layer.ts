import { type ByteStream, type LayerApplier, type LayerDiffer, RamekinError } from "@ramekin/core";
import { applyLayer, diffTrees } from "@ramekin/native";
import { isLayerType, layerCompression } from "@ramekin/oci";

/** What `ramekin-rootfs` decodes by itself. */
const formats: readonly (string | undefined)[] = [undefined, "gzip", "zstd"];

/**
 * Applies layers to any mounts, in one process per layer that decodes, verifies, hashes and writes in one pass, below a root that
 * no name and no link in the layer leads out of.
 */
export const nativeApplier: LayerApplier = {
  async apply(mounts, source, descriptor, options = {}) {
    const { mediaType, digest } = descriptor;
    if (!isLayerType(mediaType)) throw new RamekinError("UNSUPPORTED", `layer ${digest} is no tar but ${mediaType}`);
    const format = layerCompression(mediaType);
    if (!formats.includes(format))
      throw new RamekinError("UNSUPPORTED", `layer ${digest} is compressed as ${format}`, { hint: "gzip and zstd are supported" });
    const { diffID, size } = await applyLayer({ mounts, source, descriptor, whiteouts: "delete", ...options });
    return { diffID, size };
  },
};

export const nativeDiffer: LayerDiffer = {
  diff: (lower, upper, options) => started(() => diffTrees(lower, upper, options).stream),
};

/** A process starts when somebody reads, not before: a stream that is never read would leave it behind. */
async function* started(start: () => ByteStream): AsyncGenerator<Uint8Array> {
  yield* start();
}
