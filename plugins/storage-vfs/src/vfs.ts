import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { StorageDriver } from "@ramekin/core";
import { copyTree, usage } from "@ramekin/native";
import { known, openStore, type SnapshotFiles, snapshotStorage } from "@ramekin/snapshots";

/** A whole copy of the parent for each snapshot: slow and large, and right on any file system. */
export function vfsStorage(root: string): StorageDriver {
  const store = openStore(root);
  const files: SnapshotFiles = {
    name: "vfs",
    async copy(directory, parent, { signal }) {
      const to = join(directory, "fs");
      mkdirSync(to);
      chmodSync(to, 0o755);
      if (parent) await copyTree(join(parent.directory, "fs"), to, { signal });
    },
    async duplicate(from, directory, { signal }) {
      mkdirSync(join(directory, "fs"));
      return copyTree(join(from.directory, "fs"), join(directory, "fs"), { signal });
    },
    mounts: ({ directory, record: { kind, readOnly } }) => [
      { type: "bind", source: join(directory, "fs"), options: ["rbind", kind === "view" || readOnly ? "ro" : "rw"] },
    ],
  };
  return {
    ...snapshotStorage(store, files),
    usage: async (key) => usage(join(known(store, key).directory, "fs")),
  };
}
