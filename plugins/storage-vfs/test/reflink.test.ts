// On a file system that shares blocks: an image of btrfs in a file, mounted over a loop device.

import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cannotMount } from "@ramekin/conformance";
import { copyTree } from "@ramekin/native";
import { afterAll, beforeAll, expect, test } from "vitest";
import { vfsStorage } from "../src/index.ts";

const reason =
  (await cannotMount()) ?? (spawnSync("mkfs.btrfs", ["--version"]).error ? "needs mkfs.btrfs: apt-get install btrfs-progs" : noLoop());
const size = 32 << 20;
const run = promisify(execFile);
let folder: string;
let shared: string;

/** Of a machine whose kernel has no loop devices or no btrfs, as containers often see it. */
function noLoop(): string | undefined {
  if (spawnSync("losetup", ["--find"]).status !== 0) return "no loop device";
  return spawnSync("sh", ["-c", "modprobe -q btrfs; grep -qw btrfs /proc/filesystems"]).status === 0
    ? undefined
    : "this kernel has no btrfs";
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ramekin-reflink-"));
  if (reason !== undefined) return;
  const image = join(folder, "image");
  shared = join(folder, "mounted");
  await mkdir(shared);
  await writeFile(image, "");
  await truncate(image, 512 << 20);
  await run("mkfs.btrfs", ["--quiet", image]);
  await run("mount", ["-o", "loop", image, shared]);
});

afterAll(async () => {
  if (reason === undefined) await run("umount", [shared]);
  await rm(folder, { recursive: true });
});

const free = async () => {
  await run("sync", ["--file-system", shared]);
  const { bavail, bsize } = await statfs(shared);
  return bavail * bsize;
};

test("children share their parent's blocks, and nothing that one of them writes", async ({ skip }) => {
  if (reason !== undefined) return skip(reason);
  const storage = vfsStorage(join(shared, "vfs"));
  const [mount] = await storage.prepare("unpack");
  const content = randomBytes(size);
  await writeFile(join(mount?.source ?? "", "large"), content);
  await storage.commit("base", "unpack");

  const before = await free();
  const children = await Promise.all(["a", "b", "c", "d"].map((key) => storage.prepare(key, "base")));
  expect(before - (await free())).toBeLessThan(size / 4);

  const [first = "", second = ""] = children.map(([own]) => join(own?.source ?? "", "large"));
  await using file = await open(first, "r+");
  await file.write("changed", 1000);
  expect((await readFile(second)).equals(content)).toBe(true);
  expect((await readFile(first)).subarray(1000, 1007).toString()).toBe("changed");
});

test("a copy says whether it shares, and where nothing can be shared it is a copy all the same", async ({ skip }) => {
  if (reason !== undefined) return skip(reason);
  const copy = async (place: string) => {
    const [from, to] = [join(place, "from"), join(place, "to")];
    await Promise.all([mkdir(from), mkdir(to)]);
    await writeFile(join(from, "file"), "content");
    const copied = await copyTree(from, to);
    expect(await readFile(join(to, "file"), "utf8")).toBe("content");
    return copied.shared;
  };
  const elsewhere = join(folder, "memory");
  await mkdir(elsewhere);
  await run("mount", ["-t", "tmpfs", "tmpfs", elsewhere]);
  try {
    expect([await copy(shared), await copy(elsewhere)]).toEqual([true, false]);
  } finally {
    await run("umount", [elsewhere]);
  }
});
