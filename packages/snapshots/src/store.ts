import { mkdirSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Awaitable, type Cancellable, RamekinError } from "@ramekin/core";
import { lock } from "@ramekin/native";
import { ifPresent, storeError } from "./errors.ts";
import { fileName } from "./key.ts";
import { RECORD, readRecord, type Snapshot } from "./record.ts";

/**
 * A directory of snapshots that any number of processes share.
 *
 *     lock                 flock: one change at a time, for microseconds
 *     keys/<key, escaped>  symbolic link whose text is the id
 *     l/<id>/meta.json     the record; its link count is 1 + the number of children
 *           /p.<id>        hard link to the parent's meta.json
 *           /fs            the files; what else is in here is the driver's
 *     tmp/<id>/            being filled by a process that holds tmp/<id>/lock
 *     trash/               being removed
 *
 * A snapshot *is*, if `keys/<key>` names a directory whose record names that key. So each change happens in one system
 * call: the symlink for a new one, the rename of meta.json for `commit`, the rename into trash for `remove`. Readers
 * take no lock; what a killed process leaves before or after that call is not a snapshot, and `cleanup` removes it.
 *
 * File system calls are synchronous: each takes microseconds, a fifth of a trip through libuv's pool, and a body
 * without `await` cannot hold the lock for long.
 */
export interface Store {
  readonly root: string;
}

export function openStore(root: string): Store {
  try {
    for (const name of ["", "l", "keys", "tmp", "trash"]) mkdirSync(join(root, name), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storeError(root, error);
  }
  return { root };
}

/** Runs `body` as the store's only writer. */
export async function locked<R>(store: Store, body: () => Awaitable<R>, { signal }: Cancellable = {}): Promise<R> {
  const held = await lock(join(store.root, "lock"), { signal });
  try {
    return await body();
  } finally {
    await held.release();
  }
}

/** What the file system says about the store, in our codes. */
export async function told<R>(store: Store, body: () => Awaitable<R>): Promise<R> {
  try {
    return await body();
  } catch (error) {
    throw storeError(store.root, error);
  }
}

export const directoryOf = (store: Store, id: string) => join(store.root, "l", id);
export const entryOf = (store: Store, key: string) => join(store.root, "keys", fileName(key));

export function find(store: Store, key: string): Snapshot | undefined {
  return at(store, fileName(key), key);
}

/** The snapshot that an entry of the index stands for, if any. */
function at(store: Store, entry: string, key?: string): Snapshot | undefined {
  const id = ifPresent(() => readlinkSync(join(store.root, "keys", entry)));
  if (id === undefined) return undefined;
  const directory = directoryOf(store, id);
  const record = readRecord(directory);
  if (!record || (key === undefined ? fileName(record.key) !== entry : record.key !== key)) return undefined;
  return { id, directory, record };
}

export function known(store: Store, key: string): Snapshot {
  const snapshot = find(store, key);
  if (!snapshot) throw new RamekinError("NOT_FOUND", `no snapshot ${key}`);
  return snapshot;
}

/** Each snapshot once: one that is committed meanwhile is still found, under its name. */
export function all(store: Store): Snapshot[] {
  const found = new Map<string, Snapshot>();
  for (const entry of readdirSync(join(store.root, "keys"))) {
    const snapshot = at(store, entry) ?? renamed(store, entry);
    if (snapshot) found.set(snapshot.id, snapshot);
  }
  return [...found.values()];
}

function renamed(store: Store, entry: string): Snapshot | undefined {
  const id = ifPresent(() => readlinkSync(join(store.root, "keys", entry)));
  const record = id === undefined ? undefined : readRecord(directoryOf(store, id));
  const snapshot = record && find(store, record.key);
  return snapshot?.id === id ? snapshot : undefined;
}

/** Also counts the unborn: a child that is being filled, and one that a killed process left half made. */
export function hasChildren({ directory }: Pick<Snapshot, "directory">): boolean {
  return (ifPresent(() => statSync(join(directory, RECORD)).nlink) ?? 1) > 1;
}
