import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { readTar } from "@ramekin/archive";
import { type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";
import { treeEntry } from "./passing.ts";
import { parentOf, type Tree } from "./tree.ts";
import type { TreeEntry } from "./tree-entry.ts";

/**
 * The files of a tar, which is kept in `folder` as it is and never unpacked: names and links in it can mean each other and nothing
 * else. Whose they were is forgotten, as of all contexts.
 */
export async function archiveTree(tar: ByteStream, folder: string, { signal }: Cancellable): Promise<Tree> {
  const path = join(folder, "context.tar");
  await using file = await open(path, "wx", 0o600);
  async function* kept() {
    for await (const chunk of tar) {
      await file.writeFile(chunk);
      yield chunk;
    }
  }
  const tree = new ArchiveTree();
  for await (const entry of readTar(kept(), signal)) {
    const { offset, size } = entry;
    const content = () => (size === 0 ? nothing() : (createReadStream(path, { start: offset, end: offset + size - 1 }) as ByteStream));
    tree.add(treeEntry(entry, content));
  }
  return tree;
}

async function* nothing() {}

class ArchiveTree implements Tree {
  readonly #directories = new Map<string, Map<string, TreeEntry>>([["", new Map()]]);

  add(entry: TreeEntry): void {
    const { uid: _, gid: _gid, ...rest } = entry;
    if (entry.name === "" || entry.kind === "device") return;
    const { name } = entry;
    if (entry.kind !== "hardlink") {
      this.#put(rest);
      return;
    }
    const first = this.#find(entry.target);
    if (first?.kind !== "file")
      throw new RamekinError("DATA_LOSS", `${name} in the archive is a link to ${entry.target}, which is no file before it`);
    this.#put({ ...first, name });
  }

  /** Of two with one name the later counts; a directory keeps what it has. */
  #put(entry: TreeEntry): void {
    const { name, kind } = entry;
    this.#directory(parentOf(name)).set(name, entry);
    if (kind === "directory") this.#directories.set(name, this.#directories.get(name) ?? new Map());
    else if (this.#directories.has(name)) this.#forget(name);
  }

  #forget(name: string): void {
    for (const path of this.#directories.keys()) if (path === name || path.startsWith(`${name}/`)) this.#directories.delete(path);
  }

  #directory(path: string): Map<string, TreeEntry> {
    const known = this.#directories.get(path);
    if (known) return known;
    const made = new Map<string, TreeEntry>();
    this.#directory(parentOf(path)).set(path, { name: path, kind: "directory", mode: 0o755, mtime: 0 });
    this.#directories.set(path, made);
    return made;
  }

  #find = (path: string) => this.#directories.get(parentOf(path))?.get(path);

  async look(path: string): Promise<TreeEntry | undefined> {
    return path === "" ? { name: "", kind: "directory", mode: 0o755, mtime: 0 } : this.#find(path);
  }

  async list(path: string): Promise<readonly TreeEntry[]> {
    const entries = [...(this.#directories.get(path)?.values() ?? [])];
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
