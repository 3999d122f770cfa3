import { createHash } from "node:crypto";
import { type Cancellable, type ContentStore, type Descriptor, type Digest, isRamekinError, RamekinError } from "@ramekin/core";
import { findName } from "@ramekin/oci";
import { contentOf } from "../image.ts";
import type { ManifestListInfo } from "../manifest-api.ts";
import type { Scope } from "../scope.ts";
import { changeImages, readImages } from "../store/images.ts";
import type { Lease } from "../store/leases.ts";
import { entryFor, formatList, type ManifestList, readList, replaceList, type Sources } from "./list.ts";

export interface ListContent {
  readonly members: readonly Descriptor[];
  readonly sources: Sources;
}

/** Two who change the same list at once: each waits for nobody, so one of them begins again. */
const maxTries = 20;

/** Writes the index first, then points the name at it: until then the old list stands. `change` may be called more than once. */
export async function changeList(
  scope: Scope,
  name: string,
  change: (before: ManifestList | undefined) => ListContent,
  lease: Lease,
  options: Cancellable = {},
): Promise<ManifestListInfo> {
  const content = await contentOf(scope);
  for (let tries = 1; ; tries++) {
    const old = findName(await readImages(scope.paths), name);
    const before = old && (await readList(content, old, options));
    const { members, sources } = change(before);
    const { mediaType, bytes } = formatList(before?.index, members);
    const descriptor = await writeDocument(content, mediaType, bytes, lease, options);
    let lost = false;
    await changeImages(
      scope.paths,
      (index) => {
        lost = findName(index, name)?.digest !== old?.digest;
        return lost ? index : replaceList(index, name, old, entryFor(descriptor, members, sources));
      },
      options,
    );
    if (!lost) {
      scope.emit("image", "tag", descriptor.digest, { name });
      return { name, descriptor, members };
    }
    if (tries >= maxTries) throw new RamekinError("ABORTED", `manifest list ${name} is changed by others all the time`);
  }
}

async function writeDocument(
  content: ContentStore,
  mediaType: string,
  bytes: Uint8Array,
  lease: Lease,
  options: Cancellable,
): Promise<Descriptor> {
  const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const descriptor = { mediaType, digest, size: bytes.byteLength };
  await lease.protect(digest);
  try {
    await using writer = await content.open(`manifest-list-${lease.id}`, { ...options, expected: descriptor });
    await writer.write(bytes);
    await writer.commit({ digest });
  } catch (error) {
    if (!isRamekinError(error, "ALREADY_EXISTS")) throw error;
  }
  return descriptor;
}
