import assert from "node:assert/strict";
import { appendFile, chmod, chown, cp, mkdir, readlink, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { StorageDriver } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { isErrno } from "./expect.ts";
import { absent, bits, type Change, files, layer, layered, names, read, write } from "./layered.ts";
import { unpack, xattr } from "./tar.ts";

/** Of a directory that is in a lower layer overlayfs says EXDEV; mv(1) and everybody else then copies. */
async function move(root: string, from: string, to: string): Promise<void> {
  try {
    await rename(join(root, from), join(root, to));
  } catch (error) {
    if (!isErrno(error, "EXDEV")) throw error;
    await cp(join(root, from), join(root, to), { recursive: true, preserveTimestamps: true });
    await rm(join(root, from), { recursive: true });
  }
}

/** What a layer does to the layers below. */
export const layerCases: readonly Case<StorageDriver>[] = [
  {
    name: "children see their parent's files, and nobody else sees theirs",
    needs: ["mountable"],
    async run(driver, { withMounts }) {
      await layer(driver, withMounts, "base", undefined, write("file", "base"));
      const child = await driver.prepare("child", "base");
      await withMounts(child, async (root) => {
        assert.equal(await read(root, "file"), "base");
        await write("file", "child")(root);
      });
      await withMounts(child, async (root) => assert.equal(await read(root, "file"), "child"));
      await withMounts(await driver.view("sibling", "base"), async (root) => assert.equal(await read(root, "file"), "base"));
    },
  },
  {
    name: "two active snapshots of one parent do not see each other",
    needs: ["mountable"],
    async run(driver, { withMounts }) {
      await layer(driver, withMounts, "base", undefined, write("file", "base"));
      const [one, two] = [await driver.prepare("one", "base"), await driver.prepare("two", "base")];
      await withMounts(one, (first) =>
        withMounts(two, async (second) => {
          await write("file", "one")(first);
          await write("only-one", "")(first);
          assert.equal(await read(second, "file"), "base");
          await write("file", "two")(second);
          assert.equal(await read(first, "file"), "one");
          await absent(second, "only-one");
        }),
      );
    },
  },
  {
    name: "what was written is there at the next mount",
    needs: ["mountable"],
    async run(driver, { withMounts }) {
      await layer(driver, withMounts, "base", undefined, write("below", "base"));
      for (const [key, parent] of [
        ["alone", undefined],
        ["child", "base"],
      ] as const) {
        await withMounts(await driver.prepare(key, parent), write("file", key));
        await withMounts(await driver.mounts(key), async (root) => assert.equal(await read(root, "file"), key));
      }
    },
  },
  layered("a deleted file stays deleted", {
    base: files({ name: "a", data: "x" }, { name: "b", data: "x" }, { name: "d/", type: "5" }, { name: "d/c", data: "x" }),
    change: (root) => Promise.all([rm(join(root, "a")), rm(join(root, "d/c"))]),
    async look(root) {
      await absent(root, "a");
      await absent(root, "d/c");
      assert.deepEqual(await names(root, "."), ["b", "d"]);
      assert.deepEqual(await names(root, "d"), []);
    },
  }),
  layered("a deleted directory stays deleted", {
    base: files({ name: "d/", type: "5" }, { name: "d/e/", type: "5" }, { name: "d/e/f", data: "x" }, { name: "kept", data: "x" }),
    change: (root) => rm(join(root, "d"), { recursive: true }),
    async look(root) {
      await absent(root, "d");
      await absent(root, "d/e/f");
      assert.deepEqual(await names(root, "."), ["kept"]);
    },
  }),
  layered("a directory deleted and made again shows nothing of the old one", {
    base: files({ name: "d/", type: "5", mode: 0o700 }, { name: "d/old", data: "x" }, { name: "d/same", data: "old" }),
    async change(root) {
      await rm(join(root, "d"), { recursive: true });
      await mkdir(join(root, "d"));
      await write("d/same", "new")(root);
    },
    async look(root) {
      assert.deepEqual(await names(root, "d"), ["same"]);
      assert.equal(await read(root, "d/same"), "new");
      assert.equal(await bits(root, "d"), "755");
    },
  }),
  layered("a file becomes a directory, and a directory a file", {
    base: files({ name: "file", data: "x" }, { name: "directory/", type: "5" }, { name: "directory/child", data: "x" }),
    async change(root) {
      await rm(join(root, "file"));
      await mkdir(join(root, "file"));
      await write("file/child", "new")(root);
      await rm(join(root, "directory"), { recursive: true });
      await write("directory", "new")(root);
    },
    async look(root) {
      assert.equal(await read(root, "file/child"), "new");
      assert.equal(await read(root, "directory"), "new");
    },
  }),
  layered("a file from below that is changed keeps all else", {
    base: (root) =>
      unpack(root, [{ name: "file", mode: 0o4751, uid: 12, gid: 34, mtime: 1_500_000_000, data: "old", xattrs: { "user.note": "kept" } }]),
    async change(root) {
      await appendFile(join(root, "file"), " and new");
      await chmod(join(root, "file"), 0o751);
      await utimes(join(root, "file"), 1_600_000_000, 1_600_000_000);
    },
    async look(root) {
      const { uid, gid, mtimeMs } = await stat(join(root, "file"));
      assert.deepEqual(
        [await read(root, "file"), uid, gid, mtimeMs, await bits(root, "file")],
        ["old and new", 12, 34, 1_600_000_000_000, "751"],
      );
      assert.equal(await xattr(root, "file", "user.note"), "kept");
    },
  }),
  layered("only the mode or the owner of a file from below changes", {
    base: files(
      { name: "mode", mode: 0o600, data: "data" },
      { name: "owner", data: "data", mode: 0o640 },
      { name: "d/", type: "5" },
      { name: "d/f", data: "x" },
    ),
    async change(root) {
      await chmod(join(root, "mode"), 0o644);
      await chown(join(root, "owner"), 12, 34);
      await chmod(join(root, "d"), 0o1777);
    },
    async look(root) {
      assert.equal(await bits(root, "mode"), "644");
      const { uid, gid } = await stat(join(root, "owner"));
      assert.deepEqual([uid, gid, await bits(root, "owner"), await read(root, "owner")], [12, 34, "640", "data"]);
      assert.deepEqual([await bits(root, "d"), await names(root, "d")], ["1777", ["f"]]);
    },
  }),
  layered("a file from below is renamed", {
    base: files({ name: "from", data: "moved", mode: 0o640 }, { name: "over", data: "old" }),
    change: (root) => rename(join(root, "from"), join(root, "over")),
    async look(root) {
      await absent(root, "from");
      assert.deepEqual([await read(root, "over"), await bits(root, "over")], ["moved", "640"]);
    },
  }),
  layered("a directory from below is renamed", {
    base: files(
      { name: "from/", type: "5" },
      { name: "from/sub/", type: "5" },
      { name: "from/sub/file", data: "moved" },
      { name: "from/gone", data: "x" },
    ),
    async change(root) {
      await rm(join(root, "from/gone"));
      await move(root, "from", "to");
      await mkdir(join(root, "from"));
      await write("from/new", "new")(root);
    },
    async look(root) {
      assert.deepEqual([await names(root, "from"), await names(root, "to"), await names(root, "to/sub")], [["new"], ["sub"], ["file"]]);
      assert.equal(await read(root, "to/sub/file"), "moved");
    },
  }),
  layered("the root directory keeps its mode and its owner", {
    base: (root) => Promise.all([chown(root, 12, 34), chmod(root, 0o1751)]),
    change: write("file", "x"),
    async look(root) {
      const { uid, gid } = await stat(root);
      assert.deepEqual([uid, gid, await bits(root, ".")], [12, 34, "1751"]);
    },
  }),
  layered("a link from below is replaced, and its target left alone", {
    base: files({ name: "target", data: "target" }, { name: "link", type: "2", linkname: "target" }),
    async change(root) {
      await rm(join(root, "link"));
      await write("link", "file now")(root);
    },
    async look(root) {
      assert.deepEqual([await read(root, "link"), await read(root, "target")], ["file now", "target"]);
      await assert.rejects(readlink(join(root, "link")), { code: "EINVAL" });
    },
  }),
  ...[120, 500].map(
    (depth): Case<StorageDriver> => ({
      name: `a stack of ${depth} layers`,
      needs: ["mountable"],
      async run(driver, { withMounts }) {
        let parent: string | undefined;
        for (let index = 1; index <= depth; index++) {
          const key = await driver.prepare("unpack", parent);
          // Files at both ends, in the middle and where an off-by-one would lose them.
          if ([1, 2, depth / 2, depth - 1, depth].includes(index)) {
            await withMounts(key, async (root) => {
              await write(`file-${index}`, "")(root);
              await write("last", String(index))(root);
            });
          }
          await driver.commit(`sha256:${String(index).padStart(64, "0")}`, "unpack");
          parent = `sha256:${String(index).padStart(64, "0")}`;
        }
        const look: Change = async (root) => {
          assert.deepEqual(await names(root, "."), [...[1, 2, depth / 2, depth - 1, depth].map((index) => `file-${index}`), "last"].sort());
          assert.equal(await read(root, "last"), String(depth));
        };
        await withMounts(await driver.view("view", parent), look);
        await withMounts(await driver.prepare("active", parent), look);
      },
    }),
  ),
];
