import fs, { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { overlayStorage } from "../src/index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ramekin-overlayfs-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** How often each function of node:fs is called. */
async function counting(body: () => Promise<unknown>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const originals = Object.entries(fs).filter(([name, value]) => name.endsWith("Sync") && typeof value === "function");
  for (const [name, original] of originals) {
    Reflect.set(fs, name, (...args: unknown[]) => {
      counts[name] = (counts[name] ?? 0) + 1;
      return Reflect.apply(original as (...args: unknown[]) => unknown, fs, args);
    });
  }
  syncBuiltinESMExports();
  try {
    await body();
  } finally {
    for (const [name, original] of originals) Reflect.set(fs, name, original);
    syncBuiltinESMExports();
  }
  return counts;
}

test("a container's snapshot costs a dozen system calls, however deep the stack and however many its neighbours", async () => {
  const driver = overlayStorage(root);
  let parent: string | undefined;
  for (let index = 0; index < 20; index++) {
    await driver.prepare("key", parent);
    await driver.commit(`layer-${index}`, "key");
    parent = `layer-${index}`;
    await driver.prepare(`neighbour-${index}`, parent);
  }
  const counts = await counting(() => driver.prepare("container", parent));
  expect(counts["mkdirSync"]).toBe(3);
  expect(counts["readdirSync"] ?? 0).toBe(0);
  expect(counts["fsyncSync"] ?? 0).toBe(0);
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeLessThan(20);
});

test("options are those of OCI bundles, top layer first", async () => {
  const driver = overlayStorage(root, { userxattr: false });
  await driver.prepare("a");
  await driver.commit("base", "a");
  await driver.prepare("b", "base");
  await driver.commit("top", "b");
  const id = (key: string) => fs.readlinkSync(join(root, "keys", key));
  const [mount, ...more] = await driver.prepare("c", "top", { volatile: true });
  expect(more).toEqual([]);
  expect(mount).toEqual({
    type: "overlay",
    source: "overlay",
    options: [
      `lowerdir=${root}/l/${id("top")}/fs:${root}/l/${id("base")}/fs`,
      `upperdir=${root}/l/${id("c")}/fs`,
      `workdir=${root}/l/${id("c")}/work`,
      "redirect_dir=nofollow",
      "metacopy=off",
      "index=off",
      "volatile",
    ],
  });
  expect(await driver.view("v", "base")).toEqual([{ type: "bind", source: `${root}/l/${id("base")}/fs`, options: ["rbind", "ro"] }]);
  expect((await overlayStorage(root, { userxattr: true }).mounts("c"))[0]?.options).toContain("userxattr");
});

test("a root whose name would be read as mount options is refused", () => {
  expect(() => overlayStorage(`${root}/a:b`)).toThrow("holds a colon, a comma or a backslash");
});

test("the applier writes only into snapshots of its own", async () => {
  const driver = overlayStorage(root);
  const source = (async function* () {
    yield new Uint8Array(1024);
  })();
  const descriptor = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: "sha256:x", size: 1024 } as const;
  const elsewhere = [{ type: "bind", source: "/var/empty", options: ["rbind", "rw"] }];
  await expect(driver.applier?.apply(elsewhere, source, descriptor)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  const view = await driver.view("v");
  await expect(driver.applier?.apply(view, source, descriptor)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

test("what a power failure has torn is no snapshot, and cleanup removes it", async () => {
  const driver = overlayStorage(root);
  await driver.prepare("torn");
  fs.truncateSync(join(root, "l", fs.readlinkSync(join(root, "keys", "torn")), "meta.json"), 0);
  expect(await driver.stat("torn")).toBeUndefined();
  await driver.prepare("torn");
  await driver.cleanup?.();
  expect(fs.readdirSync(join(root, "l"))).toHaveLength(1);
  expect(await driver.stat("torn")).toEqual({ key: "torn", kind: "active" });
});
