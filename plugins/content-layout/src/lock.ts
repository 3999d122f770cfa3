/** Holds a lock until released; a lock dies with its process. */
export interface Lock {
  release(): Promise<void>;
}

/** Takes the lock of a file, which is made if need be, without waiting: undefined while somebody else holds it. */
export type TryLock = (path: string) => Promise<Lock | undefined>;
