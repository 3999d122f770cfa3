import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Outlives test runs. */
export const cacheFolder = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "ramekin", "test");

/**
 * What is slow to make is made once per machine and recipe: the path of a folder that `make` has filled. Who loses the race
 * to make it takes the winner's. A change of `make` itself, or of `from`, what else the result depends on, makes a new one.
 */
export async function cached(name: string, from: string, make: (folder: string) => Promise<void>): Promise<string> {
  const done = join(
    cacheFolder,
    `${name}-${createHash("sha256")
      .update(from + make.toString())
      .digest("hex")
      .slice(0, 12)}`,
  );
  if (existsSync(done)) return done;
  const making = join(cacheFolder, `making-${randomUUID()}`);
  await mkdir(making, { recursive: true });
  try {
    await make(making);
    await rename(making, done);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (!existsSync(done)) throw error;
  }
  return done;
}
