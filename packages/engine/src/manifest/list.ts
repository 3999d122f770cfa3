import { type Cancellable, type ContentStore, type Descriptor, type Digest, type Platform, RamekinError } from "@ramekin/core";
import {
  familiarReference,
  formatReference,
  type ImageIndex,
  isDigest,
  isIndexType,
  isObject,
  type LayoutIndex,
  mediaTypes,
  namesOf,
  parseIndex,
  parseReference,
  putName,
  readBlob,
  removeDigest,
} from "@ramekin/oci";
import { blobsOf, documentDigester } from "../image.ts";

/** A list as it is in the store. */
export interface ManifestList {
  /** Of the index, with what its entry in index.json says besides. */
  readonly entry: Descriptor;
  readonly index: ImageIndex;
  readonly sources: Sources;
}

/** Which reference a member was found by, canonical: its blobs are still there. */
export type Sources = ReadonlyMap<string, Digest>;

/** On the entry of index.json, so that `tag` and `rmi` need not know of it; the index itself is what others get. */
const sourcesAnnotation = "dev.ramekin.manifest.sources";

/** Whether it was made here of references; what it lists need not be here then. */
export function isMadeHere({ annotations }: Descriptor): boolean {
  return annotations?.[sourcesAnnotation] !== undefined;
}

/** The canonical name of a list. */
export function listName(text: string): string {
  const reference = parseReference(text);
  if (reference.digest === undefined) return formatReference(reference);
  throw new RamekinError("INVALID_ARGUMENT", `${text} cannot name a manifest list: it has a digest`, { hint: "leave out the digest" });
}

export function noSuchList(name: string): RamekinError {
  const shown = familiarReference(parseReference(name));
  return new RamekinError("NOT_FOUND", `no such manifest: ${shown}`, {
    hint: `there is no such list here; \`ramekin manifest create ${shown} IMAGE...\` makes one`,
  });
}

export async function readList(content: ContentStore, entry: Descriptor, options: Cancellable = {}): Promise<ManifestList> {
  if (!isIndexType(entry.mediaType)) throw new RamekinError("FAILED_PRECONDITION", `${entry.digest} is an image, not a manifest list`);
  const bytes = await readBlob(blobsOf(content), entry, { ...options, digester: documentDigester });
  return { entry, index: parseIndex(bytes, entry.mediaType), sources: sourcesOf(entry) };
}

function sourcesOf({ annotations }: Descriptor): Sources {
  let found: unknown;
  try {
    found = JSON.parse(annotations?.[sourcesAnnotation] ?? "{}");
  } catch {
    found = undefined; // written by nobody we know: members are found by digest then
  }
  return new Map(isObject(found) ? Object.entries(found).filter((pair): pair is [string, Digest] => isDigest(pair[1])) : []);
}

/** The reference that a member goes by: the one it was found by, else its digest in the list's own repository. */
export function memberReference(list: string, { sources }: Pick<ManifestList, "sources">, digest: Digest): string {
  for (const [reference, found] of sources) if (found === digest) return reference;
  return formatReference({ ...parseReference(list), digest });
}

/**
 * The bytes that docker manifest would write for the same members, so that both make the same digest: three spaces, size before
 * digest. A docker manifest list when all members are Docker's, else an OCI index.
 */
export function formatList(before: ImageIndex | undefined, members: readonly Descriptor[]): { mediaType: string; bytes: Uint8Array } {
  const docker = members.length > 0 && members.every(({ mediaType }) => mediaType === mediaTypes.dockerManifest);
  const mediaType = docker ? mediaTypes.dockerManifestList : mediaTypes.index;
  const { manifests: _, schemaVersion: __, mediaType: ___, ...others } = before ?? { schemaVersion: 2, manifests: [] };
  const document = { schemaVersion: 2, mediaType, ...others, manifests: members.map(ordered) };
  return { mediaType, bytes: new TextEncoder().encode(JSON.stringify(document, null, 3)) };
}

function ordered({ mediaType, size, digest, urls, annotations, platform, ...others }: Descriptor): object {
  return {
    mediaType,
    size,
    digest,
    ...(urls && { urls }),
    ...(annotations && { annotations }),
    ...others,
    ...(platform && { platform: orderedPlatform(platform) }),
  };
}

function orderedPlatform({ architecture, os, "os.version": version, "os.features": features, variant, ...others }: Platform): object {
  return {
    architecture,
    os,
    ...(version && { "os.version": version }),
    ...(features && features.length > 0 && { "os.features": features }),
    ...(variant && { variant }),
    ...others,
  };
}

/** Only what names a member is kept. */
export function entryFor(descriptor: Descriptor, members: readonly Descriptor[], sources: Sources): Descriptor {
  const kept = [...sources].filter(([, digest]) => members.some((member) => member.digest === digest));
  return { ...descriptor, annotations: { [sourcesAnnotation]: JSON.stringify(Object.fromEntries(kept)) } };
}

/** `name` stands for the new list; the old one goes, unless it has other names. */
export function replaceList(index: LayoutIndex, name: string, old: Descriptor | undefined, entry: Descriptor): LayoutIndex {
  const after = putName(index, name, entry);
  if (!old || old.digest === entry.digest || namesOf(after, old.digest).length > 0) return after;
  return removeDigest(after, old.digest);
}
