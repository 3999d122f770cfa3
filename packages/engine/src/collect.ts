import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Cancellable, type ContentStore, type Descriptor, type Digest, isRamekinError, type StorageDriver } from "@ramekin/core";
import { chainIDs, isDigest, layoutEntries } from "@ramekin/oci";
import { contentOf, documentDigester } from "./image.ts";
import { reachable, readConfigDocument } from "./images.ts";
import { mountKey, records } from "./mount-image.ts";
import { viewKey } from "./mount-plan.ts";
import { unlessCancelled } from "./obey.ts";
import { attempt, type Scope } from "./scope.ts";
import { readSteps } from "./store/build-cache.ts";
import { allIds, readConfigIfThere } from "./store/containers.ts";
import { readImages } from "./store/images.ts";
import { type Leases, readLeases } from "./store/leases.ts";
import { withLock } from "./store/lock.ts";

export interface Collected {
  readonly blobs: readonly Digest[];
  readonly snapshots: readonly string[];
  /** Bytes of the blobs, and of the snapshots when they were measured. */
  readonly reclaimed: number;
}

export interface CollectOptions extends Cancellable {
  /** Asks for the size of each snapshot before it goes: a short-lived process each. */
  readonly measure?: boolean;
}

/**
 * Deletes blobs and snapshots that nothing needs. Under the store's exclusive lock: nobody can come to need one meanwhile.
 * Leases are read before names, since work gives its lease back after it has written its name. What a damaged document refers to
 * cannot be told, so nothing is deleted then: it might be all that makes a repair short.
 */
export async function collectGarbage(scope: Scope, options: CollectOptions = {}): Promise<Collected> {
  return withLock(scope.paths.lock, { exclusive: true, signal: options.signal }, async () =>
    collectLocked(scope, await readLeases(scope.paths), options),
  );
}

/** For who holds the store's lock already. */
export async function collectLocked(scope: Scope, leases: Leases, options: CollectOptions = {}): Promise<Collected> {
  try {
    return await sweep(scope, leases, await markNeeded(scope, leases), options);
  } catch (error) {
    if (!isRamekinError(error, "DATA_LOSS")) throw error;
    scope.warn(`the store is damaged, nothing was deleted: ${error.message}; \`ramekin system fsck --repair\` puts it right`);
    return { blobs: [], snapshots: [], reclaimed: 0 };
  }
}

export interface Marks {
  readonly blobs: Set<Digest>;
  /** Chain ids: those of images, and those that containers were made from. */
  readonly snapshots: Set<string>;
  readonly containers: Set<string>;
  /** Keys of the views that `image mount` shows. */
  readonly mounts: Set<string>;
}

/** All that names, containers and leases refer to. DATA_LOSS for a document that is not what it should be. */
export async function markNeeded(scope: Scope, leases: Leases): Promise<Marks> {
  const marks: Marks = { blobs: new Set(leases.digests), snapshots: new Set(), containers: new Set(), mounts: new Set() };
  const content = await contentOf(scope);
  const roots = new Map<string, Descriptor>();
  for (const entry of layoutEntries(await readImages(scope.paths))) roots.set(entry.digest, entry);
  for (const id of await allIds(scope.paths)) {
    marks.containers.add(id);
    const config = await readConfigIfThere(scope.paths, id);
    if (!config) continue;
    roots.set(config.image.descriptor.digest, config.image.descriptor);
    // Known without the image's documents: those of a damaged image may be gone.
    if (config.image.chainId !== "") marks.snapshots.add(config.image.chainId);
    for (const { image } of config.mounts ?? []) {
      if (!image) continue;
      roots.set(image.descriptor.digest, image.descriptor);
      if (image.chainId !== "") marks.snapshots.add(image.chainId);
    }
  }
  for (const { layer, chainId } of await readSteps(scope.paths)) {
    if (layer) marks.blobs.add(layer.descriptor.digest);
    if (chainId !== undefined) marks.snapshots.add(chainId);
  }
  for (const { key, image } of await records(scope)) {
    marks.mounts.add(key);
    roots.set(image.digest, image);
  }
  for (const root of roots.values()) await markImage(content, root, marks);
  for (const digest of leases.digests) await markLeased(content, digest, marks);
  return marks;
}

