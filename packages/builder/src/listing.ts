import type { BuildFiles, Cancellable } from "@ramekin/core";
import { RamekinError } from "@ramekin/core";
import { fileDigest } from "./content-digest.ts";
import { entriesOf } from "./passing.ts";
import { matchIn, parentOf, type Tree } from "./tree.ts";
import type { TreeEntry } from "./tree-entry.ts";

/** What is in a directory of some layers, without contents; of files their digests. As JSON it can be remembered. */
export type Listing = readonly ListedEntry[];

interface ListedEntry {
  readonly name: string;
  readonly kind: TreeEntry["kind"];
  readonly mode: number;
  readonly mtime: number;
  readonly uid: number;
  readonly gid: number;
  readonly size?: number;
  readonly target?: string;
  readonly digest?: string;
}

/** Null when there is no such directory. */
export async function readListing(
  files: Pick<BuildFiles, "look" | "pack">,
  directory: string,
  options: Cancellable,
): Promise<Listing | null> {
  if (directory !== "/" && (await files.look(directory, { follow: true }))?.kind !== "directory") return null;
  const entries: ListedEntry[] = [];
  for await (const entry of entriesOf(files.pack(directory, { follow: true }), options.signal)) {
    const { name, kind, mode, mtime, uid = 0, gid = 0 } = entry;
    entries.push({
      ...{ name, kind, mode, mtime, uid, gid },
      ...(kind === "file" && { size: entry.size, digest: await fileDigest(entry, options) }),
      ...((kind === "link" || kind === "hardlink") && { target: entry.target }),
    });
  }
  return entries;
}

/** A tree to choose from; its files have no contents. Another name of a file is a file. */
export function treeOf(listing: Listing): Tree & { match(pattern: string): Promise<readonly TreeEntry[]> } {
  const entries = new Map<string, TreeEntry>([["", { name: "", kind: "directory", mode: 0o755, mtime: 0 }]]);
  const below = new Map<string, TreeEntry[]>();
  for (const listed of listing) {
    const entry = fileOf(listed, entries);
    entries.set(listed.name, entry);
    if (listed.name === "") continue;
    const parent = parentOf(listed.name);
    const siblings = below.get(parent);
    if (siblings) siblings.push(entry);
    else below.set(parent, [entry]);
  }
  const tree: Tree = { look: async (path) => entries.get(path), list: async (path) => below.get(path) ?? [] };
  return { ...tree, match: (pattern) => matchIn(tree, pattern) };
}

function fileOf(listed: ListedEntry, entries: ReadonlyMap<string, TreeEntry>): TreeEntry {
  const { name, kind, target = "", size = 0, digest = "", ...rest } = listed;
  const base = { ...rest, name };
  if (kind === "directory") return { ...base, kind };
  if (kind === "link") return { ...base, kind, target };
  if (kind === "device") return { ...base, kind, type: "6" };
  const first = kind === "hardlink" ? entries.get(target) : undefined;
  if (first?.kind === "file") return { ...first, name };
  async function* content() {
    yield* [];
    throw new RamekinError("INTERNAL", `${name} was listed without its content`);
  }
  return { ...base, kind: "file", size, content, digest: async () => digest };
}

/**
 * Names to be given, by the name under which the content comes by: of a file with several names that is the first, which may not have
 * been chosen itself.
 */
export function unlinked(listing: Listing, names: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const carried = new Map<string, string[]>();
  for (const { name, kind, target } of listing) {
    const given = names.get(name);
    if (given === undefined) continue;
    const carrier = kind === "hardlink" && target !== undefined ? target : name;
    const all = carried.get(carrier);
    if (all) all.push(given);
    else carried.set(carrier, [given]);
  }
  return carried;
}
