import { type ByteStream, RamekinError } from "@ramekin/core";

/** A file of a tree that is nowhere but in memory, and in the layers that have its content. */
export type FileNode = Attributes &
  (
    | { readonly kind: "directory" }
    | { readonly kind: "link"; readonly target: string }
    /** Two names of one file have the same content, by identity. */
    | { readonly kind: "file"; readonly content: FileContent }
    | { readonly kind: "device"; readonly type: "3" | "4" | "6"; readonly major: number; readonly minor: number }
  );

export interface FileContent {
  readonly size: number;
  read(): ByteStream;
}

interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: FileTime;
  /** As PAX records. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** Digits behind the point, nine of them or none: a number has no room for all. */
export interface FileTime {
  readonly seconds: number;
  readonly nanoseconds: string;
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

export function newDirectory(mtime: FileTime): FileNode {
  return { kind: "directory", mode: 0o755, uid: 0, gid: 0, mtime, xattrs: noXattrs };
}

const maxLinks = 40;

/** Paths are relative and clean; "" is the root. */
export class FileTree {
  readonly #nodes: Map<string, FileNode>;
  readonly #names: Map<string, Set<string>>;

  constructor(nodes: Iterable<readonly [string, FileNode]> = [["", newDirectory({ seconds: 0, nanoseconds: "" })]]) {
    this.#nodes = new Map();
    this.#names = new Map();
    for (const [path, node] of nodes) this.put(path, node);
  }

  clone(): FileTree {
    return new FileTree(this.#nodes);
  }

  get(path: string): FileNode | undefined {
    return this.#nodes.get(path);
  }

  /** In the order of the bytes of their names. */
  below(path: string): readonly string[] {
    return [...(this.#names.get(path) ?? [])].sort(byBytes);
  }

  /** Its parent must be there. A file that takes a directory's place takes all that is in it away. */
  put(path: string, node: FileNode): void {
    if (node.kind !== "directory") this.remove(path);
    this.#nodes.set(path, node);
    if (path === "") return;
    const parent = parentOf(path);
    const names = this.#names.get(parent);
    if (names) names.add(path);
    else this.#names.set(parent, new Set([path]));
  }

  remove(path: string): void {
    for (const child of this.#names.get(path) ?? []) this.remove(child);
    this.#names.delete(path);
    this.#nodes.delete(path);
    this.#names.get(parentOf(path))?.delete(path);
  }

  /** Where a path leads; links are followed as if this were the whole world, the last one only if asked to. Undefined for nowhere. */
  resolve(path: string, follow: boolean): string | undefined {
    const left = path.split("/").reverse();
    let at = "";
    for (let links = 0; left.length > 0; ) {
      const part = left.pop() as string;
      if (part === "" || part === ".") continue;
      if (this.get(at)?.kind !== "directory") return undefined;
      if (part === "..") {
        at = parentOf(at);
        continue;
      }
      const child = at === "" ? part : `${at}/${part}`;
      const node = this.get(child);
      if (!node) return undefined;
      const isLast = left.every((rest) => rest === "" || rest === ".");
      if (node.kind !== "link" || (isLast && !follow)) {
        at = child;
        continue;
      }
      if (++links > maxLinks) throw new RamekinError("INVALID_ARGUMENT", `/${path}: too many levels of symbolic links`);
      left.push(...node.target.split("/").reverse());
      if (node.target.startsWith("/")) at = "";
    }
    return at;
  }
}

export const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
export const lastName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** Two siblings. */
function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

export async function bytesOf(content: FileContent): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}
