import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type Awaitable, type ByteStream, type Cancellable, type Codec, RamekinError } from "@ramekin/core";
import { isGzip } from "./framing/gzip.ts";
import { isZstd } from "./framing/zstd.ts";
import { readRange, spool } from "./spool.ts";

export interface ArchiveOptions extends Cancellable {
  /** For temporary files: streams and compressed archives go there, never into memory. */
  readonly directory: string;
  readonly codec: (format: string) => Awaitable<Codec>;
}

/** A plain tar as an open file: the path's own, or a nameless copy of a stream's or a compressed file's contents. Who called closes it. */
export async function openArchiveFile(location: string | ByteStream, options: ArchiveOptions): Promise<FileHandle> {
  const stored = typeof location === "string" ? await openRegular(location) : await spool(location, options.directory, options);
  try {
    const format = await compression(stored);
    if (format === undefined) return stored;
    const { size } = await stored.stat();
    const decoded = (await options.codec(format)).decode(readRange(stored, 0, size, options), { signal: options.signal });
    const plain = await spool(decoded, options.directory, options);
    await stored.close();
    return plain;
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** By magic: names lie. */
async function compression(file: FileHandle): Promise<string | undefined> {
  const first = Buffer.alloc(16);
  const { bytesRead } = await file.read(first, 0, first.byteLength, 0);
  const found = first.subarray(0, bytesRead);
  if (isGzip(found)) return "gzip";
  if (isZstd(found)) return "zstd";
  return undefined;
}

async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") throw new RamekinError("NOT_FOUND", `${path} does not exist`, { cause: error });
    if (code === "EACCES" || code === "EPERM") throw new RamekinError("PERMISSION_DENIED", `${path} may not be read`, { cause: error });
    throw error;
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new RamekinError("INVALID_ARGUMENT", `${path} is not a regular file`, {
    hint: "an archive is a file; give the stream itself to read from a pipe",
  });
}
