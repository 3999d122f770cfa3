import { type Cancellable, type ContentStore, type Descriptor, isRamekinError, type Platform } from "@ramekin/core";
import { chainIDs, isConfigType, manifestsBelow, parseManifest, readBlob } from "@ramekin/oci";
import type { ImagePlatform } from "./api.ts";
import { blobsOf, contentOf, documentDigester } from "./image.ts";
import { readConfigDocument } from "./images.ts";
import { mustResolve } from "./resolve.ts";
import type { Scope } from "./scope.ts";
import { allIds, readConfigIfThere } from "./store/containers.ts";
import { readImages } from "./store/images.ts";

/** See `Engine.platforms`. */
export async function imagePlatforms(scope: Scope, text: string, options: Cancellable = {}): Promise<readonly ImagePlatform[]> {
  await scope.opened();
  const { descriptor } = mustResolve(await readImages(scope.paths), text);
  const content = await contentOf(scope);
  const manifests = await manifestsBelow(blobsOf(content), descriptor, { ...options, digester: documentDigester });
  const configs = await Promise.all((await allIds(scope.paths)).map((id) => readConfigIfThere(scope.paths, id)));
  return Promise.all(
    manifests.map(async (manifest) => {
      const containers = configs.flatMap((config) => (config?.image.manifest === manifest.digest ? [config.id] : []));
      return { ...(await look(scope, content, manifest)), containers };
    }),
  );
}

async function look(scope: Scope, content: ContentStore, descriptor: Descriptor): Promise<Omit<ImagePlatform, "containers">> {
  const nothing = {
    descriptor,
    ...(descriptor.platform && { platform: descriptor.platform }),
    available: false,
    size: 0,
    unpacked: 0,
    layers: [],
  };
  try {
    const manifest = parseManifest(await readBlob(blobsOf(content), descriptor, { digester: documentDigester }), descriptor.mediaType);
    const config = isConfigType(manifest.config.mediaType) ? await readConfigDocument(content, manifest.config) : undefined;
    const chain = await chainIDs(config?.rootfs.diff_ids ?? [], documentDigester("sha256"));
    const stored = await Promise.all([manifest.config, ...manifest.layers].map(({ digest }) => content.stat(digest)));
    const sizes = stored.map((info) => info?.size ?? 0);
    return {
      descriptor,
      ...platformOf(descriptor, config),
      available: stored.every((info) => info !== undefined),
      size: descriptor.size + sizes.reduce((sum, size) => sum + size, 0),
      unpacked: await unpackedSize(scope, chain),
      layers: chain.flatMap((chainId, index) => {
        const layer = manifest.layers[index];
        return layer ? [{ digest: layer.digest, chainId, size: layer.size }] : [];
      }),
    };
  } catch (error) {
    if (isRamekinError(error, "NOT_FOUND")) return nothing;
    throw error;
  }
}

function platformOf(descriptor: Descriptor, config: Platform | undefined): Pick<ImagePlatform, "platform"> {
  if (descriptor.platform) return { platform: descriptor.platform };
  if (!config?.os || !config.architecture) return {};
  const { os, architecture, variant } = config;
  return { platform: { os, architecture, ...(variant && { variant }) } };
}

async function unpackedSize(scope: Scope, chain: readonly string[]): Promise<number> {
  const storage = await scope.kernel.use("storage");
  let size = 0;
  for (const key of chain) if (await storage.stat(key)) size += (await storage.usage?.(key))?.size ?? 0;
  return size;
}
