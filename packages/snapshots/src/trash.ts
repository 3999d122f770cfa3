import { renameSync } from "node:fs";
import { join } from "node:path";
import { randomUUID, removeTree } from "@ramekin/native";
import type { Store } from "./store.ts";

/** Moves what lies at `path`, relative to the store's root, where anybody may remove it; gives its new place, relative too. */
export function discard({ root }: Store, path: string): string {
  const trash = join("trash", randomUUID());
  renameSync(join(root, path), join(root, trash));
  return trash;
}

/** Beside others that remove the same. */
export function empty({ root }: Store, trash: string): Promise<void> {
  return removeTree(root, trash);
}
