// Bundled into one file and run by node:test in the virtual machine: the same cases as outside, on cgroup v2 and kernel 6.1.
// `suites.mjs DRIVER…` runs the suites of these drivers.
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

/** Which driver a test is of stands in its name. */
const named =
  (driver: string): TestApi =>
  (name, body) =>
    test(`${driver}: ${name}`, { timeout: 300_000 }, (context) => body({ skip: (reason) => context.skip(reason) }));

const asked = new Set(process.argv.slice(2));

// Not vfs: it only copies files, which a kernel of another age does no differently, and a machine without KVM is slow.
if (asked.has("overlayfs")) {
  const roots = new WeakMap<StorageDriver, string>();
  const rootOf = (driver: StorageDriver): string => roots.get(driver) ?? "";
  runSuite(named("overlayfs"), storageSuite, {
    create() {
      const root = mkdtempSync(join(tmpdir(), "ramekin-overlayfs-"));
      const driver = { ...overlayStorage(root), [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
      roots.set(driver, root);
      return driver;
    },
    reopen: (driver) => overlayStorage(rootOf(driver)),
    program: (driver) => [process.execPath, "/vm/serve-overlayfs.mjs", rootOf(driver)],
    footprint: (driver) => readdirSync(rootOf(driver), { recursive: true }).length,
    withMounts: mountsInNamespace,
    skip: { "a stack of 500 layers": "no lowerdir+ before Linux 6.7: the names of 500 layers exceed a page" },
  });
}

if (asked.has("linux")) {
  runSuite(named("linux"), isolationSuite, {
    create: () =>
      busyboxFixture({
        create: (directory) =>
          linuxIsolation({ directory, shim: nativeProgram("ramekin-shim"), launcher: nativeProgram("ramekin-launcher") }),
        capabilities: { userNamespace: true, limits: true, devices: true, supervision: true },
        init: nativeProgram("ramekin-init"),
      }),
  });
}
