import assert from "node:assert/strict";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Case } from "../suite.ts";
import { applied, exists } from "./apply.ts";
import type { LayersUnderTest } from "./fixture.ts";
import { file, folder, hardlink, symlink } from "./tar.ts";

/** What a layer changes and takes away (OCI image spec, layer.md, "Whiteouts"). */
export const changes: readonly Case<LayersUnderTest>[] = [
  {
    name: "a whiteout takes a file away, and leaves no trace of itself",
    async run(driver) {
      const { directory } = await applied(driver, [file("a/gone", "x"), file("a/kept", "x")], [file("a/.wh.gone")]);
      assert.deepEqual(await readdir(join(directory, "a")), ["kept"]);
    },
  },
  {
    name: "a whiteout takes a folder away with all that is in it",
    async run(driver) {
      const { directory } = await applied(
        driver,
        [file("gone/b/c", "x"), symlink("gone/link", "/"), folder("gone/empty"), file("kept", "x")],
        [file(".wh.gone")],
      );
      assert.deepEqual(await readdir(directory), ["kept"]);
    },
  },
  {
    name: "a whiteout takes a link away, and not what it leads to",
    async run(driver) {
      const { directory } = await applied(driver, [file("a/file", "x"), symlink("link", "a")], [file(".wh.link")]);
      assert.deepEqual([await exists(join(directory, "link")), await exists(join(directory, "a/file"))], [false, true]);
    },
  },
  {
    name: "a whiteout of nothing is nothing",
    async run(driver) {
      const { directory } = await applied(driver, [file("kept", "x")], [file(".wh.absent"), file("no/such/.wh.folder")]);
      assert.deepEqual(
        [await exists(join(directory, "kept")), await exists(join(directory, "absent")), await exists(join(directory, ".wh.absent"))],
        [true, false, false],
      );
    },
  },
  {
    name: "a whiteout hides what is below, not what its own layer brings",
    async run(driver) {
      const { directory } = await applied(
        driver,
        [file("before/old", "x"), file("after/old", "x")],
        [file(".wh.before"), file("before/new", "x"), file("after/new", "x"), file(".wh.after")],
      );
      assert.deepEqual(await readdir(join(directory, "before")), ["new"]);
      assert.deepEqual(await readdir(join(directory, "after")), ["new"]);
    },
  },
  {
    name: "an opaque folder hides all that was in it",
    async run(driver) {
      const { directory } = await applied(
        driver,
        [file("d/old", "x"), file("d/sub/old", "x"), file("other", "x")],
        [folder("d", { mode: 0o700 }), file("d/.wh..wh..opq"), file("d/new", "x")],
      );
      assert.deepEqual(await readdir(join(directory, "d")), ["new"]);
      assert.equal((await lstat(join(directory, "d"))).mode & 0o7777, 0o700);
      assert.ok(await exists(join(directory, "other")));
    },
  },
  {
    name: "an opaque mark behind its siblings keeps them",
    async run(driver) {
      const { directory } = await applied(
        driver,
        [file("d/old", "x"), file("d/s/old", "x")],
        [file("d/new", "x"), file("d/s/new", "x"), file("d/.wh..wh..opq")],
      );
      assert.deepEqual((await readdir(join(directory, "d"))).sort(), ["new", "s"]);
      assert.deepEqual(await readdir(join(directory, "d/s")), ["new"]);
    },
  },
  {
    name: "other marks of AUFS are no files",
    async run(driver) {
      const { directory } = await applied(driver, [
        folder(".wh..wh.plnk"),
        file(".wh..wh.plnk/1.2", "x"),
        file(".wh..wh.aufs", ""),
        file("a", "x"),
      ]);
      assert.deepEqual(await readdir(directory), ["a"]);
    },
  },
  {
    name: "a folder that is listed again keeps its children and takes new attributes",
    async run(driver) {
      const { directory } = await applied(
        driver,
        [folder("d", { mode: 0o755 }), file("d/kept", "x")],
        [folder("d", { mode: 0o711, mtime: 77 })],
      );
      const info = await lstat(join(directory, "d"));
      assert.deepEqual([await readdir(join(directory, "d")), info.mode & 0o7777, info.mtimeMs], [["kept"], 0o711, 77_000]);
    },
  },
  {
    name: "a new file takes the place of an old one, and not of its other names",
    async run(driver) {
      const { directory } = await applied(driver, [file("a", "old"), hardlink("b", "a")], [file("a", "new, and longer")]);
      assert.deepEqual(
        [await readFile(join(directory, "a"), "utf8"), await readFile(join(directory, "b"), "utf8")],
        ["new, and longer", "old"],
      );
    },
  },
  {
    name: "anything may take the place of anything",
    async run(driver) {
      const kinds = {
        f: (name: string) => file(name, "file"),
        d: (name: string) => folder(name),
        l: (name: string) => symlink(name, "target"),
      };
      const pairs = Object.entries(kinds).flatMap(([from, old]) =>
        Object.entries(kinds).map(([to, fresh]) => ({ name: `${from}-${to}`, old, fresh })),
      );
      const { directory } = await applied(
        driver,
        [...pairs.map(({ name, old }) => old(name)), file("d-f/child", "x"), file("d-l/child", "x"), file("target/kept", "x")],
        pairs.map(({ name, fresh }) => fresh(name)),
      );
      for (const { name } of pairs) {
        const info = await lstat(join(directory, name));
        assert.equal(info.isDirectory() ? "d" : info.isSymbolicLink() ? "l" : "f", name[2], name);
      }
      assert.deepEqual(await readdir(join(directory, "target")), ["kept"]);
    },
  },
  {
    name: "of two entries with one name the later counts",
    async run(driver) {
      const { directory } = await applied(driver, [
        file("a", "first"),
        file("a", "second"),
        folder("b"),
        symlink("b", "x"),
        symlink("c", "x"),
        file("c", "file"),
      ]);
      assert.deepEqual(
        [
          await readFile(join(directory, "a"), "utf8"),
          (await lstat(join(directory, "b"))).isSymbolicLink(),
          await readFile(join(directory, "c"), "utf8"),
        ],
        ["second", true, "file"],
      );
    },
  },
  {
    name: "a link of a lower layer is followed inside the root",
    async run(driver) {
      const { directory } = await applied(
        driver,
        [folder("usr/lib"), symlink("lib", "usr/lib"), symlink("abs", "/usr/lib")],
        [file("lib/a", "1"), file("abs/b", "2")],
      );
      assert.deepEqual(
        [await readFile(join(directory, "usr/lib/a"), "utf8"), await readFile(join(directory, "usr/lib/b"), "utf8")],
        ["1", "2"],
      );
      assert.ok((await lstat(join(directory, "lib"))).isSymbolicLink());
    },
  },
];
