import { open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type ContentInfo,
  type ContentStore,
  type Digest,
  type Expected,
  type FileStream,
  isRamekinError,
  RamekinError,
} from "@ramekin/core";
import { blobPath, type DigesterFor, isDigest, parseDigest } from "@ramekin/oci";
import { fileError, readRange, readSmall, systemCode, unlessAbsent } from "./files.ts";
import type { TryLock } from "./lock.ts";

export interface LayoutContentOptions {
  /** A directory of our own, or an OCI image layout: `blobs` and `ingest` are made in it on first use. */
  readonly root: string;
  readonly digester: DigesterFor;
  readonly tryLock: TryLock;
}

/**
 * Blobs in an OCI image layout, `<root>/blobs/<algorithm>/<hex>`, where other tools can read them, and ingestions in
 * `<root>/ingest`. Safe for any number of processes: blobs appear by rename, ingestions are locked.
 */
export function layoutContent({ root, digester, tryLock }: LayoutContentOptions): ContentStore {
  // when something is written: a start of a container only reads, and need not load node:crypto for it
  const ingests = async () => (await import("./ingest.ts")).ingestions(join(root, "ingest"), tryLock);
  const pathOf = (digest: Digest) => join(root, blobPath(digest));

  const statBlob = async (digest: Digest): Promise<ContentInfo | undefined> => {
    const found = await unlessAbsent(stat(pathOf(digest)), undefined);
    return found?.isFile() ? { digest, size: found.size, createdAt: found.mtime } : undefined;
  };

  async function* readBlob(
    digest: Digest,
    { offset = 0, length = Number.POSITIVE_INFINITY, signal }: NonNullable<Parameters<ContentStore["read"]>[1]> = {},
  ): AsyncGenerator<Uint8Array> {
    const check = () => throwIfCancelled(signal, `reading blob ${digest}`);
    check();
    const opened = await named(`blob ${digest}`, async () => {
      const path = pathOf(digest);
      try {
        return (offset === 0 && length === Number.POSITIVE_INFINITY && readSmall(path)) || (await open(path));
      } catch (error) {
        throw systemCode(error) === "ENOENT" ? new RamekinError("NOT_FOUND", `no blob ${digest}`) : error;
      }
    });
    if (opened instanceof Uint8Array) {
      if (opened.byteLength > 0) yield opened;
      return;
    }
    const file = opened;
    try {
      const { size } = await file.stat();
      if (!(offset >= 0 && offset <= size))
        throw new RamekinError("INVALID_ARGUMENT", `blob ${digest} has ${size} bytes, none at offset ${offset}`);
      if (!(length >= 0)) throw new RamekinError("INVALID_ARGUMENT", `cannot read ${length} bytes of blob ${digest}`);
      yield* readRange(file, offset, Math.min(size, offset + length), check);
    } catch (error) {
      throw fileError(error, `blob ${digest}`);
    } finally {
      await file.close();
    }
  }

  return {
    stat: (digest) => named(`blob ${digest}`, () => statBlob(digest)),

    read(digest, options = {}) {
      const { offset = 0, length = Number.POSITIVE_INFINITY } = options;
      const bytes = readBlob(digest, options);
      if (offset !== 0 || length !== Number.POSITIVE_INFINITY || !isDigest(digest)) return bytes;
      const whole: FileStream & AsyncGenerator<Uint8Array> = Object.assign(bytes, { wholeFile: pathOf(digest) });
      return whole;
    },
    open: (ref, { expected = {}, signal } = {}) =>
      named(`ingestion ${ref}`, async () => {
        throwIfCancelled(signal, `opening ingestion ${ref}`);
        await refusePresent(expected, statBlob);
        const ingestion = await (await ingests()).acquire(ref);
        try {
          // Its last holder may have committed it while we waited for nothing but the system calls between.
          await refusePresent(expected, statBlob);
          const { layoutWriter } = await import("./writer.ts");
          return await layoutWriter(ingestion, { root, digester, expected });
        } catch (error) {
          // Whatever lies here is of no use to anybody once the blob is there.
          await (isRamekinError(error, "ALREADY_EXISTS") ? ingestion.remove() : ingestion.release());
          throw error;
        }
      }),

    async *list() {
      const blobs = join(root, "blobs");
      for (const algorithm of await unlessAbsent(readdir(blobs), [])) {
        for (const name of await unlessAbsent(readdir(join(blobs, algorithm)), [])) {
          const digest = `${algorithm}:${name}`;
          const info = isDigest(digest) && (await statBlob(digest));
          if (info) yield info;
        }
      }
    },

    async *ingests() {
      yield* (await ingests()).list();
    },
    delete: (digest) => named(`blob ${digest}`, async () => rm(pathOf(digest), { force: true })),
  };
}

async function refusePresent({ digest }: Expected, statBlob: (digest: Digest) => Promise<ContentInfo | undefined>): Promise<void> {
  if (digest !== undefined && (await statBlob(parseDigest(digest)))) throw new RamekinError("ALREADY_EXISTS", `blob ${digest} exists`);
}

async function named<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw fileError(error, what);
  }
}

function throwIfCancelled(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new RamekinError("CANCELLED", `${what} was cancelled`, { cause: signal.reason });
}
