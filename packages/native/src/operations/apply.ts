import { closeSync, openSync } from "node:fs";
import type { AppliedLayer, ByteStream, Cancellable, Descriptor, FileStream, LayerLimits, Mount } from "@ramekin/core";
import { systemError } from "../errors.ts";
import { rootfs } from "../rootfs.ts";
import { rootlessUserns } from "../userns.ts";
import type { Tree } from "./trees.ts";

/** Something that a layer took for granted of the layers below it. Opaque; JSON keeps it. */
export type Implied = string;

export type ApplyLayerOptions = Tree &
  Cancellable & {
    /** The blob as stored; a descriptor, or bytes that are a file, go to the native process unread. */
    readonly source: ByteStream | number;
    /** Absent: not compressed, not verified. */
    readonly descriptor?: Pick<Descriptor, "mediaType" | "digest" | "size">;
    /** Into a merged view, whiteouts `delete`; into a layer directory, they are kept as overlayfs has them. */
    readonly whiteouts?: "delete" | "overlay" | "overlay-user";
    readonly limits?: LayerLimits;
    /** One syncfs(2) at the end. */
    readonly durable?: boolean;
  };

export interface AppliedTree extends AppliedLayer {
  readonly entries: number;
  /** For `adopt`, once it is known what lies below; always empty with `delete`. */
  readonly implied: readonly Implied[];
  /** What a user namespace may not make. */
  readonly skipped: { readonly devices: number; readonly xattrs: number };
}

export async function applyLayer(options: ApplyLayerOptions): Promise<AppliedTree> {
  const { source, descriptor, whiteouts = "delete", limits = {}, durable = false, signal, ...tree } = options;
  const { mediaType, digest, size } = descriptor ?? {};
  const request = { ...tree, mediaType, digest, size, whiteouts, limits, durable };
  const file = wholeFile(source);
  try {
    const stdin = file ?? source;
    if (process.geteuid?.() === 0) return await rootfs("apply", request, { stdin, signal });
    const userns = rootlessUserns();
    // A map of one id knows no other owner.
    const ignoreOwnership = userns.uids.length === 1;
    return await rootfs("apply", { ...request, ignoreOwnership }, { stdin, signal, userns });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** A descriptor of the file that the source is, if it is one. */
function wholeFile(source: ByteStream | number): number | undefined {
  if (typeof source === "number" || !isFileStream(source)) return undefined;
  try {
    return openSync(source.wholeFile, "r");
  } catch (error) {
    throw systemError(error, source.wholeFile);
  }
}

const isFileStream = (source: ByteStream): source is FileStream => "wholeFile" in source;

/** Gives a layer directory what it implied: attributes of directories, and files for its hard links to lower ones. */
export async function adopt(
  directory: string,
  lower: readonly Mount[],
  implied: readonly Implied[],
  options: Cancellable = {},
): Promise<void> {
  await rootfs("adopt", { directory, lower, implied }, options);
}
