import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cancellable } from "@ramekin/core";
import { emptyLayoutIndex, formatLayoutIndex, type LayoutIndex, layoutEntries, layoutMarker, parseLayoutIndex } from "@ramekin/oci";
import { readIfThere, replaceFile } from "./files.ts";
import { forgetUse, markUsed } from "./last-use.ts";
import { withLock } from "./lock.ts";
import type { Paths } from "./paths.ts";

/** The names of images: `index.json` of the store's OCI layout, one descriptor per name. Others may read it at any time. */
export async function readImages(paths: Paths): Promise<LayoutIndex> {
  const text = await readIfThere(paths.index);
  return text === undefined ? emptyLayoutIndex : parseLayoutIndex(new TextEncoder().encode(text));
}

/** One change at a time; a change that gives the same index back writes nothing. Resolves with what is there now. */
export async function changeImages(paths: Paths, change: (index: LayoutIndex) => LayoutIndex, options?: Cancellable): Promise<LayoutIndex> {
  return withLock(paths.indexLock, { ...options, exclusive: true }, async () => {
    const before = await readImages(paths);
    const after = change(before);
    if (after === before) return before;
    if (before === emptyLayoutIndex) await writeFile(join(paths.images, "oci-layout"), layoutMarker, { mode: 0o600 });
    await replaceFile(paths.index, formatLayoutIndex(after), { durable: true });
    await followUse(paths, before, after);
    return after;
  });
}

/** An image that has come is as good as used; one that has gone leaves no mark. */
async function followUse(paths: Paths, before: LayoutIndex, after: LayoutIndex): Promise<void> {
  const old = new Set(layoutEntries(before).map(({ digest }) => digest));
  const now = new Set(layoutEntries(after).map(({ digest }) => digest));
  for (const digest of now) if (!old.has(digest)) markUsed(paths, digest);
  for (const digest of old) if (!now.has(digest)) await forgetUse(paths, digest);
}
