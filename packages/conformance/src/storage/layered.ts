import assert from "node:assert/strict";
import { lstat, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StorageDriver } from "@ramekin/core";
import type { Case, WithMounts } from "../suite.ts";
import { type Entry, unpack } from "./tar.ts";

export type Change = (root: string) => Promise<unknown>;

/** A committed snapshot of what `change` does to its mounted files. */
export async function layer(
  driver: StorageDriver,
  withMounts: WithMounts,
  name: string,
  parent: string | undefined,
  change: Change,
): Promise<void> {
  await withMounts(await driver.prepare(`${name}-key`, parent), change);
  await driver.commit(name, `${name}-key`);
}

/** A case that builds a base, changes it in a second layer, and looks at the result in a view and in an active snapshot. */
export function layered(name: string, { base, change, look }: { base: Change; change?: Change; look: Change }): Case<StorageDriver> {
  return {
    name,
    needs: ["mountable"],
    async run(driver, { withMounts }) {
      await layer(driver, withMounts, "base", undefined, base);
      if (change) await layer(driver, withMounts, "top", "base", change);
      const top = change ? "top" : "base";
      await withMounts(await driver.view("view", top), look);
      await withMounts(await driver.prepare("active", top), look);
    },
  };
}

export const write = (path: string, text: string) => (root: string) => writeFile(join(root, path), text);
export const read = (root: string, path: string) => readFile(join(root, path), "utf8");
export const absent = (root: string, path: string) => assert.rejects(lstat(join(root, path)), { code: "ENOENT" }, `${path} is there`);
export const files =
  (...entries: readonly Entry[]): Change =>
  (root) =>
    unpack(root, entries);
export const names = async (root: string, path: string) => (await readdir(join(root, path))).sort();
export const bits = async (root: string, path: string) => ((await lstat(join(root, path))).mode & 0o7777).toString(8);
