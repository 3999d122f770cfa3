import { appendFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@ramekin/core";
import { randomUUID } from "@ramekin/native";
import { isDigest } from "@ramekin/oci";
import { fileError, readIfThere } from "./files.ts";
import { lockFile, tryLockFile, withLock } from "./lock.ts";
import type { Paths } from "./paths.ts";

/**
 * What keeps garbage collection away from work that has no name yet. A lease is a file that its owner holds locked, with the
 * digests that it needs, one a line; when the owner dies the lock does, and the lease with it.
 */
export interface Lease extends AsyncDisposable {
  readonly id: string;
  /** Before looking whether they are there: from here on they stay if they are. */
  protect(...digests: readonly Digest[]): Promise<void>;
}

export async function takeLease(paths: Paths): Promise<Lease> {
  const id = randomUUID();
  const path = join(paths.leases, id);
  // Under the shared lock, so that no collection finds the file between its making and its locking.
  const lock = await withLock(paths.lock, { exclusive: false }, () => lockFile(path, { exclusive: true }));
  return {
    id,
    // Under the shared lock: a collection that has read the leases already is over before we go on.
    protect: (...digests) =>
      withLock(paths.lock, { exclusive: false }, async () => {
        await appendFile(path, digests.map((digest) => `${digest}\n`).join("")).catch((error: unknown) => {
          throw fileError(error, path);
        });
      }),
    async [Symbol.asyncDispose]() {
      await rm(path, { force: true });
      await lock[Symbol.asyncDispose]();
    },
  };
}

export interface Leases {
  readonly ids: ReadonlySet<string>;
  readonly digests: ReadonlySet<Digest>;
}

/** Of the living and the dead. What else lies there says who holds a lease on a machine without flock. */
export async function leaseIds(paths: Paths): Promise<readonly string[]> {
  return (await readdir(paths.leases)).filter((name) => /^[0-9a-f-]{36}$/.test(name));
}

/** The live ones; dead ones are removed. Under the store's exclusive lock. */
export async function readLeases(paths: Paths): Promise<Leases> {
  const ids = new Set<string>();
  const digests = new Set<Digest>();
  for (const id of await leaseIds(paths)) {
    const path = join(paths.leases, id);
    await using dead = await tryLockFile(path);
    if (dead) {
      for (const file of [path, `${path}.owner`]) await rm(file, { force: true });
      continue;
    }
    ids.add(id);
    for (const line of ((await readIfThere(path)) ?? "").split("\n")) if (isDigest(line)) digests.add(line);
  }
  return { ids, digests };
}
