import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join, posix } from "node:path";
import { type PassingEntry, readTar } from "@ramekin/archive";
import { type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";
import { type FileContent, type FileTree, lastName, newDirectory, parentOf } from "./file-tree.ts";
import { nodeOf } from "./tar-node.ts";

/** Applies a layer to a tree (OCI image spec, "Applying Changesets"). Its tar is kept in `folder`, where contents are read from. */
export async function applyLayer(tree: FileTree, tar: ByteStream, folder: string, { signal }: Cancellable): Promise<void> {
  const path = join(folder, "layer.tar");
  await using file = await open(path, "wx", 0o600);
  async function* kept() {
    for await (const chunk of tar) {
      await file.writeFile(chunk);
      yield chunk;
    }
  }
  /** What this layer has put there, which its own whiteouts spare. */
  const own = new Set<string>();
  for await (const entry of readTar(kept(), signal)) {
    const name = nameIn(entry.name);
    const base = lastName(name);
    if (base === ".wh..wh..opq") {
      for (const child of tree.below(parentOf(name))) if (!own.has(child)) tree.remove(child);
    } else if (base.startsWith(".wh.")) {
      const gone = posix.join(parentOf(name), base.slice(".wh.".length));
      if (!own.has(gone)) tree.remove(gone);
    } else {
      for (const each of implied(tree, parentOf(name))) own.add(each);
      putEntry(tree, name, entry, { size: entry.size, read: () => rangeOf(path, entry.offset, entry.size) });
      own.add(name);
    }
  }
}

export function rangeOf(path: string, start: number, size: number): ByteStream {
  if (size === 0) return (async function* () {})();
  return createReadStream(path, { start, end: start + size - 1, highWaterMark: 256 << 10 }) as ByteStream;
}

/** Relative, and nothing that leads out. */
export function nameIn(name: string): string {
  const clean = posix.normalize(`/${name}`).replace(/\/+$/, "").slice(1);
  if (clean.includes("\0")) throw new RamekinError("DATA_LOSS", `an entry of the layer is called ${JSON.stringify(name)}`);
  return clean;
}

/** Directories that a name needs and that nobody has told; a file in their place gives way. */
function implied(tree: FileTree, path: string): readonly string[] {
  if (path === "" || tree.get(path)?.kind === "directory") return [];
  const above = implied(tree, parentOf(path));
  tree.remove(path);
  tree.put(path, newDirectory({ seconds: 0, nanoseconds: "" }));
  return [...above, path];
}

export function putEntry(tree: FileTree, name: string, entry: PassingEntry, content: FileContent): void {
  if (entry.type !== "1") {
    tree.put(name, nodeOf(entry, content));
    return;
  }
  const first = tree.get(nameIn(entry.linkname));
  if (!first || first.kind === "directory")
    throw new RamekinError("DATA_LOSS", `${name} is a link to ${entry.linkname}, which is no file before it`);
  if (nameIn(entry.linkname) !== name) tree.put(name, first);
}
