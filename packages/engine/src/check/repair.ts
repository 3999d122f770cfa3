import { rename } from "node:fs/promises";
import { join } from "node:path";
import { type ContentStore, type Descriptor, type Digest, isRamekinError, RamekinError } from "@ramekin/core";
import {
  emptyLayoutIndex,
  formatLayoutIndex,
  isIndexType,
  isManifestType,
  isObject,
  type LayoutIndex,
  layoutMarker,
  maxManifestSize,
  parseReference,
  putName,
  putUnnamed,
  readBlob,
} from "@ramekin/oci";
import { forgetImages, tellForgotten } from "../forget-images.ts";
import { blobsOf, contentOf, documentDigester } from "../image.ts";
import { ingestImage } from "../ingest.ts";
import { openOrigin } from "../origin.ts";
import type { Scope } from "../scope.ts";
import { isThere } from "../store/containers.ts";
import { replaceFile } from "../store/files.ts";
import { takeLease } from "../store/leases.ts";
import { withLock } from "../store/lock.ts";
import { type Corrupt, isSame } from "./blobs.ts";
import type { BadBlob } from "./inspect.ts";
import { labelOf, readRoots } from "./roots.ts";
import { type Root, type Walked, walk } from "./walk.ts";

/** Takes corrupt blobs away; with them present, nobody would fetch the right ones. */
export async function takeAway(scope: Scope, corrupt: ReadonlyMap<Digest, Corrupt>): Promise<void> {
  const content = await contentOf(scope);
  await withLock(scope.paths.lock, { exclusive: true }, async () => {
    for (const [digest, { info }] of corrupt) if (isSame(await content.stat(digest), info)) await content.delete(digest);
  });
}

/** Where an image is whole again from, or why it is not. */
export type Restored =
  | { readonly from: string }
  /** `lost`: nobody has it any more, as far as anybody knows; else another time may do better. */
  | { readonly why: string; readonly lost: boolean; readonly hint?: string | undefined };

/** Brings back what the image lacks from where it came. */
export async function restore(scope: Scope, { root, manifests }: Walked, signal?: AbortSignal): Promise<Restored> {
  const content = await contentOf(scope);
  const refusals: RamekinError[] = [];
  for (const name of sourcesOf(root)) {
    try {
      await using lease = await takeLease(scope.paths);
      await using from = await openOrigin(scope, name, { signal });
      const ingest = (descriptor: Descriptor, platform = {}) =>
        ingestImage(content, from, descriptor, { name, lease, signal, ...platform });
      // An index that is back may list nothing for this machine: what it lists and was here is looked at below.
      if (isIndexType(root.descriptor.mediaType)) await ingest(root.descriptor, { platform: scope.platform }).catch(unlessUnsupported);
      for (const { descriptor, parts } of [...manifests, ...(await walk(content, root, scope.platform)).manifests]) {
        for (const { digest } of [descriptor, ...parts]) {
          if (await content.stat(digest)) continue;
          await ingest(descriptor);
          break;
        }
      }
      return { from: name };
    } catch (error) {
      if (!isRamekinError(error) || error.code === "CANCELLED") throw error;
      refusals.push(error);
    }
  }
  const open = refusals.find((error) => !isLack(error));
  if (open) return { why: open.message, hint: open.hint, lost: false };
  return { why: refusals.at(-1)?.message ?? "it has no name that says where it came from", lost: true };
}

/** Only who says that it has nothing is believed to have nothing: what cannot be reached, or lets nobody in, may have it. */
const isLack = (error: RamekinError) => error.code === "NOT_FOUND" || isRamekinError(error.cause, "NOT_FOUND");

function unlessUnsupported(error: unknown): void {
  if (!isRamekinError(error, "UNSUPPORTED")) throw error;
}

function sourcesOf({ names, containers }: Root): readonly string[] {
  const known = new Set([...names, ...containers.map(({ image }) => image.name)]);
  return [...known].filter((name) => {
    try {
      return parseReference(name).registry !== "";
    } catch {
      return false; // a container's image may have been an id
    }
  });
}

/** Drops of an image no more than cannot work: a platform beside others, or its names. Resolves with what was done. */
export async function drop(scope: Scope, walked: Walked, bad: ReadonlyMap<Digest, BadBlob>): Promise<string> {
  const { root, manifests, hasOther } = walked;
  const broken = manifests.filter(({ descriptor, parts }) => [descriptor, ...parts].some(({ digest }) => bad.has(digest)));
  const digests = new Set(broken.map(({ descriptor }) => descriptor.digest));
  const held = root.containers.some(({ image }) => digests.has(image.manifest));
  if (isIndexType(root.descriptor.mediaType) && !bad.has(root.descriptor.digest) && !held && hasOther(digests)) {
    const content = await contentOf(scope);
    await withLock(scope.paths.lock, { exclusive: true }, async () => {
      for (const digest of digests) await content.delete(digest);
    });
    return `its platform was dropped from ${labelOf(root).join(", ")}`;
  }
  if (!root.listed) return "";
  tellForgotten(scope, await forgetImages(scope, (id) => id === root.descriptor.digest));
  return `${labelOf(root).join(", ")} was dropped`;
}

/** The names are lost, the images need not be: each manifest that no index lists becomes an image again, with the names that containers know. */
export async function rebuildIndex(scope: Scope): Promise<string> {
  const { index, images, indexLock } = scope.paths;
  const content = await contentOf(scope);
  return withLock(indexLock, { exclusive: true }, async () => {
    await replaceFile(join(images, "oci-layout"), layoutMarker, { durable: true });
    const { problems, roots } = await readRoots(scope);
    if (!problems.some(({ id }) => id === index)) return "written again";
    const kept = `${index}.damaged-${Date.now()}`;
    if (await isThere(index)) await rename(index, kept);
    let rebuilt: LayoutIndex = { ...emptyLayoutIndex };
    for (const descriptor of await orphanedDocuments(content)) rebuilt = putUnnamed(rebuilt, descriptor);
    for (const { descriptor, containers } of roots) {
      for (const { image } of containers) if (isName(image.name)) rebuilt = putName(rebuilt, image.name, descriptor);
    }
    await replaceFile(index, formatLayoutIndex(rebuilt), { durable: true });
    return `made again from what is here, without the names that no container knows; the damaged file is ${kept}`;
  });
}

const isName = (text: string) => text.includes("/") && text.includes(":");

/** Indexes and manifests that no other document here lists. */
async function orphanedDocuments(content: ContentStore): Promise<readonly Descriptor[]> {
  const found = new Map<Digest, Descriptor>();
  const listed = new Set<string>();
  for await (const { digest, size } of content.list()) {
    if (size > maxManifestSize) continue;
    const document = await readDocument(content, { mediaType: "", digest, size });
    if (!document) continue;
    const mediaType = typeof document["mediaType"] === "string" ? document["mediaType"] : "";
    if (isIndexType(mediaType) || isManifestType(mediaType)) found.set(digest, { mediaType, digest, size });
    const children = isIndexType(mediaType) && Array.isArray(document["manifests"]) ? document["manifests"] : [];
    for (const child of children) if (isObject(child)) listed.add(String(child["digest"]));
  }
  return [...found.values()].filter(({ digest }) => !listed.has(digest));
}

async function readDocument(content: ContentStore, descriptor: Descriptor): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value: unknown = JSON.parse(Buffer.from(await readBlob(blobsOf(content), descriptor, { digester: documentDigester })).toString());
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RamekinError) return undefined;
    throw error;
  }
}
