import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, link, lstat, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Mount, StorageDriver } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { able, arrayOf, commitEmpty, listed, rejects } from "./expect.ts";
import { type Entry, tar, xattr } from "./tar.ts";

/** As the supervisor does it; imported late, since drivers without files need no native parts. */
const removeTree = async (root: string, path: string) => (await import("@ramekin/native")).removeTree(root, path);

const mediaType = "application/vnd.oci.image.layer.v1.tar";
const apply = (driver: StorageDriver, mounts: readonly Mount[], entries: readonly Entry[]) => {
  const bytes = tar(entries);
  const source = (async function* () {
    yield bytes;
  })();
  assert.ok(driver.applier);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as const;
  return driver.applier.apply(mounts, source, { mediaType, digest, size: bytes.length });
};

/** What only some drivers can do. */
export const optionalCases: readonly Case<StorageDriver>[] = [
  {
    name: "a parent at commit is taken or refused",
    async run(driver) {
      await commitEmpty(driver, "base");
      await driver.prepare("a");
      const commit = driver.commit("top", "a", { parent: "base" });
      if (!driver.capabilities?.rebase) return rejects(commit, "UNSUPPORTED");
      await commit;
      assert.equal((await driver.stat("top"))?.parent, "base");
    },
  },
  {
    name: "rebase commits onto another parent",
    needs: ["rebase"],
    async run(driver) {
      await commitEmpty(driver, "base");
      await driver.prepare("a");
      await rejects(driver.commit("top", "a", { parent: "absent" }), "NOT_FOUND");
      await driver.prepare("b");
      await rejects(driver.commit("top", "a", { parent: "b" }), "INVALID_ARGUMENT");
      assert.equal((await driver.stat("a"))?.kind, "active");
      await driver.commit("top", "a", { parent: "base" });
      assert.equal((await driver.stat("top"))?.parent, "base");
    },
  },
  {
    name: "rebase holds the new parent and lets go of the old one",
    needs: ["rebase"],
    async run(driver) {
      await commitEmpty(driver, "old");
      await commitEmpty(driver, "new");
      await driver.prepare("a", "old");
      await driver.commit("top", "a", { parent: "new" });
      await rejects(driver.remove("new"), "FAILED_PRECONDITION");
      await driver.remove("old");
      await driver.remove("top");
      await driver.remove("new");
    },
  },
  {
    name: "rebased layers lie one over the other",
    needs: ["rebase", "mountable"],
    async run(driver, { withMounts }) {
      for (const layer of ["one", "two", "three"]) {
        await withMounts(await driver.prepare(layer), async (root) => {
          await writeFile(join(root, layer), "");
          await writeFile(join(root, "last"), layer);
        });
      }
      await driver.commit("layer-1", "one");
      await driver.commit("layer-2", "two", { parent: "layer-1" });
      await driver.commit("layer-3", "three", { parent: "layer-2" });
      await withMounts(await driver.view("v", "layer-3"), async (root) => {
        for (const layer of ["one", "two", "three"]) await stat(join(root, layer));
        assert.equal(await readFile(join(root, "last"), "utf8"), "three");
      });
    },
  },
  {
    name: "a rebased layer deletes what lies below",
    needs: ["rebase", "applier", "mountable"],
    async run(driver, { withMounts }) {
      await apply(driver, await driver.prepare("one"), [
        { name: "gone", data: "x" },
        { name: "opaque/", type: "5" },
        { name: "opaque/below", data: "x" },
        { name: "tree/", type: "5" },
        { name: "tree/leaf", data: "x" },
      ]);
      await apply(driver, await driver.prepare("two"), [
        { name: ".wh.gone" },
        { name: "opaque/", type: "5" },
        { name: "opaque/.wh..wh..opq" },
        { name: "opaque/above", data: "x" },
        { name: ".wh.tree" },
      ]);
      await driver.commit("layer-1", "one");
      await driver.commit("layer-2", "two", { parent: "layer-1" });
      await withMounts(await driver.view("v", "layer-2"), async (root) => {
        assert.equal((await stat(root)).mode & 0o7777, 0o755);
        for (const path of ["gone", "opaque/below", "tree"]) await assert.rejects(lstat(join(root, path)), { code: "ENOENT" }, path);
        await stat(join(root, "opaque/above"));
      });
    },
  },
  {
    name: "a directory that a rebased layer only goes through looks as it does below",
    needs: ["rebase", "applier", "mountable"],
    async run(driver, { withMounts }) {
      await apply(driver, await driver.prepare("one"), [
        { name: "./", type: "5", mode: 0o711 },
        { name: "home/", type: "5", mode: 0o750, uid: 12, gid: 34, xattrs: { "user.kept": "yes" } },
        { name: "home/app/", type: "5", mode: 0o1777, uid: 56, gid: 78 },
      ]);
      await apply(driver, await driver.prepare("two"), [
        { name: "home/app/file", data: "x" },
        { name: "home/new/file", data: "x" },
      ]);
      await driver.commit("layer-1", "one");
      await driver.commit("layer-2", "two", { parent: "layer-1" });
      await withMounts(await driver.view("v", "layer-2"), async (root) => {
        const look = async (path: string) => {
          const { mode, uid, gid } = await stat(join(root, path));
          return [(mode & 0o7777).toString(8), uid, gid];
        };
        assert.deepEqual(await look("."), ["711", 0, 0]);
        assert.deepEqual(await look("home"), ["750", 12, 34]);
        assert.equal(await xattr(root, "home", "user.kept"), "yes");
        assert.deepEqual(await look("home/app"), ["1777", 56, 78]);
        assert.deepEqual(await look("home/new"), ["755", 0, 0]);
        await stat(join(root, "home/app/file"));
      });
    },
  },
  {
    name: "a rebased layer links to a file below",
    needs: ["rebase", "applier", "mountable"],
    async run(driver, { withMounts }) {
      await apply(driver, await driver.prepare("one"), [{ name: "file", data: "below", mode: 0o640, uid: 12 }]);
      await apply(driver, await driver.prepare("two"), [{ name: "link", type: "1", linkname: "file" }]);
      await driver.commit("layer-1", "one");
      await driver.commit("layer-2", "two", { parent: "layer-1" });
      await withMounts(await driver.view("v", "layer-2"), async (root) => {
        const [file, link] = await Promise.all(["file", "link"].map((path) => stat(join(root, path))));
        assert.deepEqual([link?.ino, link?.uid, (link?.mode ?? 0) & 0o777, link?.nlink], [file?.ino, 12, 0o640, 2]);
        assert.equal(await readFile(join(root, "link"), "utf8"), "below");
      });
    },
  },
  {
    name: "a layer that links to nothing is refused",
    needs: ["rebase", "applier"],
    async run(driver) {
      for (const parent of [undefined, "base"]) {
        if (parent) await commitEmpty(driver, parent);
        const mounts = await driver.prepare("a");
        const unpack = async () => {
          await apply(driver, mounts, [{ name: "link", type: "1", linkname: "absent" }]);
          await driver.commit("layer", "a", parent === undefined ? {} : { parent });
        };
        await assert.rejects(unpack());
        assert.equal(await driver.stat("layer"), undefined);
        await driver.remove("a");
      }
    },
  },
  {
    name: "usage counts only the snapshot itself",
    needs: ["usage", "mountable"],
    async run(driver, { withMounts }) {
      const storage = able(driver, "usage");
      const size = 1 << 20;
      await withMounts(await driver.prepare("a"), (root) => writeFile(join(root, "file"), new Uint8Array(size)));
      await driver.commit("base", "a");
      await driver.prepare("child", "base");
      assert.ok((await storage.usage("base")).size >= size);
      assert.ok((await storage.usage("child")).size < size);
    },
  },
  {
    name: "usage follows what is written, links counted once",
    needs: ["usage", "mountable"],
    async run(driver, { withMounts }) {
      const storage = able(driver, "usage");
      const mounts = await driver.prepare("a");
      const empty = await storage.usage("a");
      await withMounts(mounts, async (root) => {
        await writeFile(join(root, "file"), new Uint8Array(1 << 20));
        await link(join(root, "file"), join(root, "same"));
        await mkdir(join(root, "directory"));
      });
      const full = await storage.usage("a");
      assert.ok(full.size - empty.size >= 1 << 20 && full.size - empty.size < 2 << 20, `${empty.size} to ${full.size}`);
      assert.equal(full.inodes - empty.inodes, 2);
      await rejects(storage.usage("absent"), "NOT_FOUND");
    },
  },
  {
    name: "changes are what was added, modified and deleted",
    needs: ["changes", "mountable"],
    async run(driver, { withMounts }) {
      const storage = able(driver, "changes");
      await withMounts(await driver.prepare("a"), async (root) => {
        await mkdir(join(root, "etc"));
        for (const name of ["kept", "etc/modified", "etc/deleted"]) await writeFile(join(root, name), "x");
      });
      await driver.commit("base", "a");
      await withMounts(await driver.prepare("child", "base"), async (root) => {
        await appendFile(join(root, "etc/modified"), "y");
        await rm(join(root, "etc/deleted"));
        await writeFile(join(root, "etc/added"), "z");
        await mkdir(join(root, "new"));
        await writeFile(join(root, "new/file"), "z");
      });
      const found = await arrayOf(storage.changes("child"));
      assert.deepEqual(found.map(({ path, kind }) => `${kind} ${path}`).sort(), [
        "added /etc/added",
        "added /new",
        "added /new/file",
        "deleted /etc/deleted",
        "modified /etc",
        "modified /etc/modified",
      ]);
      await rejects(arrayOf(storage.changes("absent")), "NOT_FOUND");
    },
  },
  {
    name: "a clone has the same parent and a key of its own",
    needs: ["clone"],
    async run(driver) {
      const storage = able(driver, "clone");
      await commitEmpty(driver, "base");
      await driver.prepare("a", "base");
      await storage.clone("a", "b", { labels: { x: "y" } });
      assert.deepEqual(await driver.stat("b"), { key: "b", kind: "active", parent: "base", labels: { x: "y" } });
      await rejects(storage.clone("a", "b"), "ALREADY_EXISTS");
      await rejects(storage.clone("absent", "c"), "NOT_FOUND");
      await rejects(storage.clone("base", "c"), "FAILED_PRECONDITION");
      await driver.remove("a");
      await rejects(driver.remove("base"), "FAILED_PRECONDITION");
      assert.deepEqual((await listed(driver)).map(({ key }) => key).sort(), ["b", "base"]);
    },
  },
  {
    name: "a clone begins with the same files and goes its own way",
    needs: ["clone", "mountable"],
    async run(driver, { withMounts }) {
      const storage = able(driver, "clone");
      await withMounts(await driver.prepare("base-key"), (root) => writeFile(join(root, "below"), "base"));
      await driver.commit("base", "base-key");
      const original = await driver.prepare("a", "base");
      await withMounts(original, async (root) => {
        await writeFile(join(root, "file"), "original");
        await rm(join(root, "below"));
      });
      const { mounts, bytes } = await storage.clone("a", "b");
      assert.ok(bytes >= "original".length, String(bytes));
      await withMounts(mounts, async (root) => {
        assert.equal(await readFile(join(root, "file"), "utf8"), "original");
        await assert.rejects(lstat(join(root, "below")), { code: "ENOENT" });
        await writeFile(join(root, "file"), "clone");
      });
      await withMounts(original, async (root) => assert.equal(await readFile(join(root, "file"), "utf8"), "original"));
    },
  },
  {
    name: "teardown done elsewhere is remove",
    needs: ["teardown", "footprint"],
    async run(driver, { footprint }) {
      const storage = able(driver, "teardown");
      await commitEmpty(driver, "base");
      const before = await footprint();
      await driver.prepare("a", "base");
      const operations = await storage.teardown("a");
      assert.ok(operations.length > 0);
      // Run twice, as by a supervisor that was killed and whoever came after.
      for (const operation of [...operations, ...operations]) {
        assert.ok(operation.op === "remove-tree", operation.op);
        await removeTree(operation.root, operation.path);
      }
      assert.equal(await driver.stat("a"), undefined);
      assert.equal(await footprint(), before);
      await driver.prepare("a", "base");
      await driver.remove("a");
      await driver.remove("base");
      await rejects(storage.teardown("absent"), "NOT_FOUND");
    },
  },
  {
    name: "teardown broken off leaves no snapshot, and garbage that cleanup finds",
    needs: ["teardown", "cleanup", "footprint"],
    async run(driver, { footprint }) {
      const storage = able(driver, "teardown", "cleanup");
      await commitEmpty(driver, "base");
      const before = await footprint();
      await driver.prepare("a", "base");
      const [first] = await storage.teardown("a");
      assert.ok(first?.op === "remove-tree");
      await removeTree(first.root, first.path);
      assert.equal(await driver.stat("a"), undefined);
      await storage.cleanup();
      assert.equal(await footprint(), before);
    },
  },
  {
    name: "cleanup leaves all snapshots alone",
    needs: ["cleanup"],
    async run(driver) {
      const storage = able(driver, "cleanup");
      await commitEmpty(driver, "base");
      await commitEmpty(driver, "top", "base");
      await driver.prepare("a", "top");
      await driver.view("v", "base");
      const before = await listed(driver);
      await storage.cleanup();
      assert.deepEqual(await listed(driver), before);
      await driver.mounts("a");
    },
  },
];
