import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { type Cancellable, RamekinError } from "@ramekin/core";
import { lock } from "@ramekin/native";
import { isErrno } from "./errors.ts";
import { pin } from "./pin.ts";
import { type Snapshot, type SnapshotRecord, writeRecord } from "./record.ts";
import { directoryOf, entryOf, find, known, locked, type Store } from "./store.ts";
import { discard, empty } from "./trash.ts";

export type NewSnapshot = Omit<SnapshotRecord, "stack">;

/** `fill` makes `fs` and what else the driver wants, in a few system calls: the store is locked. */
export function create(
  store: Store,
  wanted: NewSnapshot,
  fill: (directory: string, parent?: Snapshot) => void,
  options?: Cancellable,
): Promise<Snapshot> {
  return locked(
    store,
    () => {
      const parent = admit(store, wanted);
      const { id, directory } = newDirectory((id) => directoryOf(store, id));
      try {
        fill(directory, parent);
        const record = describe(directory, wanted, parent);
        enter(store, wanted.key, id);
        return { id, directory, record };
      } catch (error) {
        // Empty directories of our own making: nothing in here is a container's.
        rmSync(directory, { recursive: true, force: true });
        throw error;
      }
    },
    options,
  );
}

/** As `create`, for a `fill` that takes its time: nobody sees the snapshot until it is done, and its parent stays. */
export async function createSlowly(
  store: Store,
  wanted: NewSnapshot,
  fill: (directory: string, parent?: Snapshot) => Promise<void>,
  options: Cancellable = {},
): Promise<Snapshot> {
  const staging = await locked(store, () => stage(store), options);
  try {
    const { directory, parent, record } = await locked(store, () => {
      const parent = admit(store, wanted);
      const directory = join(staging.directory, "new");
      mkdirSync(directory, { mode: 0o700 });
      return { directory, parent, record: describe(directory, wanted, parent) };
    });
    await fill(directory, parent);
    if (options.signal?.aborted) throw new RamekinError("CANCELLED", `snapshot ${wanted.key}: cancelled`);
    return await locked(store, () => {
      assertFree(store, wanted.key);
      const { id, directory: final } = newDirectory((id) => directoryOf(store, id));
      renameSync(directory, final);
      enter(store, record.key, id);
      return { id, directory: final, record };
    });
  } finally {
    await staging.release();
  }
}

interface Staging {
  readonly directory: string;
  release(): Promise<void>;
}

/** Under the store's lock: cleanup, which takes it too, never sees a staging directory whose own lock is not yet held. */
async function stage(store: Store): Promise<Staging> {
  const { id, directory } = newDirectory((id) => join(store.root, "tmp", id));
  const held = await lock(join(directory, "lock"));
  const release = async () => {
    try {
      // Through the trash: whoever cleans up at the same time looks for no lock there.
      const trash = discard(store, join("tmp", id));
      if (existsSync(join(store.root, trash, "new"))) await empty(store, trash);
      // Nothing but our own lock file is left when all went well.
      else rmSync(join(store.root, trash), { recursive: true, force: true });
    } finally {
      await held.release();
    }
  };
  return { directory, release };
}

export function assertFree(store: Store, key: string): void {
  if (find(store, key)) throw new RamekinError("ALREADY_EXISTS", `snapshot ${key} exists`);
}

export function parentOf(store: Store, key: string): Snapshot {
  const parent = known(store, key);
  if (parent.record.kind !== "committed") throw new RamekinError("INVALID_ARGUMENT", `parent ${key} is not committed`);
  return parent;
}

/** Points the index at `id`; replaces an entry that stands for nothing. */
export function enter(store: Store, key: string, id: string): void {
  const entry = entryOf(store, key);
  try {
    symlinkSync(id, entry);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    unlinkSync(entry);
    symlinkSync(id, entry);
  }
}

function admit(store: Store, { key, parent }: NewSnapshot): Snapshot | undefined {
  assertFree(store, key);
  return parent === undefined ? undefined : parentOf(store, parent);
}

function describe(directory: string, wanted: NewSnapshot, parent: Snapshot | undefined): SnapshotRecord {
  if (parent) pin(directory, parent);
  const record = { ...wanted, stack: parent ? [parent.id, ...parent.record.stack] : [] };
  writeRecord(directory, record);
  return record;
}

/** Short, since the names of all lower layers have to fit into one page where the kernel has no lowerdir+. */
function newDirectory(path: (id: string) => string): { id: string; directory: string } {
  for (;;) {
    const id = Math.floor(Math.random() * 32 ** 6)
      .toString(32)
      .padStart(6, "0");
    const directory = path(id);
    try {
      mkdirSync(directory, { mode: 0o700 });
      return { id, directory };
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
  }
}
