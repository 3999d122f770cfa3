import { mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@ramekin/core";
import { digestHex } from "@ramekin/oci";
import type { Paths } from "./paths.ts";

/*
 * When an image was last used: the time of an empty file for each digest in index.json. It comes with the image's entry and goes
 * with it, and a create touches it: one utimes(2), below 0.05 ms on a busy machine. A hint for what to collect first, so nothing waits for the disk.
 */

const markOf = (paths: Paths, digest: Digest) => join(paths.used, `${digest.slice(0, digest.indexOf(":"))}-${digestHex(digest)}`);

export function markUsed(paths: Paths, digest: Digest): void {
  const path = markOf(paths, digest);
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    make(path); // a store of before there were marks
  }
}

/** As `markUsed`, and never a reason to fail: on a full disk an image is only taken for older than it is. */
function make(path: string): void {
  try {
    writeFileSync(path, "", { mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return;
    try {
      mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
      writeFileSync(path, "", { mode: 0o600 });
    } catch {
      // as above
    }
  }
}

export async function forgetUse(paths: Paths, digest: Digest): Promise<void> {
  await rm(markOf(paths, digest), { force: true });
}

/** Undefined when there is no mark. */
export function lastUse(paths: Paths, digest: Digest): Date | undefined {
  return statSync(markOf(paths, digest), { throwIfNoEntry: false })?.mtime;
}
