import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { type CleanupOperation, RamekinError } from "@ramekin/core";
import { sweep } from "./cleanup.ts";
import { fileName } from "./key.ts";
import { unpin } from "./pin.ts";
import { entryOf, find, hasChildren, known, locked, type Store } from "./store.ts";
import { discard, empty } from "./trash.ts";

export async function remove(store: Store, key: string): Promise<void> {
  if (!find(store, key)) return;
  const trash = await locked(store, async () => {
    const snapshot = find(store, key);
    if (!snapshot) return undefined;
    // A link count above one may be a dead process's doing: look closer only then.
    if (hasChildren(snapshot)) await sweep(store);
    if (hasChildren(snapshot)) throw new RamekinError("FAILED_PRECONDITION", `snapshot ${key} has children`);
    // The change; what follows can be done by whoever comes by.
    const trash = discard(store, join("l", snapshot.id));
    unlinkSync(entryOf(store, key));
    unpin(join(store.root, trash));
    return trash;
  });
  if (trash !== undefined) await empty(store, trash);
}

/** `remove`, for a supervisor without locks: the entry first, then what has become garbage by that. Not for a key that has been taken again. */
export function teardown(store: Store, key: string): readonly CleanupOperation[] {
  const { id, record } = known(store, key);
  if (record.kind === "committed") throw new RamekinError("FAILED_PRECONDITION", `snapshot ${key} is committed`);
  const { root } = store;
  return [
    { op: "remove-tree", root, path: join("keys", fileName(key)) },
    { op: "remove-tree", root, path: join("l", id) },
  ];
}
