import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type LayerApplier, type Mount, RamekinError } from "@ramekin/core";
import { applyLayer } from "@ramekin/native";
import type { Store } from "@ramekin/snapshots";
import type { OverlayMode } from "./mounts.ts";

/** Beside `fs`: the directories that the layer implied, for `commit`. */
const IMPLIED = "implied.json";

/** Writes a layer straight into `fs`, whiteouts as overlayfs has them: no mount, and no need to know what lies below. */
export function overlayApplier(store: Store, { userxattr }: OverlayMode): LayerApplier {
  return {
    async apply(mounts, source, descriptor, options = {}) {
      const fs = writableOf(mounts);
      const directory = dirname(fs);
      if (dirname(directory) !== join(store.root, "l"))
        throw new RamekinError("INVALID_ARGUMENT", `storage overlayfs: ${fs} is not a snapshot of ${store.root}`);
      const { implied, ...applied } = await applyLayer({
        directory: fs,
        source,
        descriptor,
        whiteouts: userxattr ? "overlay-user" : "overlay",
        ...options,
      });
      writeFileSync(join(directory, IMPLIED), JSON.stringify([...new Set([...impliedBy(directory), ...implied])]));
      return applied;
    },
  };
}

export function impliedBy(directory: string): readonly string[] {
  try {
    return JSON.parse(readFileSync(join(directory, IMPLIED), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function writableOf(mounts: readonly Mount[]): string {
  const [mount, ...more] = mounts;
  const upper = mount?.options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length);
  const directory = mount?.type === "bind" && mount.options.includes("rw") ? mount.source : upper;
  if (directory === undefined || more.length > 0)
    throw new RamekinError("INVALID_ARGUMENT", "storage overlayfs: these mounts have no place to write to");
  return directory;
}
