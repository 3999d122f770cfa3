import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { type PassingEntry, readTar } from "@ramekin/archive";
import { type BuildFiles, type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";
import { bytesOf, type FileContent, type FileNode, type FileTree, lastName, parentOf } from "./file-tree.ts";
import { layerEnd, layerHeader, layerPadding } from "./layer-header.ts";
import { nameIn, rangeOf } from "./layer-tree.ts";
import { nodeOf } from "./tar-node.ts";
import { findOwner } from "./users.ts";

/**
 * The files of a stack in memory, for a machine that has nothing to mount or unpack them with. What is changed is told apart from what
 * was there by the same rules as ramekin-layer's `compare`, and unpacked by those of its `apply`.
 */
export class VirtualFiles implements BuildFiles {
  readonly #lower: FileTree;
  readonly #upper: FileTree;
  readonly #folder: () => Promise<string>;
  readonly #options: Cancellable;
  /** Directories that nobody has asked for but what is in them. */
  readonly #onTheWay = new Set<string>();

  constructor(lower: FileTree, folder: () => Promise<string>, options: Cancellable) {
    this.#lower = lower;
    this.#upper = lower.clone();
    this.#folder = folder;
    this.#options = options;
  }

  async look(path: string, { follow = false }: { readonly follow?: boolean } = {}) {
    const at = this.#upper.resolve(path, follow);
    const node = at === undefined ? undefined : this.#upper.get(at);
    if (!node) return undefined;
    const kind = node.kind === "device" ? ("other" as const) : node.kind;
    return { kind, size: node.kind === "file" ? node.content.size : 0 };
  }

  async *pack(path: string, { name = "", follow = false }: { readonly name?: string; readonly follow?: boolean } = {}): ByteStream {
    const at = this.#upper.resolve(path, follow);
    if (at === undefined) throw new RamekinError("NOT_FOUND", `${path}: no such file or directory`);
    const told = new Map<FileContent, string>();
    const pending: (readonly [string, string])[] = [[at, name]];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const [from, to] = next;
      const node = this.#upper.get(from) as FileNode;
      yield* entry(to, node, told);
      const children = this.#upper.below(from).toReversed();
      pending.push(...children.map((child) => [child, to === "" ? lastName(child) : `${to}/${lastName(child)}`] as const));
    }
    yield layerEnd;
  }

  async unpack(
    path: string,
    tar: ByteStream,
    { user, onTheWay = false }: { readonly user?: string; readonly onTheWay?: boolean } = {},
  ): Promise<void> {
    const tree = this.#upper;
    const top = tree.resolve(path, true);
    if (top === undefined || tree.get(top)?.kind !== "directory") throw new RamekinError("NOT_FOUND", `${path} is no directory`);
    const owner = user === undefined ? {} : await findOwner(tree, user);
    const contents = join(await this.#folder(), "contents");
    await using file = await open(contents, "wx", 0o600);
    const directories: (readonly [string, FileNode])[] = [];
    let offset = 0;
    for await (const each of readTar(tar, this.#options.signal)) {
      const relative = nameIn(each.name);
      if (relative === "") continue;
      const name = top === "" ? relative : `${top}/${relative}`;
      const start = offset;
      if (each.type === "0") {
        for await (const chunk of each.content) {
          await file.writeFile(chunk);
          offset += chunk.byteLength;
        }
      }
      const { size } = each;
      const node = this.#nodeFor(each, { size, read: () => rangeOf(contents, start, size) }, top);
      const owned = { ...node, ...owner };
      if (onTheWay) this.#onTheWay.add(name);
      else this.#onTheWay.delete(name);
      if (this.#place(name, owned) && owned.kind === "directory") directories.push([name, owned]);
    }
    // Times of directories last: what was put into them has changed these.
    for (const [name, { mtime }] of directories) {
      const node = tree.get(name);
      if (node?.kind === "directory") tree.put(name, { ...node, mtime });
    }
  }

  #nodeFor(each: PassingEntry, content: FileContent, top: string): FileNode {
    if (each.type !== "1") return nodeOf(each, content);
    const target = nameIn(each.linkname);
    const first = this.#upper.get(top === "" ? target : `${top}/${target}`);
    if (first && first.kind !== "directory") return first;
    throw new RamekinError("DATA_LOSS", `${each.name} is a link to ${each.linkname}, which is no file before it`);
  }

  /** What is no directory is replaced, directories are filled; neither takes the other's place. */
  #place(name: string, node: FileNode): boolean {
    const tree = this.#upper;
    const now = Math.floor(Date.now() / 1000);
    const parent = parentOf(name);
    const above = tree.get(parent);
    if (!above)
      this.#place(parent, { kind: "directory", mode: 0o755, uid: 0, gid: 0, mtime: { seconds: now, nanoseconds: "" }, xattrs: new Map() });
    const there = tree.get(name);
    if (there && (there.kind === "directory") !== (node.kind === "directory")) {
      const what =
        node.kind === "directory" ? "a directory cannot take the place of a file" : "a file cannot take the place of a directory";
      throw new RamekinError("FAILED_PRECONDITION", `/${name}: ${what}`);
    }
    const around = tree.get(parent);
    if (around?.kind !== "directory") throw new RamekinError("FAILED_PRECONDITION", `/${parent} is no directory`);
    if (!there || node.kind !== "directory") tree.put(parent, { ...around, mtime: { seconds: now, nanoseconds: "" } });
    tree.put(name, node);
    return true;
  }

  /** What has changed, with all directories above it, as a layer; parents before children, siblings by the bytes of their names. */
  async *layer({ apart = false } = {}): ByteStream {
    const wanted = new Set<string>();
    for (const path of await this.#changed()) {
      wanted.add(path);
      for (let at = parentOf(path); at !== "" && !wanted.has(at); at = parentOf(at)) wanted.add(at);
    }
    if (apart) for (const path of ["", ...this.#onTheWay]) wanted.delete(path);
    const told = new Map<FileContent, string>();
    if (wanted.has("")) yield* entry("", this.#upper.get("") as FileNode, told);
    const pending = this.#upper.below("").toReversed();
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (wanted.has(path)) yield* entry(path, this.#upper.get(path) as FileNode, told);
      pending.push(...this.#upper.below(path).toReversed());
    }
    yield layerEnd;
  }

  async #changed(): Promise<readonly string[]> {
    const changed: string[] = [];
    // Of nothing at all even the root is new.
    if (this.#lower.below("").length === 0 && this.#upper.below("").length > 0) changed.push("");
    const pending = [...this.#upper.below("")];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      const node = this.#upper.get(path) as FileNode;
      const before = this.#lower.get(path);
      if (node !== before && !(before && (await same(before, node)))) changed.push(path);
      pending.push(...this.#upper.below(path));
    }
    return changed;
  }
}

async function* entry(path: string, node: FileNode, told: Map<FileContent, string>): ByteStream {
  const first = node.kind === "file" ? told.get(node.content) : undefined;
  yield layerHeader(path, node, first);
  if (node.kind !== "file" || first !== undefined) return;
  told.set(node.content, path);
  yield* node.content.read();
  yield layerPadding(node.content.size);
}

/** Size and time decide for a file's content; where times have no fraction they may be equal by chance, and the content is compared. */
async function same(one: FileNode, other: FileNode): Promise<boolean> {
  if (one.kind !== other.kind || one.mode !== other.mode || one.uid !== other.uid || one.gid !== other.gid) return false;
  if (one.mtime.seconds !== other.mtime.seconds || one.mtime.nanoseconds !== other.mtime.nanoseconds) return false;
  const attributes = ({ xattrs }: FileNode) =>
    JSON.stringify([...xattrs].map(([key, value]) => [key, Buffer.from(value).toString("hex")]).sort());
  if (attributes(one) !== attributes(other)) return false;
  if (one.kind === "link" && other.kind === "link") return one.target === other.target;
  if (one.kind !== "file" || other.kind !== "file") return true;
  if (one.content === other.content) return true;
  if (one.content.size !== other.content.size) return false;
  return one.mtime.nanoseconds !== "" || one.content.size === 0 || (await digest(one.content)) === (await digest(other.content));
}

async function digest(content: FileContent): Promise<string> {
  if (content.size < 1 << 20)
    return createHash("sha256")
      .update(await bytesOf(content))
      .digest("hex");
  const hash = createHash("sha256");
  for await (const chunk of content.read()) hash.update(chunk);
  return hash.digest("hex");
}
