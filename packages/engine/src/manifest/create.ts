import { type Descriptor, type Digest, RamekinError } from "@ramekin/core";
import { findName, isIndexType, parseReference } from "@ramekin/oci";
import type { CreateManifestListOptions, ManifestListInfo } from "../manifest-api.ts";
import { parallel } from "../parallel.ts";
import { openRegistries } from "../registries.ts";
import type { Scope } from "../scope.ts";
import { readImages } from "../store/images.ts";
import { takeLease } from "../store/leases.ts";
import { changeList, type ListContent } from "./change.ts";
import { describeMember, find } from "./find.ts";
import { listName, type ManifestList } from "./list.ts";

const concurrentReads = 3;

interface Member {
  readonly reference: string | undefined;
  readonly descriptor: Descriptor;
}

/** See `Engine.createManifestList`. All members are found before anything is written. */
export async function createManifestList(
  scope: Scope,
  text: string,
  members: readonly string[],
  options: CreateManifestListOptions = {},
): Promise<ManifestListInfo> {
  const name = listName(text);
  if (members.length === 0) throw new RamekinError("INVALID_ARGUMENT", `manifest list ${text} would have no members`);
  await scope.opened();
  await refuseExisting(scope, text, name, options.amend ?? false);
  using registries = await openRegistries(scope, options.access, parseReference(name).registry);
  await using lease = await takeLease(scope.paths);
  const found = await parallel(members, concurrentReads, async (member): Promise<Member> => {
    const each = await find(scope, registries, member, options);
    if (each.local) await lease.protect(each.descriptor.digest);
    return { reference: each.reference, descriptor: await describeMember(each, member, options) };
  });
  return await changeList(
    scope,
    name,
    (before) => {
      // Somebody else may have made it meanwhile.
      if (before && !options.amend) throw existing(text);
      return merged(before, found);
    },
    lease,
    options,
  );
}

async function refuseExisting(scope: Scope, text: string, name: string, amend: boolean): Promise<void> {
  const entry = findName(await readImages(scope.paths), name);
  if (!entry) return;
  if (!isIndexType(entry.mediaType)) {
    throw new RamekinError("ALREADY_EXISTS", `${text} is an image, not a manifest list`, {
      hint: `choose another name, or remove the image: ramekin rmi ${text}`,
    });
  }
  if (!amend) throw existing(text);
}

const existing = (text: string) =>
  new RamekinError("ALREADY_EXISTS", `refusing to amend an existing manifest list with no --amend flag: ${text}`, {
    hint: `add --amend, or remove the list first: ramekin manifest rm ${text}`,
  });

/** What is there keeps its place and what was said of it; a reference that now stands for another image is that image. */
function merged(before: ManifestList | undefined, found: readonly Member[]): ListContent {
  const members = new Map<Digest, Descriptor>(before?.index.manifests.map((member) => [member.digest, member]));
  const sources = new Map(before?.sources);
  for (const { reference, descriptor } of found) {
    const old = reference === undefined ? undefined : sources.get(reference);
    if (reference !== undefined) sources.set(reference, descriptor.digest);
    if (old !== undefined && ![...sources.values()].includes(old)) members.delete(old);
    if (!members.has(descriptor.digest)) members.set(descriptor.digest, descriptor);
  }
  return { members: [...members.values()], sources };
}
