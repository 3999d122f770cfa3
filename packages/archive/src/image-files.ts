import { constants } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { type ByteStream, type Cancellable, RamekinError } from "@ramekin/core";
import { type ArchiveOptions, openArchiveFile } from "./archive-file.ts";
import { readRange } from "./spool.ts";
import { findFile, indexTar } from "./tar-index.ts";

/** The files of an image on disk, whether in a folder or in a tar: what readers of layouts and docker archives need. */
export interface ImageFiles extends AsyncDisposable {
  /** As the user named it, for messages. */
  readonly location: string;
  /** NOT_FOUND for an absent file. */
  size(name: string): Promise<number>;
  read(name: string, options?: Cancellable & { readonly offset?: number | undefined; readonly length?: number | undefined }): ByteStream;
}

/** A small file, whole; RESOURCE_EXHAUSTED when it is larger. */
export async function readSmall(files: ImageFiles, name: string, maxSize: number, options?: Cancellable): Promise<Uint8Array> {
  const size = await files.size(name);
  if (size > maxSize)
    throw new RamekinError("RESOURCE_EXHAUSTED", `${name} in ${files.location} has ${size} bytes, the limit is ${maxSize}`);
  const pieces: Uint8Array[] = [];
  for await (const piece of files.read(name, { ...options, length: size })) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A folder. Its files may be links, but only to regular files inside it. */
export async function folderFiles(directory: string): Promise<ImageFiles> {
  const root = await realpath(directory).catch((error: unknown) => {
    throw absent(error, directory);
  });
  if (!(await stat(root)).isDirectory()) throw new RamekinError("INVALID_ARGUMENT", `${directory} is not a directory`);

  const openInside = async (name: string): Promise<{ file: FileHandle; size: number }> => {
    const path = await realpath(join(root, name)).catch((error: unknown) => {
      throw absent(error, `${directory}/${name}`);
    });
    if (!path.startsWith(root === sep ? root : root + sep))
      throw new RamekinError("DATA_LOSS", `${directory}/${name} leads out of the directory, to ${path}`);
    // Not to block on a FIFO.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW).catch((error: unknown) => {
      throw absent(error, `${directory}/${name}`);
    });
    const info = await file.stat();
    if (info.isFile()) return { file, size: info.size };
    await file.close();
    throw new RamekinError("DATA_LOSS", `${directory}/${name} is not a regular file`);
  };
  return {
    location: directory,
    size: async (name) => {
      const { file, size } = await openInside(name);
      await file.close();
      return size;
    },
    async *read(name, { offset = 0, length = Number.POSITIVE_INFINITY, signal } = {}): AsyncGenerator<Uint8Array> {
      const { file, size } = await openInside(name);
      try {
        yield* readRange(file, offset, Math.min(size, offset + length), { signal });
      } finally {
        await file.close();
      }
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A tar, compressed or not, as a path or a stream; what cannot be read from any offset is spooled, see `openArchiveFile`. */
export async function archiveFiles(location: string | ByteStream, options: ArchiveOptions): Promise<ImageFiles> {
  const file = await openArchiveFile(location, options);
  const shown = typeof location === "string" ? location : "the archive";
  try {
    const index = await indexTar(file, options);
    return {
      location: shown,
      size: async (name) => findFile(index, name).size,
      async *read(name, { offset = 0, length = Number.POSITIVE_INFINITY, signal } = {}): AsyncGenerator<Uint8Array> {
        const entry = findFile(index, name);
        yield* readRange(file, entry.offset + offset, entry.offset + Math.min(entry.size, offset + length), { signal });
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    if (error instanceof RamekinError && error.code !== "CANCELLED")
      throw new RamekinError(error.code, `${shown}: ${error.message}`, { cause: error });
    throw error;
  }
}

function absent(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return new RamekinError("NOT_FOUND", `${path} does not exist`, { cause: error });
  if (code === "EACCES" || code === "EPERM") return new RamekinError("PERMISSION_DENIED", `${path} may not be read`, { cause: error });
  if (code === "ELOOP") return new RamekinError("DATA_LOSS", `${path} is a link without end`, { cause: error });
  return error;
}
