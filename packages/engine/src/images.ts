import { type Cancellable, type ContentStore, type Descriptor, isRamekinError, type Manifest, type Platform } from "@ramekin/core";
import {
  type ContainerImageConfig,
  layoutEntries,
  manifestsBelow,
  namesOf,
  parseImageConfig,
  parseManifest,
  platformRank,
  readBlob,
  refName,
} from "@ramekin/oci";
import type { ImageDetails, ImageInfo } from "./api.ts";
import { blobsOf, contentOf, documentDigester, openImage } from "./image.ts";
import { mustResolve } from "./resolve.ts";
import type { Scope } from "./scope.ts";
import { readImages } from "./store/images.ts";

/** One line for each name, and one for each image without any; newest first. */
export async function listImages(scope: Scope, options: Cancellable = {}): Promise<readonly ImageInfo[]> {
  await scope.opened();
  const infos = await Promise.all(
    layoutEntries(await readImages(scope.paths)).map((entry) => describeImage(scope, entry, refName(entry), options)),
  );
  return infos.sort((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0));
}

export async function inspectImage(
  scope: Scope,
  text: string,
  options: Cancellable & { readonly platform?: Platform } = {},
): Promise<ImageDetails> {
  await scope.opened();
  const index = await readImages(scope.paths);
  const { name, descriptor } = mustResolve(index, text);
  const opened = await openImage(blobsOf(await contentOf(scope)), descriptor, options.platform ?? scope.platform, text, options);
  const { architecture, os, variant } = opened.config;
  return {
    ...(await describeImage(scope, descriptor, name, options)),
    names: namesOf(index, descriptor.digest),
    manifest: opened.manifest,
    config: opened.config,
    platform: { architecture, os, ...(variant !== undefined && { variant }) },
  };
}

/** What is here of an image: an index may list platforms that were never fetched. */
export async function describeImage(
  scope: Scope,
  descriptor: Descriptor,
  name: string | undefined,
  options: Cancellable = {},
): Promise<ImageInfo> {
  const content = await contentOf(scope);
  // A list is where one sees what to remove: an image that is damaged must not hide the others.
  const { images, documents } = (await ifSound(() => reachable(content, descriptor, options))) ?? { images: [], documents: [] };
  const sizes = new Map(documents.map(({ digest, size }) => [digest, size]));
  for (const { manifest } of images) {
    for (const { digest, size } of [manifest.config, ...manifest.layers]) if (await content.stat(digest)) sizes.set(digest, size);
  }
  const createdAt = await creationTime(content, images, scope.platform);
  return {
    id: descriptor.digest,
    ...(name !== undefined && { name }),
    descriptor,
    ...(createdAt && { createdAt }),
    size: [...sizes.values()].reduce((sum, size) => sum + size, 0),
  };
}

export interface Reachable {
  /** Index and manifest documents that are here. */
  readonly documents: readonly Descriptor[];
  readonly images: readonly { readonly descriptor: Descriptor; readonly manifest: Manifest }[];
}

/** All manifests below a root that are here; one that is not is no error. */
export async function reachable(content: ContentStore, root: Descriptor, options: Cancellable = {}): Promise<Reachable> {
  const documents: Descriptor[] = [];
  const source = blobsOf(content);
  const recording = {
    blob: (descriptor: Descriptor, rest?: Cancellable) => {
      documents.push(descriptor);
      return source.blob(descriptor, rest);
    },
  };
  const manifests = await ifHere(() => manifestsBelow(recording, root, { ...options, digester: documentDigester }));
  const images: Reachable["images"][number][] = [];
  for (const descriptor of manifests ?? []) {
    const manifest = await ifHere(async () =>
      parseManifest(await readBlob(source, descriptor, { ...options, digester: documentDigester }), descriptor.mediaType),
    );
    if (!manifest) continue;
    documents.push(descriptor);
    images.push({ descriptor, manifest });
  }
  return { documents: manifests ? documents : [], images };
}

async function creationTime(content: ContentStore, images: Reachable["images"], platform: Platform): Promise<Date | undefined> {
  for (const { manifest } of images) {
    const config = await ifSound(() => ifHere(() => readConfigDocument(content, manifest.config)));
    if (!config || (images.length > 1 && platformRank(platform, config as Platform) === undefined)) continue;
    const time = new Date(config.created ?? Number.NaN);
    return Number.isNaN(time.getTime()) ? undefined : time;
  }
  return undefined;
}

export async function readConfigDocument(content: ContentStore, descriptor: Descriptor): Promise<ContainerImageConfig> {
  return parseImageConfig(await readBlob(blobsOf(content), descriptor, { digester: documentDigester }));
}

/** Undefined for what is absent, or is no image: an artifact in the same store is nobody's error. */
async function ifHere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isRamekinError(error, "NOT_FOUND") || isRamekinError(error, "UNSUPPORTED")) return undefined;
    throw error;
  }
}

/** Undefined for bytes that are not what they should be. */
async function ifSound<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isRamekinError(error, "DATA_LOSS")) return undefined;
    throw error;
  }
}
