import { mkdtempSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cannotMount, mountsInNamespace } from "./mounts.ts";
import type { SuiteOptions } from "./suite.ts";

/** A driver gone wrong: what it does instead of `right`, whose state is below `root`. */
export type Wrong<T> = (right: T, root: string) => Partial<T>;

export interface DirectoryBed<T> {
  /** For `runSuite`. */
  readonly options: SuiteOptions<T>;
  /** The same, for drivers with `wrong` put over them. */
  readonly spoiled: (wrong: Wrong<T>) => SuiteOptions<T>;
}

/**
 * For drivers that keep their state in a directory: each case gets a new one.
 * `program` is a module that serves the driver over the directory that is its first argument.
 */
export async function directoryBed<T extends object>(name: string, open: (root: string) => T, program: URL): Promise<DirectoryBed<T>> {
  const reason = await cannotMount();
  const roots = new WeakMap<object, string>();
  const rootOf = (driver: object) => roots.get(driver) ?? "";
  const spoiled = (wrong: Wrong<T>): SuiteOptions<T> => ({
    create() {
      const root = mkdtempSync(join(tmpdir(), `ramekin-${name}-`));
      const right = open(root);
      const driver = { ...right, ...wrong(right, root), [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
      roots.set(driver, root);
      return driver;
    },
    reopen: (driver) => open(rootOf(driver)),
    program: (driver) => [process.execPath, "--conditions=ramekin-source", fileURLToPath(program), rootOf(driver)],
    footprint: (driver) => readdirSync(rootOf(driver), { recursive: true }).length,
    ...(reason === undefined ? { withMounts: mountsInNamespace } : { missing: { mountable: reason } }),
  });
  return { options: spoiled(() => ({})), spoiled };
}
