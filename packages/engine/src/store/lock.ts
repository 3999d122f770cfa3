import type { Cancellable } from "@ramekin/core";
import { type Lock, lock, tryLock } from "@ramekin/native";

/**
 * flock(2) on files of their own: a lock dies with its holder, so none is ever stale. Order, where several are held: store →
 * image index → container → network. None is held across a download, or while a container runs.
 */
export interface LockOptions extends Cancellable {
  readonly exclusive: boolean;
}

/** Waits; CANCELLED when the signal fires first. */
export async function lockFile(path: string, { exclusive, signal }: LockOptions): Promise<Lock> {
  return lock(path, { kind: exclusive ? "exclusive" : "shared", signal });
}

/** Exclusive; undefined when somebody else has it. */
export async function tryLockFile(path: string): Promise<Lock | undefined> {
  return tryLock(path);
}

export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await using _lock = await lockFile(path, options);
  return await work();
}
