import { symlinkSync } from "node:fs";
import { readdir, readlink, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { fileError, isGone } from "./files.ts";
import { withLock } from "./lock.ts";
import type { Paths } from "./paths.ts";

/** As Docker's: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`; a name is a file's name, so its length has a limit too. */
export function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= 200) return;
  throw new RamekinError("INVALID_ARGUMENT", `invalid container name ${JSON.stringify(name.slice(0, 80))}`, {
    hint: "two or more letters, digits, _ . or -, with a letter or digit first",
  });
}

/**
 * The container that holds a name, whether it is there or not. A reservation is a symbolic link to the container's directory:
 * one system call makes it, whole and exclusively, which no file with content can say of itself.
 */
export async function holderOf(paths: Paths, name: string): Promise<string | undefined> {
  const path = join(paths.names, name);
  try {
    return basename(await readlink(path));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw fileError(error, path);
  }
}

/**
 * Reserves a name for a container whose directory exists already; so a reservation without its container is garbage, and is
 * taken over. Answers with the holder when there is one.
 */
export async function reserveName(paths: Paths, name: string, id: string): Promise<string | undefined> {
  if (claim(paths, name, id)) return undefined;
  // Only one may take over: two that both saw a dead holder would else remove each other's reservation.
  return withLock(paths.namesLock, { exclusive: true }, async () => {
    const holder = await holderOf(paths, name);
    if (holder !== undefined && (await exists(paths.container(holder).directory))) return holder;
    await rm(join(paths.names, name), { force: true });
    return claim(paths, name, id) ? undefined : holderOf(paths, name);
  });
}

/** Lets go of a name, if it is still this container's. */
export async function releaseName(paths: Paths, name: string, id: string): Promise<void> {
  if ((await holderOf(paths, name)) === id) await rm(join(paths.names, name), { force: true });
}

/** Reservations whose container is gone. */
export async function releaseDeadNames(paths: Paths): Promise<readonly string[]> {
  const released: string[] = [];
  for (const name of await readdir(paths.names)) {
    if (name.startsWith(".")) continue;
    await withLock(paths.namesLock, { exclusive: true }, async () => {
      const holder = await holderOf(paths, name);
      if (holder === undefined || (await exists(paths.container(holder).directory))) return;
      await rm(join(paths.names, name), { force: true });
      released.push(name);
    });
  }
  return released;
}

function claim(paths: Paths, name: string, id: string): boolean {
  const path = join(paths.names, name);
  try {
    symlinkSync(join("..", id), path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw fileError(error, path);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Ids whose container begins so; a name is looked up before. */
export async function idsBeginning(paths: Paths, prefix: string): Promise<readonly string[]> {
  const entries = await readdir(paths.containers).catch((error: unknown) => {
    if (isGone(error)) return [];
    throw error;
  });
  return entries.filter((entry) => /^[0-9a-f]{64}$/.test(entry) && entry.startsWith(prefix));
}
