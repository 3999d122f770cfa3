import {
  type BigIntStats,
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";
import type { FileDigests } from "./file-digests.ts";
import { lastName, parentOf, type Tree } from "./tree.ts";
import type { TreeEntry } from "./tree-entry.ts";

export interface DirectoryOptions {
  readonly digests?: FileDigests;
  /** A repository's files: 0644 or 0755, whatever umask git ran with, and all of one time. */
  readonly git?: { readonly mtime: number };
  /** Names that are nowhere in it. */
  readonly hidden?: readonly string[];
}

/**
 * A directory of the user's. Each directory in it is read once, when it is first needed, so that a build sees one state of it and
 * walks it once, whatever steps copy from it. Nothing is opened through a link.
 */
export function directoryTree(root: string, options: DirectoryOptions = {}): Tree {
  return new DirectoryTree(root, options);
}

class DirectoryTree implements Tree {
  readonly #root: string;
  readonly #options: DirectoryOptions;
  readonly #top: TreeEntry | undefined;
  readonly #directories = new Map<string, Promise<ReadonlyMap<string, TreeEntry>>>();

  constructor(root: string, options: DirectoryOptions) {
    this.#root = root;
    this.#options = options;
    this.#top = this.#entry("", "");
  }

  async look(path: string): Promise<TreeEntry | undefined> {
    if (path === "") return this.#top;
    const parent = parentOf(path);
    if ((await this.look(parent))?.kind !== "directory") return undefined;
    return (await this.#read(parent)).get(path);
  }

  async list(path: string): Promise<readonly TreeEntry[]> {
    return (await this.look(path))?.kind === "directory" ? [...(await this.#read(path)).values()] : [];
  }

  #read(path: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const known = this.#directories.get(path) ?? this.#readDirectory(path);
    this.#directories.set(path, known);
    return known;
  }

  async #readDirectory(path: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const entries = new Map<string, TreeEntry>();
    const full = this.#full(path);
    const names = attempt(full, () => readdirSync(full)) ?? [];
    const { hidden = [] } = this.#options;
    for (const [index, name] of names.sort().entries()) {
      // Others have their turn: a thousand files take some 10 ms.
      if (index % 1000 === 999) await new Promise(setImmediate);
      const child = path === "" ? name : `${path}/${name}`;
      const entry = hidden.includes(name) ? undefined : this.#entry(child, name);
      if (entry) entries.set(child, entry);
    }
    return entries;
  }

  #full = (path: string) => (path === "" ? this.#root : `${this.#root}/${path}`);

  #entry(path: string, name: string): TreeEntry | undefined {
    const full = this.#full(path);
    const stat = attempt(full, () => lstatSync(full, { bigint: true }));
    if (!stat) return undefined;
    const { git, digests } = this.#options;
    const mode = Number(stat.mode) & 0o7777;
    const executable = stat.isDirectory() || (mode & 0o100) !== 0;
    const base = {
      name: path,
      mode: git ? (executable ? 0o755 : 0o644) : mode,
      mtime: git?.mtime ?? Number(stat.mtimeNs / 1_000_000_000n),
    };
    if (stat.isDirectory()) return { ...base, kind: "directory" };
    if (stat.isSymbolicLink()) {
      const target = attempt(full, () => readlinkSync(full));
      return target === undefined ? undefined : { ...base, kind: "link", target };
    }
    if (!stat.isFile()) return undefined; // sockets and devices are no part of a context
    return {
      ...base,
      kind: "file",
      size: Number(stat.size),
      content: (options) => readFile(full, stat, name, options),
      ...(digests && { digest: (options?: Cancellable) => told(full, () => digests.digest(path, full, stat, options)) }),
    };
  }
}

/** In one piece when it is small. What is there now must be a file still: O_NONBLOCK, lest a pipe in its place hold us up. */
async function* readFile(full: string, { size }: BigIntStats, name: string, { signal }: Cancellable = {}): ByteStream {
  const fd = told(full, () => openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  if (size > 64n << 10n) {
    yield* createReadStream("", { fd, highWaterMark: 256 << 10, ...(signal && { signal }) }) as AsyncIterable<Uint8Array>;
    return;
  }
  try {
    if (!fstatSync(fd).isFile()) throw new RamekinError("FAILED_PRECONDITION", `${name} is no file any more`);
    const bytes = Buffer.allocUnsafe(Number(size) + 1);
    for (let at = 0; ; ) {
      const length = readSync(fd, bytes, at, bytes.byteLength - at, at);
      at += length;
      if (length > 0 && at < bytes.byteLength) continue;
      yield bytes.subarray(0, at);
      return;
    }
  } finally {
    closeSync(fd);
  }
}

/** Undefined for what has gone meanwhile. */
function attempt<T>(path: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EINVAL") return undefined;
    throw readError(path, error as NodeJS.ErrnoException);
  }
}

function told<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof RamekinError ? error : readError(path, error as NodeJS.ErrnoException);
  }
}

function readError(path: string, cause: NodeJS.ErrnoException): unknown {
  if (cause.code === undefined) return cause;
  const denied = cause.code === "EACCES" || cause.code === "EPERM";
  const hint = denied ? { hint: `leave ${lastName(path)} out by .dockerignore, or make it readable` } : {};
  return new RamekinError(denied ? "PERMISSION_DENIED" : "FAILED_PRECONDITION", `the build context cannot be read: ${cause.message}`, {
    cause,
    ...hint,
  });
}
