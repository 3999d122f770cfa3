import { mkdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ContentInfo, type ContentWriter, type DigestAlgorithm, type Expected, type Hasher, RamekinError } from "@ramekin/core";
import { blobPath, type DigesterFor, digestAlgorithm, parseDigest } from "@ramekin/oci";
import { fileError, readRange, syncDirectory, unlessAbsent, writeAll } from "./files.ts";
import type { Ingestion } from "./ingest.ts";

export interface WriterOptions {
  /** The store's, with `blobs` in it. */
  readonly root: string;
  readonly digester: DigesterFor;
  readonly expected: Expected;
}

/** A writer over a locked ingestion. Hashes while it writes; what it found there is hashed again first. */
export async function layoutWriter(ingestion: Ingestion, options: WriterOptions): Promise<ContentWriter> {
  const { root, digester, expected: opened } = options;
  const { data, ref } = ingestion;
  const algorithm: DigestAlgorithm = opened.digest === undefined ? "sha256" : digestAlgorithm(opened.digest);
  let offset = (await data.stat()).size;
  let hasher: Hasher;
  let done = false;

  const rehash = async (as: DigestAlgorithm) => {
    const fresh = await (await digester(as)).create();
    for await (const chunk of readRange(data, 0, offset)) fresh.update(chunk);
    return fresh;
  };
  const cut = async (size: number) => {
    await data.truncate(size);
    offset = size;
    hasher = await rehash(algorithm);
  };
  // More than there should ever be is not a beginning of the blob.
  if (opened.size !== undefined && offset > opened.size) await cut(0);
  else hasher = await rehash(algorithm);

  const alive = () => {
    if (done) throw new RamekinError("FAILED_PRECONDITION", `the writer of ingestion ${ref} is closed`);
  };
  const tooMuch = (size: number, limit: number) => new RamekinError("DATA_LOSS", `ingestion ${ref}: ${size} bytes, expected are ${limit}`);

  async function write(chunk: Uint8Array): Promise<void> {
    alive();
    const size = offset + chunk.byteLength;
    if (opened.size !== undefined && size > opened.size) throw tooMuch(size, opened.size);
    await writeAll(data, chunk, offset);
    hasher.update(chunk);
    offset = size;
  }

  async function truncate(size: number): Promise<void> {
    alive();
    if (!Number.isSafeInteger(size) || size < 0 || size > offset) {
      throw new RamekinError("INVALID_ARGUMENT", `cannot cut ingestion ${ref} to ${size} of ${offset} bytes`);
    }
    if (size < offset) await cut(size);
  }

  async function commit(given: Expected = {}): Promise<ContentInfo> {
    alive();
    const digest = given.digest ?? opened.digest;
    const size = given.size ?? opened.size;
    if (digest !== undefined) parseDigest(digest);
    if (size !== undefined && offset < size) {
      throw new RamekinError("FAILED_PRECONDITION", `ingestion ${ref} has ${offset} of ${size} bytes`, {
        hint: "write the rest, then commit again",
      });
    }
    if (size !== undefined && offset > size) {
      const error = tooMuch(offset, size);
      await cut(0);
      throw error;
    }
    const wanted = digest === undefined ? algorithm : digestAlgorithm(digest);
    const used = wanted === algorithm ? hasher : await rehash(wanted);
    const actual = used.digest();
    if (digest !== undefined && actual !== digest) {
      await cut(0);
      throw new RamekinError("DATA_LOSS", `ingestion ${ref} has the digest ${actual}, expected is ${digest}`);
    }
    const path = join(root, blobPath(actual));
    const present = await unlessAbsent(stat(path), undefined);
    // One of another size is corrupt, since these bytes are verified: replace it.
    if (present?.size !== offset) {
      await publish(path).catch(async (error: unknown) => {
        // A hasher ends with its digest; on a full disk the caller may make room and commit again.
        if (!done) hasher = await rehash(algorithm);
        throw error;
      });
    }
    done = true;
    await ingestion.remove();
    const { size: found, mtime } = await stat(path);
    return { digest: actual, size: found, createdAt: mtime };
  }

  /** Data before name: a crash leaves the blob absent or whole. */
  async function publish(path: string): Promise<void> {
    const folder = dirname(path);
    await data.sync();
    if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await syncDirectory(dirname(folder));
    await rename(ingestion.dataPath, path);
    try {
      await data.chmod(0o444);
      await syncDirectory(folder);
    } catch (error) {
      // The file is a blob now, not to be written to any more.
      done = true;
      await ingestion.remove();
      throw error;
    }
  }

  const end = (how: () => Promise<void>) => async () => {
    if (done) return;
    done = true;
    await how();
  };
  const guard =
    <A extends unknown[], R>(step: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await step(...args);
      } catch (error) {
        throw fileError(error, `ingestion ${ref}`);
      }
    };
  const close = end(() => ingestion.release());
  return {
    get offset() {
      return offset;
    },
    write: guard(write),
    truncate: guard(truncate),
    commit: guard(commit),
    close: guard(close),
    abort: guard(end(() => ingestion.remove())),
    [Symbol.asyncDispose]: guard(close),
  };
}
