import { lstat } from "node:fs/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { AppliedLayer, ByteStream, Cancellable, Descriptor, LayerLimits } from "@ramekin/core";
import { digestFor, pieces } from "../expect.ts";
import type { LayersUnderTest, Scratch } from "./fixture.ts";
import { type Entry, tar } from "./tar.ts";

const base = "application/vnd.oci.image.layer.v1.tar";

export function layer(bytes: Uint8Array, compression?: "gzip" | "zstd"): { blob: Uint8Array; descriptor: Descriptor } {
  const blob = compression === "gzip" ? gzipSync(bytes) : compression === "zstd" ? zstdCompressSync(bytes) : bytes;
  const mediaType = compression === undefined ? base : `${base}+${compression}`;
  return { blob, descriptor: { mediaType, digest: digestFor(blob), size: blob.byteLength } };
}

export function apply(
  driver: LayersUnderTest,
  { mounts }: Scratch,
  bytes: Uint8Array,
  options: Cancellable & { readonly limits?: LayerLimits; readonly source?: ByteStream; readonly descriptor?: Partial<Descriptor> } = {},
): Promise<AppliedLayer> {
  const { blob, descriptor } = layer(bytes);
  const { source = pieces(blob), descriptor: changed, ...rest } = options;
  return driver.apply(mounts, source, { ...descriptor, ...changed }, rest);
}

/** A fresh place with layers applied in turn. */
export async function applied(driver: LayersUnderTest, ...layers: readonly (readonly Entry[])[]): Promise<Scratch> {
  const scratch = await driver.scratch();
  for (const entries of layers) await apply(driver, scratch, tar(...entries));
  return scratch;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw error;
  }
}
