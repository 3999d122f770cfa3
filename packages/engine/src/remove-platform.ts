import { type Descriptor, type Digest, isRamekinError, type Platform, RamekinError } from "@ramekin/core";
import { formatPlatform, isIndexType, layoutEntries, manifestsBelow } from "@ramekin/oci";
import type { RemovedImage } from "./api.ts";
import { collectGarbage } from "./collect.ts";
import { blobsOf, chooseManifest, contentOf, documentDigester } from "./image.ts";
import { records } from "./mount-image.ts";
import { mustResolve } from "./resolve.ts";
import type { Scope } from "./scope.ts";
import { allIds, readConfigIfThere } from "./store/containers.ts";
import { readImages } from "./store/images.ts";
import { withLock } from "./store/lock.ts";

/**
 * What `rmi --platform` does: the manifests of these platforms go, and with them what nobody else needs. The index stays, so that
 * they can be pulled again; of an image that is no index, nothing would stay, and it is refused.
 */
export async function removePlatforms(
  scope: Scope,
  text: string,
  platforms: readonly Platform[],
  { noPrune = false }: { readonly noPrune?: boolean },
): Promise<readonly RemovedImage[]> {
  const content = await contentOf(scope);
  const { descriptor } = mustResolve(await readImages(scope.paths), text);
  if (!isIndexType(descriptor.mediaType)) {
    throw new RamekinError("FAILED_PRECONDITION", `${text} is no multi-platform image`, { hint: "remove it without a platform" });
  }
  const removed: Digest[] = [];
  for (const platform of platforms) {
    const { digest } = await chooseManifest(blobsOf(content), descriptor, platform, text);
    if (!(await content.stat(digest))) throw new RamekinError("NOT_FOUND", `${text}: ${formatPlatform(platform)} is not here`);
    // Under the store's lock nobody comes to need it meanwhile.
    await withLock(scope.paths.lock, { exclusive: true }, async () => {
      await refuseWhileNeeded(scope, descriptor, digest, text);
      await content.delete(digest);
    });
    removed.push(digest);
    scope.emit("image", "delete", digest);
  }
  const { blobs } = noPrune ? { blobs: [] } : await collectGarbage(scope);
  return [...removed, ...blobs].map((deleted) => ({ deleted }));
}

async function refuseWhileNeeded(scope: Scope, image: Descriptor, manifest: Digest, text: string): Promise<void> {
  const conflict = (why: string) => new RamekinError("FAILED_PRECONDITION", `conflict: unable to remove a platform of ${text}: ${why}`);
  const content = await contentOf(scope);
  for (const id of await allIds(scope.paths)) {
    if ((await readConfigIfThere(scope.paths, id))?.image.manifest === manifest) throw conflict(`container ${id.slice(0, 12)} is using it`);
  }
  if ((await records(scope)).some((mounted) => mounted.manifest === manifest)) throw conflict("it is mounted");
  for (const other of layoutEntries(await readImages(scope.paths))) {
    if (other.digest === image.digest) continue;
    const below = await manifestsBelow(blobsOf(content), other, { digester: documentDigester }).catch((error: unknown) => {
      if (isRamekinError(error, "NOT_FOUND") || isRamekinError(error, "UNSUPPORTED")) return [];
      throw error;
    });
    if (below.some(({ digest }) => digest === manifest)) throw conflict(`another image, ${other.digest}, has it too`);
  }
}
