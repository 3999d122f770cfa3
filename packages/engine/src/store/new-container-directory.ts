import { mkdirSync } from "node:fs";
import type { Cancellable } from "@ramekin/core";
import { isThere } from "./containers.ts";
import { fileError } from "./files.ts";
import { lockFile } from "./lock.ts";
import type { ContainerPaths } from "./paths.ts";

/**
 * The directory of a container that is being made, and its lock. Until that is held, the directory looks like the wreck of a crash to
 * whoever cleans up, and may go at any moment: then it is made again.
 */
export async function newContainerDirectory(
  { directory, bundle, lock }: ContainerPaths,
  { signal }: Cancellable,
): Promise<AsyncDisposable> {
  for (;;) {
    make(directory);
    const held = await unlessGone(directory, () => lockFile(lock, { exclusive: true, signal }));
    if (!held) continue;
    try {
      // Not before: half of it could be gone.
      const whole = await unlessGone(directory, async () => {
        make(bundle);
        return true;
      });
      if (whole) return held;
    } catch (error) {
      await held[Symbol.asyncDispose]();
      throw error;
    }
    await held[Symbol.asyncDispose]();
  }
}

/** One by one: on a read-only file system a recursive mkdir speaks of a directory that is not there. */
function make(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    throw fileError(error, path);
  }
}

async function unlessGone<T>(directory: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (await isThere(directory)) throw error;
    return undefined;
  }
}
