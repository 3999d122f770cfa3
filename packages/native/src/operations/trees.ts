import type { Cancellable, Mount, Usage } from "@ramekin/core";
import { rootfs, startRootfs } from "../rootfs.ts";

/** A directory tree, by its directory or by the mounts that show it; these are mounted where nobody else sees them. */
export type Tree = { readonly directory: string } | { readonly mounts: readonly Mount[] };

export interface CopiedTree {
  readonly entries: number;
  /** Of file content, whether copied or shared. */
  readonly bytes: number;
  /** The file system let them share it. */
  readonly shared: boolean;
}

/** What works in a directory, tried out. */
export interface FilesystemSupport {
  readonly overlay: boolean;
  /** Overlays with `userxattr`: what a user namespace can mount. */
  readonly overlayUser: boolean;
  readonly lowerdirPlus: boolean;
  readonly reflink: boolean;
  readonly xattrUser: boolean;
  /** Why not, by the names above. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** Copies `from` into the empty directory `to`: clones where the file system can, keeps holes, links, attributes, owners, times. */
export function copyTree(from: string, to: string, options: Cancellable = {}): Promise<CopiedTree> {
  return rootfs("copy-tree", { from, to }, options);
}

/** Removes `path` below `root`, whatever it is; follows no link, enters no mount. Nothing there is no error. */
export async function removeTree(root: string, path: string, options: Cancellable = {}): Promise<void> {
  await rootfs("remove-tree", { root, path }, options);
}

/** A file with several names counts once. */
export function usage(directory: string, options: Cancellable = {}): Promise<Usage> {
  return rootfs("usage", { directory }, options);
}

export function probeFilesystem(directory: string, options: Cancellable = {}): Promise<FilesystemSupport> {
  return rootfs("mkfs-probe", { directory }, options);
}

/** In the caller's mount namespace, one over the other: for tests and benches in a namespace of their own. */
export async function mount(mounts: readonly Mount[], target: string, options: Cancellable = {}): Promise<void> {
  await rootfs("mount", { mounts, target }, { ...options, userns: "none" });
}

/** Everything mounted at `target`. */
export async function unmount(target: string, options: Cancellable = {}): Promise<void> {
  await rootfs("unmount", { target }, { ...options, userns: "none" });
}

/** A regular file below a tree's root, links followed inside of it; RESOURCE_EXHAUSTED beyond `maxBytes` (1 MiB). */
export async function readFile(tree: Tree, path: string, options: Cancellable & { readonly maxBytes?: number } = {}): Promise<Uint8Array> {
  const { maxBytes = 1 << 20, signal } = options;
  const { stdout, result } = startRootfs("read", { ...tree, path, maxBytes }, { stdout: true, signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdout ?? []) chunks.push(chunk);
  await result;
  return Buffer.concat(chunks);
}
