import { RamekinError } from "@ramekin/core";
import { matchPath } from "@ramekin/dockerfile";
import type { TreeEntry } from "./tree-entry.ts";

/** Files to be read, wherever they are. Paths are relative, clean, with `/`; "" is the root. No link is followed. */
export interface Tree {
  look(path: string): Promise<TreeEntry | undefined>;
  /** What is in a directory, in the order of names, each with its whole path as name; nothing in what is none. */
  list(path: string): Promise<readonly TreeEntry[]>;
}

/** As Linux: a path that leads through more links than these is taken for one without end. */
const maxLinks = 40;

/**
 * Where a path leads, links followed as if the tree were the whole world: none leads out of it. The last link is followed, too, as
 * BuildKit does with what COPY names.
 */
export async function resolveIn(tree: Tree, path: string): Promise<TreeEntry | undefined> {
  const left = path.split("/").reverse();
  let at = "";
  let entry = await tree.look("");
  for (let links = 0; left.length > 0; ) {
    const part = left.pop() as string;
    if (part === "" || part === ".") continue;
    if (entry?.kind !== "directory") return undefined;
    if (part === "..") {
      at = parentOf(at);
      entry = await tree.look(at);
      continue;
    }
    const child = at === "" ? part : `${at}/${part}`;
    const found = await tree.look(child);
    if (!found) return undefined;
    if (found.kind !== "link") {
      at = child;
      entry = found;
      continue;
    }
    if (++links > maxLinks) throw new RamekinError("INVALID_ARGUMENT", `${path}: too many levels of symbolic links`);
    left.push(...found.target.split("/").reverse());
    if (found.target.startsWith("/")) {
      at = "";
      entry = await tree.look("");
    }
  }
  return entry;
}

export const hasWildcard = (text: string) => /[*?[\\]/.test(text);

/** What a pattern of Go's filepath.Match fits, name by name: links are followed in front of the first wildcard, and not behind it. */
export async function matchIn(tree: Tree, pattern: string): Promise<readonly TreeEntry[]> {
  const parts = pattern.split("/");
  const first = parts.findIndex(hasWildcard);
  const base = await resolveIn(tree, parts.slice(0, first).join("/"));
  let found: readonly TreeEntry[] = base ? [base] : [];
  for (const part of parts.slice(first)) {
    const next: TreeEntry[] = [];
    for (const { name, kind } of found) {
      if (kind !== "directory") continue;
      for (const child of await tree.list(name)) if (matchPath(part, lastName(child.name))) next.push(child);
    }
    found = next;
  }
  return found;
}

export const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
export const lastName = (path: string) => path.slice(path.lastIndexOf("/") + 1);
