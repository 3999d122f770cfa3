import { readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ByteStream, RamekinError } from "@ramekin/core";
import { IgnoreMatcher, readIgnoreFile } from "@ramekin/dockerfile";
import { archiveTree } from "./archive-tree.ts";
import { type Context, contextOf } from "./context.ts";
import { directoryTree } from "./directory-tree.ts";
import { FileDigests } from "./file-digests.ts";
import { isGitURL } from "./git-url.ts";
import { openRemote } from "./remote-file.ts";
import { repositoryTree } from "./remote-source.ts";
import type { Workbench } from "./workbench.ts";

/** What a build works on: files, and where these are only a Dockerfile, its text. */
export interface OpenedContext {
  readonly context?: Context;
  readonly text?: string;
  /** What is worth remembering of it is written down. */
  close(): Promise<void>;
}

export const isRemote = (text: string): boolean => /^https?:\/\//.test(text) || isGitURL(text);

/** `<Dockerfile>.dockerignore` counts before `.dockerignore` (dockerfile reference). */
export async function openDirectory(bench: Workbench, directory: string, dockerfile: string | undefined): Promise<OpenedContext> {
  const root = await realpath(directory).catch((cause: NodeJS.ErrnoException) => {
    throw new RamekinError("NOT_FOUND", `the build context ${directory} cannot be read: ${cause.message}`, { cause });
  });
  if (!(await stat(root)).isDirectory()) {
    throw new RamekinError("INVALID_ARGUMENT", `the build context ${directory} is no directory`, {
      hint: `-f ${directory} names a Dockerfile, and - reads a context or a Dockerfile from stdin`,
    });
  }
  const text =
    (dockerfile === undefined ? undefined : await readIfThere(`${dockerfile}.dockerignore`)) ??
    (await readIfThere(join(root, ".dockerignore")));
  const digests = await FileDigests.of(bench.session, root);
  const ignored = new IgnoreMatcher(text === undefined ? [] : readIgnoreFile(text));
  return { context: contextOf(directoryTree(root, { digests }), ignored), close: () => digests.keep() };
}

/** A repository, an archive or a Dockerfile, behind an address. A .dockerignore in it means nothing, as in BuildKit: it is for what is sent. */
export async function openRemoteContext(bench: Workbench, address: string): Promise<OpenedContext> {
  if (isGitURL(address)) return { context: contextOf(await repositoryTree(bench, address)), close: async () => {} };
  const { bytes } = await (await openRemote(bench, address)).content();
  return openStream(bench, bytes());
}

/** A tar, compressed or not, with the Dockerfile in it; or only that. */
export async function openStream(bench: Workbench, source: ByteStream): Promise<OpenedContext> {
  const { session, signal } = bench;
  const first: Uint8Array[] = [];
  // What is no archive is a Dockerfile, which is not long.
  async function* remembered() {
    let length = 0;
    for await (const chunk of source) {
      length += chunk.byteLength;
      if (length <= maxDockerfile) first.push(chunk);
      yield chunk;
    }
  }
  const bytes = remembered();
  const iterator = bytes[Symbol.asyncIterator]();
  const kept: ByteStream = { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) };
  const tar = await session.tarIn(kept, { signal });
  if (tar) {
    const tree = await archiveTree(tar, await session.folder(), { signal });
    return { context: contextOf(tree), close: async () => {} };
  }
  while (!(await iterator.next()).done);
  return { text: Buffer.concat(first).toString("utf8"), close: async () => {} };
}

const maxDockerfile = 16 << 20;

/** Of a file in a context. NOT_FOUND in BuildKit's words. */
export async function readFrom(context: Context, path: string): Promise<string> {
  const [found] = await context.find(path);
  const chunks: Uint8Array[] = [];
  if (found?.kind === "file") {
    for await (const entry of context.walk(found.path))
      if (entry.kind === "file") for await (const chunk of entry.content()) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }
  throw new RamekinError("NOT_FOUND", `failed to read dockerfile: open ${path}: no such file or directory`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}
