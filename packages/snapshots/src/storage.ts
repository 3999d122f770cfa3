import { type ClonedSnapshot, type Mount, RamekinError, type SnapshotKind, type SnapshotOptions, type StorageDriver } from "@ramekin/core";
import { cleanup } from "./cleanup.ts";
import { commit } from "./commit.ts";
import { create, createSlowly, type NewSnapshot } from "./create.ts";
import { checkKey } from "./key.ts";
import { infoOf, type Snapshot } from "./record.ts";
import { remove, teardown } from "./remove.ts";
import { all, find, known, type Store, told } from "./store.ts";

/** What a driver adds to the books: the files. */
export interface SnapshotFiles {
  /** For messages. */
  readonly name: string;
  readonly rebase?: boolean;
  /** Makes the directory's `fs`, in a few system calls: nobody else can change the store meanwhile. Or `copy`, for what takes longer. */
  fill?(directory: string, parent: Snapshot | undefined): void;
  copy?(directory: string, parent: Snapshot | undefined, options: SnapshotOptions): Promise<void>;
  /** Copies the `fs` of `from` and makes what else the directory of an active snapshot has. */
  duplicate(from: Snapshot, directory: string, options: SnapshotOptions): Promise<Omit<ClonedSnapshot, "mounts">>;
  mounts(snapshot: Snapshot): readonly Mount[];
  /** Before `commit`, the first time that the parent of a rebased snapshot is known; may run twice. */
  settle?(snapshot: Snapshot, parent: Snapshot | undefined): Promise<void>;
}

type Books = Required<
  Pick<StorageDriver, "prepare" | "view" | "commit" | "mounts" | "stat" | "list" | "remove" | "clone" | "teardown" | "cleanup">
>;

export function snapshotStorage(store: Store, files: SnapshotFiles): Books & Pick<StorageDriver, "capabilities"> {
  const make = (kind: SnapshotKind, key: string, parent: string | undefined, options: SnapshotOptions = {}) =>
    told(store, async () => {
      const wanted = request(files.name, kind, key, parent, options);
      const { copy, fill = () => {} } = files;
      const snapshot = await (copy
        ? createSlowly(store, wanted, (directory, base) => copy(directory, base, options), options)
        : create(store, wanted, fill, options));
      return files.mounts(snapshot);
    });
  return {
    capabilities: { rebase: files.rebase ?? false },
    prepare: (key, parent, options) => make("active", key, parent, options),
    view: (key, parent, options) => make("view", key, parent, options),
    commit: (name, key, options) =>
      told(store, () => {
        checkKey(name);
        if (options?.parent !== undefined && !files.rebase) {
          throw new RamekinError("UNSUPPORTED", `storage ${files.name}: cannot commit ${key} onto another parent`, {
            hint: "prepare it on that parent",
          });
        }
        return commit(store, name, key, async (snapshot, parent) => files.settle?.(snapshot, parent), options);
      }),
    mounts: (key) =>
      told(store, () => {
        const snapshot = known(store, key);
        if (snapshot.record.kind === "committed") {
          throw new RamekinError("FAILED_PRECONDITION", `snapshot ${key} is committed`, { hint: "take a view of it" });
        }
        return files.mounts(snapshot);
      }),
    stat: (key) =>
      told(store, () => {
        const snapshot = find(store, key);
        return snapshot && infoOf(snapshot.record);
      }),
    async *list() {
      for (const { record } of await told(store, () => all(store))) yield infoOf(record);
    },
    clone: (key, newKey, options = {}) =>
      told(store, async () => {
        const from = known(store, key);
        if (from.record.kind !== "active") throw new RamekinError("FAILED_PRECONDITION", `snapshot ${key} is not active`);
        const wanted = request(files.name, "active", newKey, from.record.parent, options);
        let cost: Omit<ClonedSnapshot, "mounts"> | undefined;
        const fill = async (directory: string) => {
          cost = await files.duplicate(from, directory, options);
        };
        const snapshot = await createSlowly(store, wanted, fill, options);
        return { mounts: files.mounts(snapshot), bytes: cost?.bytes ?? 0, shared: cost?.shared ?? false };
      }),
    remove: (key) => told(store, () => remove(store, key)),
    teardown: (key) => told(store, () => teardown(store, key)),
    cleanup: () => told(store, () => cleanup(store)),
  };
}

/** What to put into the record; refuses what no driver with plain directories can do. */
function request(driver: string, kind: SnapshotKind, key: string, parent: string | undefined, options: SnapshotOptions): NewSnapshot {
  checkKey(key);
  const { labels, volatile, readOnly, idMap, quota } = options;
  if (quota !== undefined) {
    throw new RamekinError("UNSUPPORTED", `storage ${driver}: no quota for snapshot ${key}`, {
      hint: "leave the size limit out, or put the store on a file system of that size",
    });
  }
  if (idMap !== undefined) {
    throw new RamekinError("UNSUPPORTED", `storage ${driver}: no id map for snapshot ${key}`, {
      hint: "run the container without a user namespace of its own",
    });
  }
  return {
    key,
    kind,
    ...(parent !== undefined && { parent }),
    ...(labels && { labels }),
    ...(volatile && { volatile }),
    ...(readOnly && { readOnly }),
  };
}
