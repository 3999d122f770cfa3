import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Cancellable, type Descriptor, type Digest, type ImageTarget, RamekinError } from "@ramekin/core";
import {
  blobPath,
  checkLayoutMarker,
  type DigesterFor,
  digestAlgorithm,
  emptyLayoutIndex,
  formatLayoutIndex,
  type LayoutIndex,
  layoutMarker,
  parseLayoutIndex,
  putName,
  putUnnamed,
  refName,
} from "@ramekin/oci";
import { cancellable } from "./framing/reader.ts";
import { append } from "./spool.ts";

export interface TargetOptions {
  readonly digester: DigesterFor;
}

/**
 * Writes images into an OCI layout folder, new or there already; entries of others stay. Blobs are verified and appear by rename,
 * the index is replaced last. What was written without a commit is removed.
 */
export async function layoutTarget(directory: string, { digester }: TargetOptions): Promise<ImageTarget> {
  const existed = await exists(directory);
  await mkdir(directory, { recursive: true });
  const marker = await readFile(join(directory, "oci-layout")).catch(ifAbsent);
  if (marker) checkLayoutMarker(marker);
  const written = new Set<Digest>();
  const roots: Descriptor[] = [];
  let committed = false;

  async function blob(descriptor: Descriptor, source: AsyncIterable<Uint8Array>, { signal }: Cancellable = {}): Promise<void> {
    const path = join(directory, blobPath(descriptor.digest));
    if (await exists(path)) return;
    await mkdir(dirname(path), { recursive: true });
    const temporary = join(dirname(path), `.new-${randomUUID()}`);
    try {
      await writeVerified(temporary, cancellable(source, signal), descriptor, digester);
      await rename(temporary, path);
      written.add(descriptor.digest);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async function commit(): Promise<void> {
    const path = join(directory, "index.json");
    const before = await readFile(path).catch(ifAbsent);
    const index = roots.reduce<LayoutIndex>(addRoot, before ? parseLayoutIndex(before) : emptyLayoutIndex);
    if (!marker) await replace(join(directory, "oci-layout"), layoutMarker);
    await replace(path, formatLayoutIndex(index));
    committed = true;
  }

  return {
    blob,
    root: async (descriptor) => {
      if (!(await exists(join(directory, blobPath(descriptor.digest))))) {
        throw new RamekinError("FAILED_PRECONDITION", `root ${descriptor.digest} was not written to ${directory}`);
      }
      roots.push(descriptor);
    },
    commit,
    [Symbol.asyncDispose]: async () => {
      if (committed) return;
      for (const digest of written) await rm(join(directory, blobPath(digest)), { force: true });
      if (!existed) await removeEmpty(directory, [...written]);
    },
  };
}

export function addRoot(index: LayoutIndex, root: Descriptor): LayoutIndex {
  const name = refName(root);
  return name === undefined ? putUnnamed(index, root) : putName(index, name, root);
}

/** Size and digest are checked before anybody can see the file. */
export async function writeVerified(
  path: string,
  source: AsyncIterable<Uint8Array>,
  { digest, size }: Descriptor,
  digester: DigesterFor,
): Promise<void> {
  const hasher = await (await digester(digestAlgorithm(digest))).create();
  const file = await open(path, "wx", 0o644);
  try {
    let offset = 0;
    for await (const chunk of source) {
      if (offset + chunk.byteLength > size)
        throw new RamekinError("DATA_LOSS", `blob ${digest} has more than the ${size} bytes that it should`);
      offset += await append(file, chunk, offset);
      hasher.update(chunk);
    }
    if (offset < size) throw new RamekinError("DATA_LOSS", `blob ${digest} ends after ${offset} of ${size} bytes`);
    const actual = hasher.digest();
    if (actual !== digest) throw new RamekinError("DATA_LOSS", `blob ${digest} has the digest ${actual}`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text, { flush: true });
  await rename(temporary, path);
}

/** A directory that we made, and nobody else has put anything into meanwhile. */
async function removeEmpty(directory: string, digests: readonly Digest[]): Promise<void> {
  const folders = new Set(digests.map((digest) => dirname(join(directory, blobPath(digest)))));
  for (const folder of [...folders, join(directory, "blobs"), directory]) {
    await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code ?? "")) throw error;
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(ifAbsent)) !== undefined;
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
