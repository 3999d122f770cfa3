import { existsSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { tryLock } from "@ramekin/native";
import { ifPresent } from "./errors.ts";
import { fileName } from "./key.ts";
import { unpin } from "./pin.ts";
import { RECORD, type Snapshot } from "./record.ts";
import { all, directoryOf, hasChildren, locked, type Store } from "./store.ts";
import { discard, empty } from "./trash.ts";

/** Removes whatever is not a snapshot, nor being made into one. */
export async function cleanup(store: Store): Promise<void> {
  await locked(store, () => sweep(store));
  for (const name of namesIn(store, "trash")) await empty(store, join("trash", name));
}

/** Moves garbage into the trash and takes its hold off the living; the store is locked. */
export async function sweep(store: Store): Promise<void> {
  const living = all(store);
  const ids = new Set(living.map(({ id }) => id));
  const entries = new Set(living.map(({ record }) => fileName(record.key)));

  for (const entry of namesIn(store, "keys")) if (!entries.has(entry)) unlinkSync(join(store.root, "keys", entry));
  for (const snapshot of living) tidy(snapshot);
  for (const lease of namesIn(store, "tmp")) await discardIfAbandoned(store, lease);
  for (const name of namesIn(store, "trash")) {
    unpin(join(store.root, "trash", name));
    unpin(join(store.root, "trash", name, "new"));
  }

  // What has lost its entry but not its children stays: they are mounted with its files. Garbage frees garbage, hence the loop.
  let dead: string[];
  do {
    dead = namesIn(store, "l").filter((id) => !ids.has(id) && !hasChildren({ directory: directoryOf(store, id) }));
    for (const id of dead) unpin(join(store.root, discard(store, join("l", id))));
  } while (dead.length > 0);
}

/** What a commit that was killed or lost a race has left in a snapshot that is well. */
function tidy({ directory, record: { kind, stack } }: Snapshot): void {
  unpin(directory, stack[0]);
  if (kind !== "committed") return;
  for (const name of readdirSync(directory)) if (name.startsWith(`${RECORD}.`)) ifPresent(() => unlinkSync(join(directory, name)));
}

/** Its maker held the lock before anybody could see the directory; a staging directory without one was never finished. */
async function discardIfAbandoned(store: Store, lease: string): Promise<void> {
  const file = join(store.root, "tmp", lease, "lock");
  const held = existsSync(file) ? await tryLock(file) : undefined;
  if (held || !existsSync(file)) ifPresent(() => discard(store, join("tmp", lease)));
  await held?.release();
}

function namesIn(store: Store, directory: string): string[] {
  return readdirSync(join(store.root, directory));
}
