import { join } from "node:path";
import type { Mount } from "@ramekin/core";
import type { Snapshot, Store } from "@ramekin/snapshots";

export interface OverlayMode {
  /** Attributes go into `user.overlay.*`: the only ones that may be written without root. */
  readonly userxattr: boolean;
}

/**
 * One overlay mount, as containerd and OCI bundles spell it; a bind where there is nothing to overlay.
 * The option line of 500 layers exceeds a page: whoever mounts uses lowerdir+, or short paths from a common directory.
 */
export function mountsOf(
  store: Store,
  { directory, record: { kind, stack, readOnly, volatile } }: Snapshot,
  mode: OverlayMode,
): readonly Mount[] {
  const fs = join(directory, "fs");
  if (stack.length === 0) return [bind(fs, kind === "view" || readOnly === true)];
  if (kind === "view") return lowerOnly(store, stack, mode);
  return [
    overlay([
      `lowerdir=${lowers(store, stack)}`,
      `upperdir=${fs}`,
      `workdir=${join(directory, "work")}`,
      ...common(mode),
      ...(volatile ? ["volatile"] : []),
      ...(readOnly ? ["ro"] : []),
    ]),
  ];
}

/** What a view of the topmost of `stack` shows. */
export function lowerOnly(store: Store, stack: readonly string[], mode: OverlayMode): readonly Mount[] {
  const [only, ...more] = stack;
  // The kernel refuses an overlay of one directory.
  if (only !== undefined && more.length === 0) return [bind(pathOf(store, only), true)];
  return [overlay([`lowerdir=${lowers(store, stack)}`, ...common(mode), "ro"])];
}

const pathOf = (store: Store, id: string) => join(store.root, "l", id, "fs");
const lowers = (store: Store, stack: readonly string[]) => stack.map((id) => pathOf(store, id)).join(":");
const bind = (source: string, readOnly: boolean): Mount => ({ type: "bind", source, options: ["rbind", readOnly ? "ro" : "rw"] });
const overlay = (options: readonly string[]): Mount => ({ type: "overlay", source: "overlay", options });

/**
 * Whatever the kernel's defaults are: an upper directory stays a layer that is right by itself (no redirects, no data left
 * below), may be moved and copied (no index of inodes), and no redirect that an image brings along is followed.
 */
const common = ({ userxattr }: OverlayMode): string[] => [
  "redirect_dir=nofollow",
  "metacopy=off",
  "index=off",
  ...(userxattr ? ["userxattr"] : []),
];
