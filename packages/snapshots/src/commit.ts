import { closeSync, fsync, openSync, renameSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Cancellable, RamekinError } from "@ramekin/core";
import { randomUUID, syncFileSystem } from "@ramekin/native";
import { assertFree, enter, parentOf } from "./create.ts";
import { ifPresent } from "./errors.ts";
import { pin, unpin } from "./pin.ts";
import { RECORD, type Snapshot, writeRecord } from "./record.ts";
import { entryOf, known, locked, type Store } from "./store.ts";

export interface CommitOptions extends Cancellable {
  /** Takes the place of the one that the snapshot was prepared on. */
  readonly parent?: string;
}

/** `settle` is the driver's last chance to change the files; run again on the same files, it must do no harm. */
export async function commit(
  store: Store,
  name: string,
  key: string,
  settle: (snapshot: Snapshot, parent?: Snapshot) => Promise<void>,
  options: CommitOptions = {},
): Promise<void> {
  if (options.signal?.aborted) throw new RamekinError("CANCELLED", `snapshot ${key}: cancelled`, { cause: options.signal.reason });
  const before = activeOf(store, key);
  assertFree(store, name);
  const wanted = options.parent ?? before.record.parent;
  const parent = wanted === undefined ? undefined : parentOf(store, wanted);
  await settle(before, parent);

  const { labels } = before.record;
  const draft = `${RECORD}.${randomUUID()}`;
  writeRecord(
    before.directory,
    {
      key: name,
      kind: "committed",
      ...(parent && { parent: parent.record.key }),
      ...(labels && { labels }),
      stack: parent ? [parent.id, ...parent.record.stack] : [],
    },
    draft,
  );
  try {
    // The data before the name: files, the new record and every earlier commit that it builds on are on disk after this.
    await syncFileSystem(store.root);
    await locked(store, () => publish(store, { name, draft, before, parent }), options);
  } catch (error) {
    ifPresent(() => unlinkSync(join(before.directory, draft)));
    throw error;
  }
  for (const directory of [before.directory, join(store.root, "keys")]) await syncDirectory(directory);
}

function publish(
  store: Store,
  { name, draft, before, parent }: { name: string; draft: string; before: Snapshot; parent: Snapshot | undefined },
): void {
  const now = activeOf(store, before.record.key);
  if (now.id !== before.id) throw new RamekinError("ABORTED", `snapshot ${before.record.key} was removed and made anew`);
  assertFree(store, name);
  if (parent && parentOf(store, parent.record.key).id !== parent.id) {
    throw new RamekinError("ABORTED", `parent ${parent.record.key} was removed and made anew`);
  }
  const [was] = before.record.stack;
  if (parent && parent.id !== was) pin(before.directory, parent);
  enter(store, name, before.id);
  renameSync(join(before.directory, draft), join(before.directory, RECORD));
  unlinkSync(entryOf(store, before.record.key));
  if (was !== parent?.id) unpin(before.directory, parent?.id);
}

function activeOf(store: Store, key: string): Snapshot {
  const snapshot = known(store, key);
  if (snapshot.record.kind !== "active") throw new RamekinError("FAILED_PRECONDITION", `snapshot ${key} is not active`);
  return snapshot;
}

async function syncDirectory(path: string): Promise<void> {
  const descriptor = openSync(path, "r");
  try {
    await promisify(fsync)(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
