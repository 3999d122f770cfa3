import { link, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { Lock } from "./lock.ts";

/**
 * Locks without flock(2), for a machine without our native parts: beside the lock file, a file that names its owner by pid and
 * start time. It appears whole (link) and is taken over when its owner is dead. Whoever uses flock on the same file is seen in
 * /proc/locks and makes us yield, so processes with and without native parts exclude each other. There is no shared kind.
 */
export async function ownerLock(path: string): Promise<Lock | undefined> {
  const owner = `${path}.owner`;
  const mine = `${owner}.${process.pid}.${counter++}`;
  await writeFile(path, "", { flag: "a", mode: 0o600 });
  await writeFile(mine, JSON.stringify(await self()), { mode: 0o600 });
  try {
    if (!(await claim(mine, owner))) return undefined;
  } finally {
    await rm(mine, { force: true });
  }
  if (await isFlocked(path)) {
    await rm(owner, { force: true });
    return undefined;
  }
  const release = () => rm(owner, { force: true });
  return { release, [Symbol.asyncDispose]: release };
}

/** Whether a living process holds `path` by an owner file: what a user of flock asks after it got the lock. */
export async function hasLivingOwner(path: string): Promise<boolean> {
  const text = await unlessAbsent(readFile(`${path}.owner`, "utf8"), undefined);
  return text !== undefined && isAlive(text);
}

let counter = 0;

async function claim(mine: string, owner: string): Promise<boolean> {
  if (await linked(mine, owner)) return true;
  const text = await unlessAbsent(readFile(owner, "utf8"), undefined);
  if (text === undefined) return linked(mine, owner);
  if (await isAlive(text)) return false;
  // Two processes may both see the dead owner; only the one that makes this file may remove it, and no third can come between.
  const takeover = `${owner}.takeover`;
  if (!(await linked(mine, takeover))) {
    // The same for one that died right here, a window of microseconds: its claim is void after ten seconds.
    const made = await unlessAbsent(stat(takeover), undefined);
    if (made && Date.now() - made.ctimeMs > 10_000) await rm(takeover, { force: true });
    return false;
  }
  try {
    if ((await unlessAbsent(readFile(owner, "utf8"), undefined)) === text) await rm(owner, { force: true });
    return await linked(mine, owner);
  } finally {
    await rm(takeover, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

interface Owner {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

async function self(): Promise<Owner> {
  return { pid: process.pid, startTime: (await startTime(process.pid)) ?? "", bootId: await bootId() };
}

async function isAlive(text: string): Promise<boolean> {
  try {
    const { pid, startTime: started, bootId: boot } = JSON.parse(text) as Owner;
    return Number.isSafeInteger(pid) && boot === (await bootId()) && (await startTime(pid)) === started;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Field 22 of /proc/PID/stat; the command, field 2, may contain anything but ends with the last parenthesis. */
async function startTime(pid: number): Promise<string | undefined> {
  const text = await unlessAbsent(readFile(`/proc/${pid}/stat`, "utf8"), undefined);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

async function isFlocked(path: string): Promise<boolean> {
  const [{ ino, dev }, table] = await Promise.all([stat(path, { bigint: true }), readFile("/proc/locks", "utf8")]);
  // The kernel prints major:minor:inode, the first two in hexadecimal (fs/locks.c).
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  const hex = (number: bigint) => number.toString(16).padStart(2, "0");
  return table.split("\n").some((line) => line.includes(" FLOCK ") && line.includes(` ${hex(major)}:${hex(minor)}:${ino} `));
}

async function unlessAbsent<T, U>(found: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return otherwise;
    throw error;
  }
}