async function markImage(content: ContentStore, root: Descriptor, marks: Marks): Promise<void> {
  const { documents, images } = await reachable(content, root);
  marks.blobs.add(root.digest);
  for (const { digest } of documents) marks.blobs.add(digest);
  for (const { descriptor, manifest } of images) {
    marks.blobs.add(descriptor.digest);
    for (const { digest } of [manifest.config, ...manifest.layers]) marks.blobs.add(digest);
    await markChain(content, manifest.config, marks);
  }
}

/** What is leased may be anything; if it is a manifest, its snapshots are in the making. */
async function markLeased(content: ContentStore, digest: Digest, marks: Marks): Promise<void> {
  const info = await content.stat(digest);
  if (!info || info.size > 4 << 20) return;
  for (const mediaType of ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"]) {
    try {
      return await markImage(content, { mediaType, digest, size: info.size }, marks);
    } catch (error) {
      if (!isRamekinError(error, "DATA_LOSS")) throw error; // another kind of document
    }
  }
}

async function markChain(content: ContentStore, config: Descriptor, marks: Marks): Promise<void> {
  try {
    const { rootfs } = await readConfigDocument(content, config);
    for (const id of await chainIDs(rootfs.diff_ids, documentDigester("sha256"))) marks.snapshots.add(id);
  } catch (error) {
    if (!isRamekinError(error, "NOT_FOUND")) throw error; // an image of which only the manifest is here has no snapshots
  }
}

async function sweep(scope: Scope, leases: Leases, marks: Marks, { measure = false, signal }: CollectOptions): Promise<Collected> {
  const content = await contentOf(scope);
  const blobs: Digest[] = [];
  let reclaimed = 0;
  for await (const { digest, size } of content.list()) {
    unlessCancelled({ signal }, "collecting garbage");
    if (marks.blobs.has(digest)) continue;
    await content.delete(digest);
    blobs.push(digest);
    reclaimed += size;
  }
  const snapshots: string[] = [];
  for (const [name, storage] of await scope.kernel.useAll("storage")) {
    // Children first. A parent is garbage only with all its children.
    for (const key of childrenFirst(await garbageIn(storage, leases, marks))) {
      unlessCancelled({ signal }, "collecting garbage");
      await attempt(scope, `removing snapshot ${key} of ${name}`, async () => {
        const size = measure ? ((await storage.usage?.(key))?.size ?? 0) : 0;
        await storage.remove(key);
        snapshots.push(key);
        reclaimed += size;
      });
    }
    await attempt(scope, `tidying up storage ${name}`, async () => storage.cleanup?.());
  }
  for (const folder of [scope.paths.builds, scope.paths.buildWork]) {
    for (const id of await readdir(folder).catch(() => [])) {
      if (!leases.ids.has(id)) await attempt(scope, `removing what build ${id} left`, () => rm(join(folder, id), { recursive: true }));
    }
  }
  return { blobs, snapshots, reclaimed };
}

/** Snapshots that nothing needs, with their parents. What a kept one stands on is kept, whatever its image's documents say or do not say. */
export async function garbageIn(storage: StorageDriver, leases: Leases, marks: Marks): Promise<ReadonlyMap<string, string | undefined>> {
  const parents = new Map<string, string | undefined>();
  for await (const { key, parent } of storage.list()) parents.set(key, parent);
  const kept = new Set<string>();
  for (const key of parents.keys()) {
    if (isGarbage(key, leases, marks)) continue;
    for (let at: string | undefined = key; at !== undefined && !kept.has(at); at = parents.get(at)) kept.add(at);
  }
  return new Map([...parents].filter(([key]) => !kept.has(key)));
}

function isGarbage(key: string, leases: Leases, marks: Marks): boolean {
  const unpacking = /^unpack-([0-9a-f-]{36})-/.exec(key);
  if (unpacking) return !leases.ids.has(unpacking[1] as string);
  if (isDigest(key)) return !marks.snapshots.has(key);
  if (mountKey.test(key)) return !marks.mounts.has(key);
  const view = viewKey.exec(key);
  if (view) return !marks.containers.has(view[1] as string);
  // Of a container that is gone; other keys are not ours to judge.
  return /^[0-9a-f]{64}$/.test(key) && !marks.containers.has(key);
}

function childrenFirst(parents: ReadonlyMap<string, string | undefined>): readonly string[] {
  const depth = (key: string): number => {
    let steps = 0;
    for (let at: string | undefined = parents.get(key); at !== undefined && parents.has(at); at = parents.get(at)) steps++;
    return steps;
  };
  return [...parents.keys()]
    .map((key) => ({ key, depth: depth(key) }))
    .sort((a, b) => b.depth - a.depth)
    .map(({ key }) => key);
}
