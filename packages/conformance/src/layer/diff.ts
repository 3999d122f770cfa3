import assert from "node:assert/strict";
import { appendFile, chmod, link, symlink as makeLink, mkdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { collect, digestFor, pieces, rejects, sameBytes } from "../expect.ts";
import type { Case } from "../suite.ts";
import { applied, apply } from "./apply.ts";
import { describeTree, type LayersUnderTest, type Scratch } from "./fixture.ts";
import { file, folder, hardlink, readTar, symlink } from "./tar.ts";

const base = [
  folder("etc", { mtime: 10 }),
  file("etc/hosts", "hosts", { mtime: 20 }),
  file("etc/passwd", "root", { mtime: 20, mode: 0o600 }),
  folder("dir", { mtime: 30 }),
  folder("dir/sub", { mtime: 30 }),
  file("dir/sub/file", "deep", { mtime: 40 }),
  symlink("link", "etc/hosts"),
  hardlink("hard", "etc/hosts"),
];

/** The same lower tree twice, the second changed. */
async function changed(driver: LayersUnderTest, change: (directory: string) => Promise<void>): Promise<{ lower: Scratch; upper: Scratch }> {
  const lower = await applied(driver, base);
  const upper = await applied(driver, base);
  await change(upper.directory);
  return { lower, upper };
}

const diff = async (driver: LayersUnderTest, lower: Scratch, upper: Scratch) => collect(driver.diff!(lower.mounts, upper.mounts));

const names = async (driver: LayersUnderTest, lower: Scratch, upper: Scratch) =>
  readTar(await diff(driver, lower, upper))
    .map(({ name }) => name.replace(/^\.?\//, ""))
    .filter((name) => name !== "" && name !== ".")
    .sort();

/** All kinds of changes at once. */
async function everything(directory: string): Promise<void> {
  const at = (name: string) => join(directory, name);
  await writeFile(at("etc/hosts.new"), "new");
  await rename(at("etc/hosts.new"), at("etc/hosts"));
  await rm(at("etc/passwd"));
  await rm(at("dir/sub"), { recursive: true });
  await writeFile(at("dir/sub"), "now a file");
  await rm(at("link"));
  await mkdir(at("link"));
  await writeFile(at("link/inside"), "x", { mode: 0o400 });
  await link(at("link/inside"), at("link/twin"));
  await makeLink("../nowhere", at("dir/dangling"));
  await mkdir(at("new/deep"), { recursive: true });
  await writeFile(at(`new/${"long".repeat(40)}`), "long name");
  await chmod(at("new"), 0o1770);
}

export const diffing: readonly Case<LayersUnderTest>[] = [
  {
    name: "equal trees have no difference",
    needs: ["diff"],
    async run(driver) {
      const [lower, upper] = [await applied(driver, base), await applied(driver, base)];
      assert.deepEqual(await names(driver, lower, upper), []);
    },
  },
  {
    name: "everything is new over nothing",
    needs: ["diff"],
    async run(driver) {
      const [lower, upper] = [await driver.scratch(), await applied(driver, base)];
      const found = (await names(driver, lower, upper)).map((name) => name.replace(/\/$/, ""));
      assert.deepEqual(found, ["dir", "dir/sub", "dir/sub/file", "etc", "etc/hosts", "etc/passwd", "hard", "link"]);
    },
  },
  {
    name: "what was added, changed and taken away, and nothing else",
    needs: ["diff"],
    async run(driver) {
      const { lower, upper } = await changed(driver, async (directory) => {
        await writeFile(join(directory, "etc/added"), "added");
        await appendFile(join(directory, "dir/sub/file"), "!");
        await rm(join(directory, "etc/passwd"));
        await rm(join(directory, "link"));
      });
      const found = await names(driver, lower, upper);
      const files = found.filter((name) => !name.endsWith("/"));
      assert.deepEqual(files, [".wh.link", "dir/sub/file", "etc/.wh.passwd", "etc/added"]);
    },
  },
  {
    name: "a folder taken away is one whiteout",
    needs: ["diff"],
    async run(driver) {
      const { lower, upper } = await changed(driver, (directory) => rm(join(directory, "dir/sub"), { recursive: true }));
      assert.deepEqual(
        (await names(driver, lower, upper)).filter((name) => !name.endsWith("/")),
        ["dir/.wh.sub"],
      );
    },
  },
  {
    name: "another mode is a change",
    needs: ["diff"],
    async run(driver) {
      const { lower, upper } = await changed(driver, (directory) => chmod(join(directory, "etc/passwd"), 0o644));
      const entry = readTar(await diff(driver, lower, upper)).find(({ name }) => name.endsWith("passwd"));
      assert.deepEqual([entry?.mode, String(entry?.content)], [0o644, "root"]);
    },
  },
  {
    name: "other bytes of the same length are a change",
    needs: ["diff"],
    async run(driver) {
      const { lower, upper } = await changed(driver, async (directory) => {
        await writeFile(join(directory, "etc/passwd"), "toor");
        await utimes(join(directory, "etc/passwd"), 21, 21);
      });
      assert.ok((await names(driver, lower, upper)).includes("etc/passwd"));
    },
  },
  {
    name: "hard links stay hard links",
    needs: ["diff"],
    async run(driver) {
      const found = readTar(await diff(driver, await driver.scratch(), await applied(driver, base)));
      const links = found
        .filter(({ type }) => type === "1")
        .map(({ name, linkname }) => [name, linkname].map((text) => text.replace(/^\.?\//, "")));
      assert.deepEqual(links, [["hard", "etc/hosts"]]);
    },
  },
  {
    name: "the same trees make the same bytes, whatever order they were made in",
    needs: ["diff"],
    async run(driver) {
      const fresh = [
        folder("z", { mtime: 1 }),
        file("a", "1", { mtime: 2 }),
        file("m", "2", { mtime: 3 }),
        symlink("b", "a"),
        file("z/y", "3", { mtime: 4 }),
        file("z/x", "4", { mtime: 5 }),
      ];
      const marked = fresh.map((entry) => ({ mtime: 9, ...entry }));
      const top = folder(".", { mtime: 7 });
      const one = await applied(driver, [top, ...marked]);
      const two = await applied(driver, [...marked.slice().reverse(), folder("z", { mtime: 1 }), top]);
      const empty = await driver.scratch();
      sameBytes(await diff(driver, empty, two), await diff(driver, empty, one));
      sameBytes(await diff(driver, empty, one), await diff(driver, empty, one));
    },
  },
  {
    name: "applying the difference gives the other tree",
    needs: ["diff"],
    async run(driver) {
      const { lower, upper } = await changed(driver, everything);
      const bytes = await diff(driver, lower, upper);
      const expected = await describeTree(upper.directory);
      const result = await apply(driver, lower, bytes);
      assert.equal(result.diffID, digestFor(bytes));
      assert.equal(await describeTree(lower.directory), expected);
    },
  },
  {
    name: "neither tree is altered",
    needs: ["diff"],
    async run(driver) {
      const { lower, upper } = await changed(driver, everything);
      const before = [await describeTree(lower.directory), await describeTree(upper.directory)];
      await diff(driver, lower, upper);
      assert.deepEqual([await describeTree(lower.directory), await describeTree(upper.directory)], before);
    },
  },
  {
    name: "a signal ends the stream",
    needs: ["diff"],
    async run(driver) {
      const stop = new AbortController();
      const upper = await driver.scratch();
      await writeFile(join(upper.directory, "big"), new Uint8Array(64 << 20));
      const stream = driver.diff!((await driver.scratch()).mounts, upper.mounts, { signal: stop.signal });
      await rejects(
        (async () => {
          for await (const _ of stream) stop.abort();
        })(),
        "CANCELLED",
      );
    },
  },
  {
    name: "a large tree goes there and back",
    needs: ["diff"],
    async run(driver) {
      const entries = Array.from({ length: 1500 }, (_, index) =>
        file(`d${index % 40}/f${index}`, `content ${index}`, { mtime: index, mode: index % 2 ? 0o644 : 0o755 }),
      );
      const tree = await applied(driver, entries);
      const empty = await driver.scratch();
      const bytes = await diff(driver, empty, tree);
      const back = await driver.scratch();
      await apply(driver, back, bytes, { source: pieces(bytes, 5000) });
      assert.equal(await describeTree(back.directory), await describeTree(tree.directory));
    },
  },
];
