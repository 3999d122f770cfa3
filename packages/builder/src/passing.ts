import { type PassingEntry, readTar } from "@ramekin/archive";
import type { ByteStream } from "@ramekin/core";
import { cleanPath } from "@ramekin/dockerfile";
import type { TreeEntry } from "./tree-entry.ts";

/** The entries of a tar, as they come by: contents can be read until the next is asked for. The root is "", and no name leads out. */
export async function* entriesOf(tar: ByteStream, signal?: AbortSignal): AsyncGenerator<TreeEntry> {
  for await (const entry of readTar(tar, signal)) yield treeEntry(entry, () => entry.content);
}

export function treeEntry(entry: PassingEntry, content: () => ByteStream): TreeEntry {
  const { type, mode, mtime, uid, gid, linkname, size, pax, major = 0, minor = 0 } = entry;
  const base = { name: inTar(entry.name), mode, mtime, uid, gid, ...(pax && { pax }) };
  if (type === "5") return { ...base, kind: "directory" };
  if (type === "2") return { ...base, kind: "link", target: linkname };
  if (type === "1") return { ...base, kind: "hardlink", target: inTar(linkname) };
  if (type === "0") return { ...base, kind: "file", size, content };
  return { ...base, kind: "device", type, major, minor };
}

/** `./a//b/` is `a/b`; what would lead out stays at the root. */
function inTar(name: string): string {
  const clean = cleanPath(`/${name}`).slice(1);
  return clean === "." ? "" : clean;
}
