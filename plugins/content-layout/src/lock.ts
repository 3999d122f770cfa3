import { nativeSupport, tryLock } from "@ramekin/native";
import { hasLivingOwner, ownerLock } from "./owner-lock.ts";

/** Holds a lock until released; a lock dies with its process. */
export interface Lock {
  release(): Promise<void>;
}

/** Takes the lock of a file, which is made if need be, without waiting: undefined while somebody else holds it. */
export type TryLock = (path: string) => Promise<Lock | undefined>;

/** flock(2), yielding to a process that has none and owns the file in its own way. */
export const flockLock: TryLock = async (path) => {
  const lock = await tryLock(path);
  if (!lock || !(await hasLivingOwner(path))) return lock;
  await lock.release();
  return undefined;
};

/** The best there is: pulls, loads and pushes must work without native parts. */
export const bestLock: TryLock = (path) => (nativeSupport().ok ? flockLock : ownerLock)(path);
