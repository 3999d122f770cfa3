import { mkdtempSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cannotMount, mountsInNamespace, type SuiteOptions } from "@ramekin/conformance";
import type { StorageDriver } from "@ramekin/core";
import { overlayStorage } from "../src/index.ts";

const roots = new WeakMap<StorageDriver, string>();
const rootOf = (driver: StorageDriver): string => roots.get(driver) ?? "";

/** Under a new directory that goes with the driver. */
export function fresh(wrong: (right: StorageDriver, root: string) => Partial<StorageDriver> = () => ({})): StorageDriver & AsyncDisposable {
  const root = mkdtempSync(join(tmpdir(), "ramekin-overlayfs-"));
  const right = overlayStorage(root);
  const driver = { ...right, ...wrong(right, root), [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
  roots.set(driver, root);
  return driver;
}

const reason = await cannotMount();
if (reason !== undefined) console.warn(`storage-overlayfs: cases with mounted files are skipped: ${reason}`);

export const bed: SuiteOptions<StorageDriver> = {
  create: fresh,
  reopen: (driver) => overlayStorage(rootOf(driver)),
  program: (driver) => [
    process.execPath,
    "--conditions=ramekin-source",
    fileURLToPath(new URL("./serve.ts", import.meta.url)),
    rootOf(driver),
  ],
  footprint: (driver) => readdirSync(rootOf(driver), { recursive: true }).length,
  ...(reason === undefined && { withMounts: mountsInNamespace }),
};
