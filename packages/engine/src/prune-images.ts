import type { Digest } from "@ramekin/core";
import { namesOf } from "@ramekin/oci";
import type { ImageInfo, PrunedImages, PruneImagesOptions } from "./api.ts";
import { collectLocked } from "./collect.ts";
import { forgetImages, tellForgotten } from "./forget-images.ts";
import { contentOf } from "./image.ts";
import { listImages, reachable, readConfigDocument } from "./images.ts";
import { records } from "./mount-image.ts";
import { familiarName } from "./resolve.ts";
import type { Scope } from "./scope.ts";
import { allIds, readConfigIfThere } from "./store/containers.ts";
import { readImages } from "./store/images.ts";
import { readLeases } from "./store/leases.ts";
import { withLock } from "./store/lock.ts";

/** See `Engine.pruneImages`. An image goes with all its names or not at all. */
export async function pruneImages(scope: Scope, options: PruneImagesOptions = {}): Promise<PrunedImages> {
  await scope.opened();
  const doomed = new Set<Digest>();
  for (const image of await listImages(scope, options)) if (await isDoomed(scope, image, options)) doomed.add(image.id);
  if (doomed.size === 0) return { untagged: [], deleted: [], reclaimed: 0 };
  // Exclusive: a container that is published meanwhile keeps its image, name and all.
  return withLock(scope.paths.lock, { exclusive: true, signal: options.signal }, () => removeDoomed(scope, doomed, options));
}

async function removeDoomed(scope: Scope, doomed: Set<Digest>, options: PruneImagesOptions): Promise<PrunedImages> {
  for (const digest of await inUse(scope)) doomed.delete(digest);
  // What has got a name meanwhile is wanted.
  const forgotten = await forgetImages(scope, (id, names) => doomed.has(id) && (names.length === 0 || options.all === true), options);
  if (forgotten.length === 0) return { untagged: [], deleted: [], reclaimed: 0 };
  const { blobs, reclaimed } = await collectLocked(scope, await readLeases(scope.paths), { measure: true });
  tellForgotten(scope, forgotten);
  scope.emit("image", "prune", "", { reclaimed: String(reclaimed) });
  const untagged = forgotten.flatMap(({ names }) => names.map(familiarName));
  return { untagged, deleted: [...new Set([...forgotten.map(({ id }) => id), ...blobs])], reclaimed };
}

async function isDoomed(scope: Scope, image: ImageInfo, { all, until, keep }: PruneImagesOptions): Promise<boolean> {
  if (!all && namesOf(await readImages(scope.paths), image.id).length > 0) return false;
  if (until && (image.createdAt ?? new Date(0)) >= until) return false;
  return keep === undefined || !keep(image, await labelsOf(scope, image));
}

/** Of the first of its images that is here. */
async function labelsOf(scope: Scope, { descriptor }: ImageInfo): Promise<Readonly<Record<string, string>>> {
  const content = await contentOf(scope);
  for (const { manifest } of (await reachable(content, descriptor)).images) {
    if (await content.stat(manifest.config.digest)) return (await readConfigDocument(content, manifest.config)).config?.Labels ?? {};
  }
  return {};
}

async function inUse(scope: Scope): Promise<readonly Digest[]> {
  const configs = await Promise.all((await allIds(scope.paths)).map((id) => readConfigIfThere(scope.paths, id)));
  const mounted = (await records(scope)).map(({ id }) => id);
  return [...configs.flatMap((config) => (config ? [config.image.descriptor.digest] : [])), ...mounted];
}
