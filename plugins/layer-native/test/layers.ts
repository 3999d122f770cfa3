import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LayersUnderTest } from "@ramekin/conformance";
import { nativeProgram } from "@ramekin/native";
import { nativeApplier, nativeDiffer } from "../src/index.ts";

/** Why the native process cannot be started here; undefined when it can. */
export function cannotApply(): string | undefined {
  try {
    nativeProgram("ramekin-rootfs");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Folders as bind mounts, as storage-vfs has them. */
export async function nativeLayers(): Promise<LayersUnderTest & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), "ramekin-layers-"));
  let count = 0;
  return {
    ...nativeApplier,
    ...nativeDiffer,
    capabilities: { ownership: process.geteuid?.() === 0 },
    scratch: async () => {
      // Of its own, so that what lands beside it is seen.
      const directory = join(root, `tree-${count++}`, "root");
      await mkdir(directory, { recursive: true });
      return { directory, mounts: [{ type: "bind", source: directory, options: ["rbind", "rw"] }] };
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}
