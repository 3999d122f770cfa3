import type { Cancellable, Descriptor } from "@ramekin/core";
import { findName, isIndexType, isManifestType, parseIndex, parseReference } from "@ramekin/oci";
import { contentOf } from "../image.ts";
import type { InspectedManifest, InspectManifestOptions, ManifestDocument } from "../manifest-api.ts";
import { parallel } from "../parallel.ts";
import { readDocument } from "../read-document.ts";
import { openRegistries, type Registries } from "../registries.ts";
import { canonicalName } from "../resolve.ts";
import type { Scope } from "../scope.ts";
import { readImages } from "../store/images.ts";
import { type Found, find, findHere, platformOf } from "./find.ts";
import { isMadeHere, listName, type ManifestList, memberReference, noSuchList, readList } from "./list.ts";
import { findMember, noSuchMember } from "./member.ts";
import { type MemberSource, memberSource } from "./member-source.ts";

const concurrentReads = 3;

/** See `Engine.inspectManifest`. A list that was made here comes before a registry's of the same name: it is what will be pushed. */
export async function inspectManifest(scope: Scope, text: string, options: InspectManifestOptions = {}): Promise<InspectedManifest> {
  await scope.opened();
  const name = canonicalName(text);
  using registries = await openRegistries(scope, options.access, name === undefined ? undefined : parseReference(name).registry);
  if (options.list !== undefined) return await memberOf(scope, registries, options.list, text, options);

  const own = await ownList(scope, text);
  const found = own ?? (await find(scope, registries, text, options));
  const reference = found.reference ?? found.descriptor.digest;
  const bytes = await read(found, options);
  if (!isIndexType(found.descriptor.mediaType) || !options.members) {
    const platform = options.members ? await platformOf(found, options) : undefined;
    return { reference, descriptor: { ...found.descriptor, ...(platform && { platform }) }, bytes };
  }
  const { manifests } = parseIndex(bytes, found.descriptor.mediaType);
  const sources = own?.list.sources ?? new Map();
  const members = await parallel(manifests, concurrentReads, async (descriptor): Promise<ManifestDocument> => {
    const named = found.reference === undefined ? descriptor.digest : memberReference(found.reference, { sources }, descriptor.digest);
    // A registry has its members beside the list; here, they may be anywhere.
    const source = found.local ? await memberSource(scope, registries, named) : found.blobs;
    return { reference: named, descriptor, bytes: await read({ descriptor, blobs: source }, options) };
  });
  return { reference, descriptor: found.descriptor, bytes, members };
}

type OwnList = Found & { readonly list: ManifestList };

async function ownList(scope: Scope, text: string): Promise<OwnList | undefined> {
  const here = await findHere(scope, text);
  if (here?.reference === undefined) return undefined;
  const entry = findName(await readImages(scope.paths), here.reference);
  if (!entry || !isMadeHere(entry)) return undefined;
  return { ...here, list: await readList(await contentOf(scope), entry) };
}

async function memberOf(
  scope: Scope,
  registries: Registries,
  listText: string,
  text: string,
  options: InspectManifestOptions,
): Promise<InspectedManifest> {
  const name = listName(listText);
  const entry = findName(await readImages(scope.paths), name);
  if (!entry) throw noSuchList(name);
  const list = await readList(await contentOf(scope), entry, options);
  const descriptor = findMember(list, text);
  if (!descriptor) throw noSuchMember(listText, list, text);
  const reference = memberReference(name, list, descriptor.digest);
  const blobs: MemberSource = await memberSource(scope, registries, reference);
  const known =
    descriptor.platform ?? (isManifestType(descriptor.mediaType) ? await platformOf({ descriptor, blobs }, options) : undefined);
  return { reference, descriptor: { ...descriptor, ...(known && { platform: known }) }, bytes: await read({ descriptor, blobs }, options) };
}

function read(
  { blobs, descriptor }: Pick<Found, "blobs"> & { readonly descriptor: Descriptor },
  options: Cancellable,
): Promise<Uint8Array> {
  return readDocument(blobs, descriptor, { signal: options.signal });
}
