import type { ByteStream, Cancellable, Mount } from "@ramekin/core";
import { rootfs, startRootfs } from "../rootfs.ts";
import { type IdMaps, rootlessUserns } from "../userns.ts";

/** Shown in a tree, over what is there. */
export interface TreeBind {
  readonly source: string;
  readonly destination: string;
  readonly subpath?: string;
  readonly readOnly?: boolean;
}

/** A tree as a container sees it: by its directory, by its mounts with more mounted in it, or as a process of it sees it now. */
export type View =
  | { readonly directory: string }
  | { readonly mounts: readonly Mount[]; readonly binds?: readonly TreeBind[] }
  | { readonly process: { readonly pid: number; readonly startTime: number } };

export interface ViewOptions extends Cancellable {
  /** The caller's own files: as the caller, not as root of a user namespace. */
  readonly own?: boolean;
}

/** What is at a path. */
export interface FoundFile {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly size: number;
  readonly mode: number;
  /** Of a link. */
  readonly target?: string;
}

/** Who looks through a process's eyes joins its user namespace. */
const userns = (view: View, { own }: ViewOptions) => (own || "process" in view ? ({ userns: "none" } as const) : {});

/** Undefined when nothing is there. A link in the last place is followed only if asked to. */
export async function lookAt(
  view: View,
  path: string,
  options: ViewOptions & { readonly follow?: boolean } = {},
): Promise<FoundFile | undefined> {
  const { follow = false, signal } = options;
  return (await rootfs<{ found?: FoundFile }>("look", { ...view, path, follow }, { signal, ...userns(view, options) })).found;
}

export interface PackOptions extends ViewOptions {
  /** What it is called in the archive; absent: only what is in it comes, as from a directory. */
  readonly name?: string;
  readonly follow?: boolean;
}

/** A file or a directory with all that is in it, as a tar. */
export async function* packTree(view: View, path: string, options: PackOptions = {}): AsyncGenerator<Uint8Array> {
  const { name = "", follow = false, signal } = options;
  const run = startRootfs("pack", { ...view, path, name, follow }, { signal, stdout: true, ...userns(view, options) });
  try {
    yield* run.stdout ?? [];
    await run.result;
  } finally {
    run.kill();
  }
}

export interface UnpackOptions extends ViewOptions {
  /** Whose all of it will be, as the tree knows users; absent: as the archive says. */
  readonly user?: string;
  /** The caller's. */
  readonly ignoreOwnership?: boolean;
}

/** A tar's files into a directory: what is no directory is replaced, directories are filled; neither takes the other's place. */
export async function unpackInto(view: View, path: string, tar: ByteStream | number, options: UnpackOptions = {}): Promise<void> {
  const { user, signal } = options;
  // A map of one id knows no other owner.
  const alone = process.geteuid?.() !== 0 && !options.own && rootlessUserns().uids.length === 1;
  const ignoreOwnership = (options.ignoreOwnership ?? false) || alone;
  await rootfs("unpack", { ...view, path, user, ignoreOwnership }, { signal, stdin: tar, ...userns(view, options) });
}

/** `ids`: of a user namespace, whose ids the owners become. */
export type OwnerOptions = Cancellable & { readonly ids?: IdMaps };

/** What a tree has at `path` into an empty directory, with owners; nothing where there is no directory. */
export async function populate(view: View, path: string, to: string, { ids, signal }: OwnerOptions = {}): Promise<boolean> {
  return (await rootfs<{ copied: boolean }>("populate", { ...view, path, to, ids }, { signal })).copied;
}

/** Gives a file or a tree to a user, as `view` knows users. */
export async function giveTo(view: View, user: string, path: string, { ids, signal }: OwnerOptions = {}): Promise<void> {
  await rootfs("chown", { ...view, user, path, ids }, { signal });
}
