import { symlinkSync } from "node:fs";
import { readdir, readlink, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { fileError, isGone, readJsonIfThere } from "./files.ts";
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
 * taken over, as is one whose container has got another name. Answers with the holder when there is one.
 */
export async function reserveName(paths: Paths, name: string, id: string): Promise<string | undefined> {
  if (claim(paths, name, id)) return undefined;
  // Only one may take over: two that both saw a dead holder would else remove each other's reservation.
  return withLock(paths.namesLock, { exclusive: true }, () => takeOver(paths, name, id));
}

/**
 * Gives a container another name, in an order that holds at whatever step the process is killed: the new name is reserved,
 * `publish` writes it into config.json, and the old one is let go of. The configuration alone says what the name is, so the
 * reservation that a crash leaves too many is garbage. Whoever takes over garbage holds the same lock, and so never takes
 * a name that is on its way. Answers with the holder when there is one.
 */
export async function moveName(
  paths: Paths,
  from: string,
  to: string,
  id: string,
  publish: () => Promise<void>,
): Promise<string | undefined> {
  return withLock(paths.namesLock, { exclusive: true }, async () => {
    const holder = await takeOver(paths, to, id);
    if (holder !== undefined) return holder;
    try {
      await publish();
    } finally {
      await releaseName(paths, (await nameOf(paths, id)) === to ? from : to, id);
    }
    return undefined;
  });
}

/** Under the lock of the names. */
async function takeOver(paths: Paths, name: string, id: string): Promise<string | undefined> {
  if (claim(paths, name, id)) return undefined;
  const holder = await holderOf(paths, name);
  if (holder === id) return undefined;
  if (holder !== undefined && (await holds(paths, holder, name))) return holder;
  await rm(join(paths.names, name), { force: true });
  return claim(paths, name, id) ? undefined : holderOf(paths, name);
}

/** A container that is there holds the name that its configuration knows; before it has one, what it has reserved. */
async function holds(paths: Paths, id: string, name: string): Promise<boolean> {
  if (!(await exists(paths.container(id).directory))) return false;
  const known = await nameOf(paths, id).catch(() => undefined); // what cannot be read keeps what it has
  return known === undefined || known === name;
}

const nameOf = async (paths: Paths, id: string) => (await readJsonIfThere<{ name: string }>(paths.container(id).config))?.name;

/** Lets go of a name, if it is still this container's. */
export async function releaseName(paths: Paths, name: string, id: string): Promise<void> {
  if ((await holderOf(paths, name)) === id) await rm(join(paths.names, name), { force: true });
}

/** Reservations whose container is gone, or has another name. */
export async function releaseDeadNames(paths: Paths): Promise<readonly string[]> {
  const released: string[] = [];
  for (const name of await readdir(paths.names)) {
    if (name.startsWith(".")) continue;
    await withLock(paths.namesLock, { exclusive: true }, async () => {
      const holder = await holderOf(paths, name);
      if (holder === undefined || (await holds(paths, holder, name))) return;
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
