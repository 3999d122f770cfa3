import { closeSync, constants, existsSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Cancellable, RamekinError } from "@ramekin/core";
import { addon, nativeSupport } from "./addon.ts";
import { cancelled, systemError } from "./errors.ts";

/** Held until released, or until this process ends, however it ends. Disposal is `release`. */
export interface Lock extends AsyncDisposable {
  release(): Promise<void>;
}

export interface LockOptions extends Cancellable {
  /** Many may hold it `shared` at once. Default: `exclusive`. */
  readonly kind?: "shared" | "exclusive";
  /** `false`: rejects with UNAVAILABLE when it is held, instead of waiting. */
  readonly wait?: boolean;
}

/** Milliseconds between tries: short first, since most locks are held for the time of a few renames. */
const shortest = 1;
const longest = 50;

/**
 * An flock(2) on `path`, a file of its own that is made when missing, never renamed, never unlinked. Without the addon, which makes
 * that system call, an owner file beside it: what needs no native part (pull, push, save) works without any.
 */
export async function lock(path: string, options: LockOptions = {}): Promise<Lock> {
  for (let wait = shortest; ; wait = Math.min(wait * 2, longest)) {
    if (options.signal) refuseAborted(path, options.signal);
    const held = await tryLock(path, options);
    if (held) return held;
    if (options.wait === false) throw new RamekinError("UNAVAILABLE", `${path} is locked by another process`);
    try {
      await delay(wait * (0.5 + Math.random()), undefined, { signal: options.signal });
    } catch (error) {
      if (options.signal) refuseAborted(path, options.signal);
      throw error;
    }
  }
}

/** `undefined` while somebody else holds it. */
export async function tryLock(path: string, { kind = "exclusive" }: Pick<LockOptions, "kind"> = {}): Promise<Lock | undefined> {
  if (!nativeSupport().ok) return (await import("./owner-lock.ts")).ownerLock(path);
  const held = acquire(path, kind);
  if (!held || !existsSync(`${path}.owner`) || !(await (await import("./owner-lock.ts")).hasLivingOwner(path))) return held;
  await held.release(); // to a process that has no flock, and owns the file in its own way
  return undefined;
}

/** A descriptor per acquisition, closed on exec: a lock belongs to the open file, and a child's copy would keep it. */
function acquire(path: string, kind: "shared" | "exclusive"): Lock | undefined {
  const { tryFlock } = addon();
  let fd: number | undefined = openLockFile(path);
  const release = async () => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  try {
    if (tryFlock(fd, kind === "exclusive")) return { release, [Symbol.asyncDispose]: release };
  } catch (error) {
    closeSync(fd);
    throw systemError(error, `lock ${path}`);
  }
  closeSync(fd);
  return undefined;
}

function openLockFile(path: string): number {
  const plain = constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | plain, 0o600);
  } catch (error) {
    // Who only reads may need the lock on a read-only file system, too; flock(2) does not ask for a descriptor that writes.
    if ((error as NodeJS.ErrnoException).code === "EROFS" && existsSync(path)) return openSync(path, constants.O_RDONLY | plain);
    throw systemError(error, `lock ${path}`);
  }
}

function refuseAborted(path: string, signal: AbortSignal): void {
  if (signal.aborted) throw cancelled(`waiting for the lock ${path}`, signal);
}
