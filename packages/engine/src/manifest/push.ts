import { type ContentStore, type Descriptor, isRamekinError, RamekinError, type Reference } from "@ramekin/core";
import { findName, formatReference, isIndexType, isManifestType, parseIndex, parseManifest, parseReference } from "@ramekin/oci";
import { contentOf } from "../image.ts";
import type { PushedImage } from "../image-api.ts";
import type { PushManifestListOptions } from "../manifest-api.ts";
import { isDistributed } from "../outgoing.ts";
import { parallel } from "../parallel.ts";
import { readDocument } from "../read-document.ts";
import { openRegistries, type Registries } from "../registries.ts";
import { removeImage } from "../remove-image.ts";
import type { Scope } from "../scope.ts";
import { readImages } from "../store/images.ts";
import { takeLease } from "../store/leases.ts";
import { listName, type ManifestList, memberReference, noSuchList, readList } from "./list.ts";
import { type MemberSource, memberSource } from "./member-source.ts";

/** Docker's number. */
const concurrentUploads = 5;

/** See `Engine.pushManifestList`. Members first, the list after them, the tag last. */
export async function pushManifestList(scope: Scope, text: string, options: PushManifestListOptions = {}): Promise<PushedImage> {
  const name = listName(text);
  await scope.opened();
  const descriptor = await sendList(scope, name, options);
  scope.emit("image", "push", descriptor.digest, { name });
  if (options.purge) await removeImage(scope, name);
  return { name, descriptor };
}

async function sendList(scope: Scope, name: string, options: PushManifestListOptions): Promise<Descriptor> {
  const content = await contentOf(scope);
  await using lease = await takeLease(scope.paths);
  const list = await leased(scope, content, name, (entry) => lease.protect(entry.digest));
  using registries = await openRegistries(scope, options.access, parseReference(name).registry);

  const target = parseReference(name);
  const { registry, repository } = target;
  await lease.protect(...list.index.manifests.map(({ digest }) => digest));
  for (const member of list.index.manifests) {
    const from = memberReference(name, list, member.digest);
    await pushMember(await passage(scope, registries, target, from, options), member);
    options.onMember?.({ reference: formatReference({ registry, repository, digest: member.digest }), digest: member.digest });
  }
  const { annotations: _, ...descriptor } = list.entry;
  const client = registries.at(target.registry);
  const rest = { signal: options.signal };
  await client.push(target, descriptor, (offset) => content.read(descriptor.digest, { ...rest, offset }), rest);
  await client.tag(target, descriptor, rest);
  return descriptor;
}

async function leased(
  scope: Scope,
  content: ContentStore,
  name: string,
  protect: (entry: Descriptor) => Promise<void>,
): Promise<ManifestList> {
  const entry = findName(await readImages(scope.paths), name);
  if (!entry) throw noSuchList(name);
  await protect(entry);
  return readList(content, entry);
}

/** One member's way to the target. */
interface Passage {
  readonly source: MemberSource;
  readonly exists: (blob: Descriptor) => Promise<boolean>;
  readonly send: (blob: Descriptor) => Promise<void>;
  /** As people know it, for errors. */
  readonly from: string;
}

async function passage(
  scope: Scope,
  registries: Registries,
  target: Reference,
  from: string,
  { signal }: PushManifestListOptions,
): Promise<Passage> {
  const source = await memberSource(scope, registries, from);
  const client = registries.at(target.registry);
  const { registry, repository } = parseReference(from);
  // Inside a registry, blobs need not travel.
  const mountFrom = registry === target.registry && repository !== target.repository ? repository : undefined;
  return {
    source,
    from,
    exists: (blob) => client.exists(target, blob, { signal }),
    send: (blob) =>
      client.push(target, blob, (offset) => source.blob(blob, { offset, signal }), {
        signal,
        ...(mountFrom !== undefined && { mountFrom }),
      }),
  };
}

/** What a document names goes before it. */
async function pushMember(way: Passage, member: Descriptor): Promise<void> {
  if (await way.exists(member)) return;
  try {
    const parts = await partsOf(way, member);
    await parallel(parts.blobs, concurrentUploads, way.send);
    for (const nested of parts.nested) await pushMember(way, nested);
    await way.send(member);
  } catch (error) {
    if (!isRamekinError(error, "NOT_FOUND")) throw error;
    throw new RamekinError("NOT_FOUND", `member ${member.digest} is no longer at ${way.from}: ${error.message}`, {
      cause: error,
      hint: "push that image again, then add it to the list with --amend",
    });
  }
}

async function partsOf({ source }: Passage, member: Descriptor): Promise<{ blobs: readonly Descriptor[]; nested: readonly Descriptor[] }> {
  const document = () => readDocument(source, member);
  if (isManifestType(member.mediaType)) {
    const { config, layers } = parseManifest(await document(), member.mediaType);
    const blobs = new Map([...layers.filter(isDistributed), config].map((blob) => [blob.digest, blob]));
    return { blobs: [...blobs.values()], nested: [] };
  }
  if (isIndexType(member.mediaType)) return { blobs: [], nested: parseIndex(await document(), member.mediaType).manifests };
  return { blobs: [], nested: [] };
}
