import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { type Cancellable, RamekinError } from "@ramekin/core";
import { cleanPath, IgnoreMatcher, matchPath, readIgnoreFile } from "@ramekin/dockerfile";
import type { TreeEntry } from "./tree-entry.ts";

/** A directory of the user's, without what .dockerignore leaves out. Paths in it are relative, with `/`, and never lead out. */
export interface Context {
  readonly ignored: IgnoreMatcher;
  /** Whether nothing is there, or what. NOT_FOUND for a path that nothing has. */
  find(pattern: string): Promise<readonly Found[]>;
  /** What is below, itself first as "", in the order of names. */
  walk(path: string): AsyncIterable<TreeEntry>;
}

export interface Found {
  readonly path: string;
  readonly kind: TreeEntry["kind"];
}

/** `<Dockerfile>.dockerignore` counts before `.dockerignore` (dockerfile reference). */
export async function openContext(directory: string, dockerfile: string | undefined): Promise<Context> {
  const root = await realpath(directory).catch((cause: NodeJS.ErrnoException) => {
    throw new RamekinError("NOT_FOUND", `the build context ${directory} cannot be read: ${cause.message}`, { cause });
  });
  const text =
    (dockerfile === undefined ? undefined : await readIfThere(`${dockerfile}.dockerignore`)) ??
    (await readIfThere(join(root, ".dockerignore")));
  return new DirectoryContext(root, new IgnoreMatcher(text === undefined ? [] : readIgnoreFile(text)));
}

class DirectoryContext implements Context {
  readonly #root: string;
  readonly ignored: IgnoreMatcher;

  constructor(root: string, ignored: IgnoreMatcher) {
    this.#root = root;
    this.ignored = ignored;
  }

  async find(pattern: string): Promise<readonly Found[]> {
    const wanted = inside(pattern);
    const exact = await this.#entry(wanted);
    if (exact) return [{ path: wanted, kind: exact.kind }];
    if (!/[*?[\\]/.test(wanted)) return [];
    const found: Found[] = [];
    const depth = wanted.split("/").length;
    for await (const { name, kind } of this.#below("", depth)) {
      if (name.split("/").length === depth && matchPath(wanted, name)) found.push({ path: name, kind });
    }
    return found;
  }

  async *walk(path: string): AsyncGenerator<TreeEntry> {
    const first = await this.#entry(path);
    if (!first) return;
    yield { ...first, name: "" };
    if (first.kind !== "directory") return;
    for await (const entry of this.#below(path, Number.POSITIVE_INFINITY)) {
      yield { ...entry, name: path === "" ? entry.name : entry.name.slice(path.length + 1) };
    }
  }

  /** Depth first, by name. A directory that is left out may hold what a later `!pattern` takes in again. */
  async *#below(path: string, depth: number): AsyncGenerator<TreeEntry> {
    const names = (await readdir(join(this.#root, path))).sort();
    for (const name of names) {
      const child = path === "" ? name : `${path}/${name}`;
      const entry = await this.#look(child);
      if (!entry) continue;
      const out = this.ignored.ignores(child);
      if (!out) yield entry;
      if (entry.kind === "directory" && depth > 1 && (!out || this.ignored.hasExceptions)) yield* this.#below(child, depth - 1);
    }
  }

  async #entry(path: string): Promise<TreeEntry | undefined> {
    const out = path !== "" && this.ignored.ignores(path);
    for (let at = path; at.includes("/"); ) {
      at = at.slice(0, at.lastIndexOf("/"));
      if ((await this.#look(at))?.kind !== "directory") return undefined; // a link on the way could lead out of the context
    }
    const entry = await this.#look(path);
    // A directory that is left out may hold what is not.
    return out && !(entry?.kind === "directory" && this.ignored.hasExceptions) ? undefined : entry;
  }

  async #look(path: string): Promise<TreeEntry | undefined> {
    const full = join(this.#root, path);
    const stat = await lstat(full).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw error;
    });
    if (!stat) return undefined;
    const base = { name: path, mode: stat.mode & 0o7777, mtime: Math.floor(stat.mtimeMs / 1000) };
    if (stat.isDirectory()) return { ...base, kind: "directory" };
    if (stat.isSymbolicLink()) return { ...base, kind: "link", target: await readlink(full) };
    if (stat.isFile()) return { ...base, kind: "file", size: stat.size, content: (options) => readFrom(full, options) };
    return undefined; // sockets and devices are no part of a context
  }
}

const readFrom = (path: string, { signal }: Cancellable = {}) =>
  createReadStream(path, { highWaterMark: 256 << 10, ...(signal && { signal }) }) as AsyncIterable<Uint8Array>;

/** `/x`, `./x` and `../x` are all `x`, as in Docker: the context is the root. */
function inside(path: string): string {
  const clean = cleanPath(`/${path}`).slice(1);
  return clean === "." ? "" : clean;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}
