import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Cancellable, type ContentStore, type Descriptor, type Digest, isRamekinError } from "@ramekin/core";
import { chainIDs, layoutEntries, refName } from "@ramekin/oci";
import type { ContainerConfig } from "./api.ts";
import { contentOf, documentDigester } from "./image.ts";
import { reachable, readConfigDocument } from "./images.ts";
import { parallel } from "./parallel.ts";
import type { Scope } from "./scope.ts";
import { allIds, readConfigIfThere } from "./store/containers.ts";
import { isGone } from "./store/files.ts";
import { readImages } from "./store/images.ts";

/** What lies in the store, with what belongs to whom. An *item* is a blob, by digest, or a snapshot, by driver and key. */
export interface Inventory {
  /** Bytes of each. */
  readonly items: ReadonlyMap<string, number>;
  readonly images: readonly StoredImage[];
  readonly containers: readonly ContainerConfig[];
}

export interface StoredImage {
  readonly descriptor: Descriptor;
  /** Canonical. */
  readonly names: readonly string[];
  /** An entry in index.json, with or without a name; otherwise only containers hold it. */
  readonly listed: boolean;
  /** Those that are here. */
  readonly items: ReadonlySet<string>;
  /** Its manifests and indexes: who is at work on the image has leased one, while a layer may be leased for another image that has it. */
  readonly documents: ReadonlySet<Digest>;
  readonly containers: readonly ContainerConfig[];
}

export const blobItem = (digest: Digest) => digest;
export const snapshotItem = (driver: string, key: string) => `${driver}/${key}`;

/** How many look at once: each `usage` is a short-lived process. */
const concurrent = 4;

/** Takes no lock: what vanishes meanwhile has no bytes. */
export async function takeInventory(scope: Scope, { signal }: Cancellable = {}): Promise<Inventory> {
  const content = await contentOf(scope);
  const containers = await readContainers(scope);
  const items = new Map<string, number>();
  for await (const { digest, size } of content.list()) items.set(blobItem(digest), size);
  for (const [driver, storage] of await scope.kernel.useAll("storage")) {
    const keys: string[] = [];
    for await (const { key } of storage.list()) keys.push(key);
    await parallel(keys, concurrent, async (key) => {
      signal?.throwIfAborted();
      items.set(snapshotItem(driver, key), (await unlessGone(async () => storage.usage?.(key)))?.size ?? 0);
    });
  }
  const images: StoredImage[] = [];
  for (const root of await rootsOf(scope, containers)) {
    const owned = await belongingsOf(scope, content, root.descriptor);
    images.push({ ...root, documents: owned.documents, items: new Set([...owned.items].filter((item) => items.has(item))) });
  }
  return { items, images, containers };
}

/** Of each digest that a name or a container refers to, once. */
async function rootsOf(scope: Scope, containers: readonly ContainerConfig[]): Promise<readonly Omit<StoredImage, "items" | "documents">[]> {
  const roots = new Map<Digest, { descriptor: Descriptor; names: string[]; listed: boolean; containers: ContainerConfig[] }>();
  const rootOf = (descriptor: Descriptor, listed: boolean) => {
    const found = roots.get(descriptor.digest) ?? { descriptor, names: [], listed, containers: [] };
    roots.set(descriptor.digest, found);
    return found;
  };
  for (const entry of layoutEntries(await readImages(scope.paths))) {
    const name = refName(entry);
    const root = rootOf(entry, true);
    if (name !== undefined) root.names.push(name);
  }
  for (const config of containers) rootOf(config.image.descriptor, false).containers.push(config);
  return [...roots.values()];
}

/** All that an image refers to, whether it is here or not; of a damaged one, what can be read. */
async function belongingsOf(scope: Scope, content: ContentStore, root: Descriptor): Promise<Pick<StoredImage, "items" | "documents">> {
  const sound = await unlessDamaged(() => reachable(content, root));
  const documents = new Set([root.digest, ...(sound?.documents ?? []).map(({ digest }) => digest)]);
  const items = new Set<string>([...documents].map(blobItem));
  const drivers = [...(await scope.kernel.useAll("storage")).keys()];
  for (const { manifest } of sound?.images ?? []) {
    for (const { digest } of [manifest.config, ...manifest.layers]) items.add(blobItem(digest));
    const config = await unlessGone(() => unlessDamaged(() => readConfigDocument(content, manifest.config)));
    const chain = config ? await chainIDs(config.rootfs.diff_ids, documentDigester("sha256")) : [];
    for (const id of chain) for (const driver of drivers) items.add(snapshotItem(driver, id));
  }
  return { items, documents };
}

export async function readContainers(scope: Scope): Promise<readonly ContainerConfig[]> {
  const configs = await Promise.all((await allIds(scope.paths)).map((id) => unlessDamaged(() => readConfigIfThere(scope.paths, id))));
  return configs.filter((config) => config !== undefined);
}

/** Bytes on disk below one of our own directories. */
export async function bytesBelow(path: string): Promise<number> {
  try {
    const { blocks } = await lstat(path);
    const entries = await readdir(path, { withFileTypes: true });
    const sizes = await Promise.all(
      entries.map(async (entry) => {
        const child = join(path, entry.name);
        return entry.isDirectory() ? bytesBelow(child) : (await lstat(child)).blocks * 512;
      }),
    );
    return sizes.reduce((sum, size) => sum + size, blocks * 512);
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

export async function unlessDamaged<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isRamekinError(error, "DATA_LOSS") || isRamekinError(error, "UNSUPPORTED")) return undefined;
    throw error;
  }
}

async function unlessGone<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isRamekinError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}
