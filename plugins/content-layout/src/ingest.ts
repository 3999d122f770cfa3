import { createHash, randomUUID } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type IngestInfo, RamekinError } from "@ramekin/core";
import { systemCode, unlessAbsent } from "./files.ts";
import type { Lock, TryLock } from "./lock.ts";

/** Folders that a crash left between two renames; nobody else looks at them, so an hour is plenty. */
const garbageAge = 3_600_000;

/**
 * The ingestions of a store: `<ingest>/<sha256 of ref>/{data,ref,lock}`.
 *
 * A folder comes into being whole, by a rename, and goes by one. Whoever holds the lock owns `data`.
 */
export interface Ingestions {
  /** Opens the ref's folder, making it if need be, and locks it. UNAVAILABLE while somebody else has it. */
  acquire(ref: string): Promise<Ingestion>;
  list(): AsyncIterable<IngestInfo>;
}

export interface Ingestion {
  readonly ref: string;
  readonly dataPath: string;
  readonly data: FileHandle;
  /** Lets go, keeps the bytes. */
  release(): Promise<void>;
  /** Removes the folder, lets go. */
  remove(): Promise<void>;
}

export function ingestions(root: string, tryLock: TryLock): Ingestions {
  const pathOf = (ref: string) => join(root, createHash("sha256").update(ref).digest("hex"));

  async function acquire(ref: string): Promise<Ingestion> {
    const path = pathOf(ref);
    for (let attempt = 0; attempt < 100; attempt++) {
      await makeFolder(root, path, ref);
      const lock = await lockFolder(path, tryLock);
      if (lock === "held") {
        throw new RamekinError("UNAVAILABLE", `ingestion ${ref} is being written by another process`, { hint: "wait for it, or stop it" });
      }
      if (lock) return ingestion(root, path, ref, lock);
    }
    throw new RamekinError("UNAVAILABLE", `ingestion ${ref} vanishes as soon as it is opened`);
  }

  async function* list(): AsyncIterable<IngestInfo> {
    for (const name of await unlessAbsent(readdir(root), [])) {
      const path = join(root, name);
      if (name.startsWith(".")) {
        const { mtimeMs } = (await unlessAbsent(stat(path), undefined)) ?? { mtimeMs: Number.POSITIVE_INFINITY };
        if (Date.now() - mtimeMs > garbageAge) await rm(path, { recursive: true, force: true });
        continue;
      }
      const ref = await unlessAbsent(readFile(join(path, "ref"), "utf8"), undefined);
      const data = (await unlessAbsent(stat(join(path, "data")), undefined)) ?? (await unlessAbsent(stat(join(path, "lock")), undefined));
      if (ref !== undefined && data) yield { ref, offset: data.size, updatedAt: data.mtime };
    }
  }

  return { acquire, list };
}

async function makeFolder(root: string, path: string, ref: string): Promise<void> {
  if (await unlessAbsent(stat(path), undefined)) return;
  const fresh = join(root, `.new-${randomUUID()}`);
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  try {
    await writeFile(join(fresh, "ref"), ref, { mode: 0o600 });
    await writeFile(join(fresh, "lock"), "", { mode: 0o600 });
    await writeFile(join(fresh, "data"), "", { mode: 0o600 });
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Somebody else has just made it.
    if (!["ENOTEMPTY", "EEXIST"].includes(systemCode(error) ?? "")) throw error;
  }
}

/**
 * Undefined when the folder went away meanwhile. Its last holder removed it, then: the lock file that we locked may be the removed
 * one, which would exclude nobody. Same inode and same change time before and after means that it is the one in the folder.
 */
async function lockFolder(path: string, tryLock: TryLock): Promise<Lock | "held" | undefined> {
  const file = join(path, "lock");
  const before = await identity(file);
  if (!before) return undefined;
  let lock: Lock | undefined;
  try {
    lock = await tryLock(file);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || !(await identity(file))) return undefined;
    throw error;
  }
  if (!lock) return "held";
  const after = await identity(file);
  if (after && after.ino === before.ino && after.birthtimeNs === before.birthtimeNs) return lock;
  await lock.release();
  return undefined;
}

function identity(path: string): Promise<BigIntStats | undefined> {
  return unlessAbsent(stat(path, { bigint: true }), undefined);
}

async function ingestion(root: string, path: string, ref: string, lock: Lock): Promise<Ingestion> {
  const dataPath = join(path, "data");
  // Made anew where a crash came between the rename that made it a blob and the removal of this folder.
  const data = await open(dataPath, constants.O_RDWR | constants.O_CREAT, 0o600).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  return {
    ref,
    dataPath,
    data,
    release: async () => {
      await data.close();
      await lock.release();
    },
    remove: async () => {
      await data.close();
      const gone = join(root, `.old-${randomUUID()}`);
      await rename(path, gone);
      await lock.release();
      await rm(gone, { recursive: true, force: true });
    },
  };
}
