import { type Cancellable, RamekinError } from "@ramekin/core";
import { lock, tryLock } from "@ramekin/native";
import { fileError } from "./files.ts";

/**
 * flock(2) on files of their own: a lock dies with its holder, so none is ever stale. Order, where several are held: store →
 * image index → container → network. None is held across a download, or while a container runs.
 */
export type HeldLock = AsyncDisposable;

export interface LockOptions extends Cancellable {
  readonly exclusive: boolean;
}

/** Waits. CANCELLED when the signal fires first. */
export async function lockFile(path: string, { exclusive, signal }: LockOptions): Promise<HeldLock> {
  if (signal?.aborted) throw new RamekinError("CANCELLED", `waiting for ${path} was cancelled`, { cause: signal.reason });
  try {
    return await lock(path, { shared: !exclusive, signal });
  } catch (error) {
    throw fileError(error, path);
  }
}

/** Exclusive; undefined when somebody else has it. */
export async function tryLockFile(path: string): Promise<HeldLock | undefined> {
  try {
    return await tryLock(path);
  } catch (error) {
    throw fileError(error, path);
  }
}

export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await using _lock = await lockFile(path, options);
  return await work();
}
