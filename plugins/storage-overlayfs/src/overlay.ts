import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { RamekinError, type StorageDriver } from "@ramekin/core";
import { adopt, changes, copyTree, usage } from "@ramekin/native";
import { known, openStore, type Snapshot, type SnapshotFiles, type Store, snapshotStorage } from "@ramekin/snapshots";
import { impliedBy, overlayApplier } from "./applier.ts";
import { lowerOnly, mountsOf, type OverlayMode } from "./mounts.ts";

/** Snapshots as directories that overlayfs lays one over the other: nothing is copied but what a container changes. */
export function overlayStorage(root: string, mode: OverlayMode = { userxattr: self.uid !== 0 }): StorageDriver {
  if (/[:,\\]/.test(root)) {
    throw new RamekinError("UNSUPPORTED", `storage overlayfs: ${root} holds a colon, a comma or a backslash`, {
      hint: "choose another --root: these separate mount options",
    });
  }
  const store = openStore(root);
  const below = (snapshot: Snapshot) => lowerOnly(store, snapshot.record.stack, mode);
  return {
    ...snapshotStorage(store, overlayFiles(store, mode)),
    usage: async (key) => usage(join(known(store, key).directory, "fs")),
    async *changes(key) {
      const snapshot = known(store, key);
      yield* changes(join(snapshot.directory, "fs"), snapshot.record.stack.length > 0 ? below(snapshot) : []);
    },
    applier: overlayApplier(store, mode),
  };
}

const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

/** Without root only a process in the user namespace could; that costs more than the root directory's owner is worth. */
function giveTo(directory: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  if (self.uid === 0) chownSync(directory, uid, gid);
}

function overlayFiles(store: Store, mode: OverlayMode): SnapshotFiles {
  return {
    name: "overlayfs",
    rebase: true,
    fill(directory, parent) {
      mkdirSync(join(directory, "work"));
      const fs = join(directory, "fs");
      mkdirSync(fs);
      // The root of an overlay has the mode and the owner of its topmost directory.
      const like = parent ? statSync(join(parent.directory, "fs")) : { mode: 0o755, uid: self.uid, gid: self.gid };
      if (like.uid !== self.uid || like.gid !== self.gid) giveTo(fs, like);
      chmodSync(fs, like.mode & 0o7777);
    },
    async duplicate(from, directory, { signal }) {
      for (const name of ["work", "fs"]) mkdirSync(join(directory, name));
      return copyTree(join(from.directory, "fs"), join(directory, "fs"), { signal });
    },
    mounts: (snapshot) => mountsOf(store, snapshot, mode),
    /** Directories that a layer went through without listing them look as they do below. */
    async settle({ directory }, parent) {
      const implied = impliedBy(directory);
      if (implied.length === 0) return;
      const below = parent ? lowerOnly(store, [parent.id, ...parent.record.stack], mode) : [];
      await adopt(join(directory, "fs"), below, implied);
    },
  };
}
