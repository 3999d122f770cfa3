// Bundled into one file and run by node:test in the virtual machine: the same cases as outside, on cgroup v2 and kernel 6.1.
// `suites.mjs DRIVER…` runs the suites of these drivers: the machine has two processors, so two of them run at once.
import { mkdtempSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxFixture, isolationSuite, mountsInNamespace, runSuite, storageSuite, type TestApi } from "@ramekin/conformance";
import type { StorageDriver } from "@ramekin/core";
import { linuxIsolation } from "@ramekin/isolation-linux";
import { nativeProgram } from "@ramekin/native";
import { overlayStorage } from "@ramekin/storage-overlayfs";
import { vfsStorage } from "@ramekin/storage-vfs";

/** Which driver a test is of stands in its name. */
const named =
  (driver: string): TestApi =>
  (name, body) =>
    test(`${driver}: ${name}`, { timeout: 300_000 }, (context) => body({ skip: (reason) => context.skip(reason) }));

/** Beside the drivers' own exemptions: this kernel has no lowerdir+. */
const exempt = {
  overlayfs: { "a stack of 500 layers": "no lowerdir+ before Linux 6.7: the names of 500 layers exceed a page" },
  vfs: {
    "usage counts only the snapshot itself": "a copy holds its parent's bytes too",
    "a stack of 500 layers": "no layer is mounted over another: 120 copies show the same as 500",
  },
};
const asked = new Set(process.argv.slice(2));
const drivers = { overlayfs: overlayStorage, vfs: vfsStorage };
for (const [name, storage] of Object.entries(drivers) as ["overlayfs" | "vfs", typeof overlayStorage][]) {
  if (!asked.has(name)) continue;
  const roots = new WeakMap<StorageDriver, string>();
  const rootOf = (driver: StorageDriver): string => roots.get(driver) ?? "";
  runSuite(named(name), storageSuite, {
    create() {
      const root = mkdtempSync(join(tmpdir(), `ramekin-${name}-`));
      const driver = { ...storage(root), [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
      roots.set(driver, root);
      return driver;
    },
    reopen: (driver) => storage(rootOf(driver)),
    program: (driver) => [process.execPath, `/vm/serve-${name}.mjs`, rootOf(driver)],
    footprint: (driver) => readdirSync(rootOf(driver), { recursive: true }).length,
    withMounts: mountsInNamespace,
    skip: exempt[name],
  });
}

if (asked.has("linux")) {
  runSuite(named("linux"), isolationSuite, {
    create: () =>
      busyboxFixture({
        create: (directory) =>
          linuxIsolation({ directory, shim: nativeProgram("ramekin-shim"), launcher: nativeProgram("ramekin-launcher") }),
        capabilities: { userNamespace: true, timeNamespace: true, limits: true, devices: true },
        init: nativeProgram("ramekin-init"),
      }),
  });
}
