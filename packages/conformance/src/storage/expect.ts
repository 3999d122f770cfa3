import assert from "node:assert/strict";
import { type ErrorCode, isRamekinError, type SnapshotInfo, type StorageDriver } from "@ramekin/core";

export const rejects = (promise: Promise<unknown>, code: ErrorCode) =>
  assert.rejects(promise, (error) => {
    assert.ok(isRamekinError(error, code), `${code} expected: ${error}`);
    return true;
  });

/** With the optional methods that the case has declared to need. */
export function able<K extends keyof StorageDriver>(
  driver: StorageDriver,
  ...methods: readonly K[]
): StorageDriver & Required<Pick<StorageDriver, K>> {
  for (const method of methods) assert.ok(driver[method], `the case has not declared that it needs ${method}`);
  return driver as StorageDriver & Required<Pick<StorageDriver, K>>;
}

/** An empty committed snapshot. */
export async function commitEmpty(driver: StorageDriver, name: string, parent?: string): Promise<void> {
  await driver.prepare(`${name}-key`, parent);
  await driver.commit(name, `${name}-key`);
}

export async function arrayOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

export const listed = (driver: Pick<StorageDriver, "list">): Promise<SnapshotInfo[]> => arrayOf(driver.list());

/** Topmost last. */
export async function removeAll(driver: Pick<StorageDriver, "list" | "remove">): Promise<void> {
  let left = await listed(driver);
  while (left.length > 0) {
    const parents = new Set(left.map(({ parent }) => parent));
    const free = left.filter(({ key }) => !parents.has(key));
    assert.ok(free.length > 0, "a snapshot is listed as its own ancestor");
    for (const { key } of free) await driver.remove(key);
    left = left.filter(({ key }) => parents.has(key));
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
