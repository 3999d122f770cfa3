import { type ContentInfo, type ContentStore, type Digest, isRamekinError } from "@ramekin/core";
import { digestAlgorithm } from "@ramekin/oci";
import { contentOf } from "../image.ts";
import { unlessCancelled } from "../obey.ts";
import { parallel } from "../parallel.ts";
import type { Scope } from "../scope.ts";
import type { CheckOptions } from "../store-api.ts";

/** A blob whose bytes are not what its name says. */
export interface Corrupt {
  readonly info: ContentInfo;
  readonly why: string;
}

export interface HashedBlobs {
  readonly corrupt: ReadonlyMap<Digest, Corrupt>;
  readonly blobs: readonly ContentInfo[];
  readonly bytes: number;
}

/** One hashes while another waits for the disk. */
const concurrent = 2;

/** Reads every blob once, by chunks. A blob of another size than its descriptors say need not be read. */
export async function hashBlobs(
  scope: Scope,
  sizes: ReadonlyMap<Digest, number>,
  { signal, onProgress }: CheckOptions,
): Promise<HashedBlobs> {
  const content = await contentOf(scope);
  const blobs: ContentInfo[] = [];
  for await (const info of content.list()) blobs.push(info);
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  const corrupt = new Map<Digest, Corrupt>();
  let bytes = 0;
  await parallel(blobs, concurrent, async (info) => {
    unlessCancelled({ signal }, "checking the store");
    const expected = sizes.get(info.digest);
    const why =
      expected !== undefined && expected !== info.size
        ? `has ${info.size} bytes, should have ${expected}`
        : await hashBlob(scope, content, info, signal, (read) => {
            bytes += read;
            onProgress?.({ current: bytes, total });
          });
    // One that went, or came anew, while it was read is somebody's work.
    if (why !== undefined && isSame(await content.stat(info.digest), info)) corrupt.set(info.digest, { info, why });
  });
  return { corrupt, blobs, bytes };
}

export const isSame = (now: ContentInfo | undefined, then: ContentInfo) =>
  now !== undefined && now.size === then.size && now.createdAt.getTime() === then.createdAt.getTime();

async function hashBlob(
  scope: Scope,
  content: ContentStore,
  { digest }: ContentInfo,
  signal: AbortSignal | undefined,
  onRead: (bytes: number) => void,
): Promise<string | undefined> {
  const hasher = await (await scope.kernel.use("digester", { for: digestAlgorithm(digest) })).create();
  try {
    for await (const chunk of content.read(digest, { signal })) {
      hasher.update(chunk);
      onRead(chunk.byteLength);
    }
  } catch (error) {
    if (isRamekinError(error, "NOT_FOUND")) return undefined;
    if (isRamekinError(error, "DATA_LOSS")) return `cannot be read: ${error.message}`;
    throw error;
  }
  const actual = hasher.digest();
  return actual === digest ? undefined : `has the digest ${actual}`;
}
