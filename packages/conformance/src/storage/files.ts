import assert from "node:assert/strict";
import { lstat, mkdir, open, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StorageDriver } from "@ramekin/core";
import type { Case } from "../suite.ts";
import { bits, files, layer, layered, read, write } from "./layered.ts";
import { unpack, xattr } from "./tar.ts";

/** What the files of a layer may be. */
export const fileCases: readonly Case<StorageDriver>[] = [
  layered("hard links are one file", {
    base: files(
      { name: "one", data: "x" },
      { name: "two", type: "1", linkname: "one" },
      { name: "d/", type: "5" },
      { name: "d/three", type: "1", linkname: "one" },
    ),
    async look(root) {
      const [one, two, three] = await Promise.all(["one", "two", "d/three"].map((path) => stat(join(root, path))));
      assert.ok(one && two && three);
      assert.deepEqual([one.nlink, two.ino, three.ino], [3, one.ino, one.ino]);
    },
  }),
  layered("attributes are kept", {
    base: files(
      { name: "file", data: "x", xattrs: { "user.text": "value", "user.empty": "" } },
      { name: "d/", type: "5", xattrs: { "user.text": "directory" } },
    ),
    async look(root) {
      assert.equal(await xattr(root, "file", "user.text"), "value");
      assert.equal(await xattr(root, "file", "user.empty"), "");
      assert.equal(await xattr(root, "d", "user.text"), "directory");
      assert.equal(await xattr(root, "file", "user.none"), undefined);
    },
  }),
  layered("capabilities of a program are kept", {
    // CAP_NET_RAW, permitted and effective: struct vfs_cap_data, version 2.
    base: files({
      name: "ping",
      mode: 0o755,
      data: "x",
      xattrs: { "security.capability": Buffer.from("0100000200200000000000000000000000000000", "hex") },
    }),
    async look(root) {
      assert.equal(
        Buffer.from((await xattr(root, "ping", "security.capability")) ?? "", "latin1").toString("hex"),
        "0100000200200000000000000000000000000000",
      );
    },
  }),
  layered("devices and fifos are kept", {
    base: files({ name: "null", type: "3", device: [1, 3], mode: 0o666 }, { name: "fifo", type: "6", mode: 0o620 }),
    async look(root) {
      const [device, fifo] = await Promise.all([lstat(join(root, "null")), lstat(join(root, "fifo"))]);
      assert.deepEqual([device.isCharacterDevice(), device.rdev, await bits(root, "null")], [true, (1 << 8) | 3, "666"]);
      assert.deepEqual([fifo.isFIFO(), await bits(root, "fifo")], [true, "620"]);
    },
  }),
  layered("setuid, setgid and sticky are kept", {
    base: files(
      { name: "su", mode: 0o4755, uid: 12, data: "x" },
      { name: "wall", mode: 0o2755, gid: 5, data: "x" },
      { name: "tmp/", type: "5", mode: 0o1777 },
      { name: "spool/", type: "5", mode: 0o2775, gid: 8 },
    ),
    async look(root) {
      assert.deepEqual(await Promise.all(["su", "wall", "tmp", "spool"].map((path) => bits(root, path))), ["4755", "2755", "1777", "2775"]);
    },
  }),
  layered("owners and times are kept", {
    base: (root) =>
      unpack(root, [
        { name: "file", uid: 1234, gid: 4321, mtime: 1_234_567_890, data: "x" },
        { name: "link", type: "2", linkname: "file", uid: 1234, gid: 4321, mtime: 1_234_567_891 },
        { name: "high", uid: 65_534, gid: 100_000, mtime: 1, data: "x" },
        { name: "d/", type: "5", uid: 7, gid: 9, mtime: 1_234_567_892 },
      ]),
    async look(root) {
      const look = async (path: string) => {
        const { uid, gid, mtimeMs } = await lstat(join(root, path));
        return [uid, gid, mtimeMs / 1000];
      };
      assert.deepEqual(await Promise.all(["file", "link", "high", "d"].map(look)), [
        [1234, 4321, 1_234_567_890],
        [1234, 4321, 1_234_567_891],
        [65_534, 100_000, 1],
        [7, 9, 1_234_567_892],
      ]);
    },
  }),
  layered("symbolic links are kept as they are", {
    base: files(
      { name: "dangling", type: "2", linkname: "no/such/file" },
      { name: "absolute", type: "2", linkname: "/etc/passwd" },
      { name: "outside", type: "2", linkname: "../../../etc" },
      { name: "long", type: "2", linkname: "x/".repeat(1000) },
    ),
    async look(root) {
      const targets = await Promise.all(["dangling", "absolute", "outside", "long"].map((path) => readlink(join(root, path))));
      assert.deepEqual(targets, ["no/such/file", "/etc/passwd", "../../../etc", "x/".repeat(1000)]);
    },
  }),
  layered("holes take no space", {
    async base(root) {
      const file = await open(join(root, "sparse"), "w");
      await file.write("end", 64 << 20);
      await file.close();
    },
    async look(root) {
      const { size, blocks } = await stat(join(root, "sparse"));
      assert.equal(size, (64 << 20) + 3);
      assert.ok(blocks * 512 < 1 << 20, `${blocks * 512} bytes`);
    },
  }),
  layered("names may be long, deep and odd", {
    async base(root) {
      await write("x".repeat(255), "long")(root);
      await mkdir(join(root, ...Array.from({ length: 15 }, () => "d".repeat(200))), { recursive: true });
      for (const name of ["new\nline", "sp ace", "co:lon,comma", "ünï", "\\", ".wh", "%2f"]) await write(name, name)(root);
    },
    async look(root) {
      assert.equal(await read(root, "x".repeat(255)), "long");
      assert.ok((await stat(join(root, ...Array.from({ length: 15 }, () => "d".repeat(200))))).isDirectory());
      for (const name of ["new\nline", "sp ace", "co:lon,comma", "ünï", "\\", ".wh", "%2f"]) assert.equal(await read(root, name), name);
    },
  }),
  layered("large files are whole", {
    base: (root) => writeFile(join(root, "large"), Buffer.alloc(5 << 20, "0123456789abcdef")),
    async look(root) {
      assert.ok((await readFile(join(root, "large"))).equals(Buffer.alloc(5 << 20, "0123456789abcdef")));
    },
  }),
  {
    name: "a view is read-only",
    needs: ["mountable"],
    async run(driver, { withMounts }) {
      await layer(driver, withMounts, "base", undefined, write("file", "base"));
      await layer(driver, withMounts, "top", "base", write("other", "top"));
      for (const parent of ["base", "top", undefined]) {
        await withMounts(await driver.view(`view of ${parent}`, parent), async (root) => {
          await assert.rejects(writeFile(join(root, "file"), "x"), { code: "EROFS" });
          await assert.rejects(mkdir(join(root, "new")), { code: "EROFS" });
        });
      }
    },
  },
  {
    name: "an active snapshot may be read-only",
    needs: ["mountable"],
    async run(driver, { withMounts }) {
      await layer(driver, withMounts, "base", undefined, write("file", "base"));
      for (const parent of ["base", undefined]) {
        await withMounts(await driver.prepare(`read-only on ${parent}`, parent, { readOnly: true }), async (root) => {
          await assert.rejects(writeFile(join(root, "file"), "x"), { code: "EROFS" });
        });
      }
    },
  },
  {
    name: "a volatile snapshot is as good as another until the machine stops",
    needs: ["mountable"],
    async run(driver, { withMounts }) {
      await layer(driver, withMounts, "base", undefined, write("file", "base"));
      await withMounts(await driver.prepare("a", "base", { volatile: true }), async (root) => {
        await write("file", "changed")(root);
        assert.equal(await read(root, "file"), "changed");
      });
      await driver.commit("top", "a");
      await withMounts(await driver.view("view", "top"), async (root) => assert.equal(await read(root, "file"), "changed"));
    },
  },
];
