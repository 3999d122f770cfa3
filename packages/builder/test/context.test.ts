import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { tarEnd, tarHeader, tarPadding } from "@ramekin/archive";
import { IgnoreMatcher } from "@ramekin/dockerfile";
import { afterAll, expect, test } from "vitest";
import { archiveTree } from "../src/archive-tree.ts";
import { type Context, contextOf } from "../src/context.ts";
import { directoryTree } from "../src/directory-tree.ts";
import { readFrom } from "../src/open-context.ts";

const folder = mkdtempSync(join(tmpdir(), "context-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Paths and contents; a link is told by `->`. */
type Files = Readonly<Record<string, string>>;

function directory(name: string, files: Files): string {
  const root = join(folder, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (content.startsWith("->")) symlinkSync(content.slice(2), join(root, path));
    else writeFileSync(join(root, path), content);
  }
  return root;
}

async function* tar(files: Files): AsyncGenerator<Uint8Array> {
  for (const [name, content] of Object.entries(files)) {
    if (content.startsWith("->")) yield tarHeader({ name, type: "2", linkname: content.slice(2) });
    else if (content.startsWith("=>")) yield tarHeader({ name, type: "1", linkname: content.slice(2) });
    else {
      const bytes = Buffer.from(content);
      yield tarHeader({ name, type: "0", size: bytes.byteLength, uid: 12 });
      yield bytes;
      yield tarPadding(bytes.byteLength);
    }
  }
  yield tarEnd;
}

async function archive(name: string, files: Files): Promise<Context> {
  mkdirSync(join(folder, name));
  return contextOf(await archiveTree(tar(files), join(folder, name), {}));
}

const found = async (context: Context, pattern: string) => (await context.find(pattern)).map(({ path, name }) => `${name}=${path}`);
const walked = async (context: Context, path: string) => (await Array.fromAsync(context.walk(path))).map(({ name }) => name);
const withParents = async (context: Context, pattern: string) => {
  const entries = await context.parents(pattern);
  return entries && (await Array.fromAsync(entries)).map(({ name }) => name);
};

const tricks: Files = {
  "in/file": "inside",
  out: "->/etc/hostname",
  up: "->../../../../../etc",
  "in/back": "->../in/file",
  "in/root": "->/in",
  loop: "->loop2",
  loop2: "->loop",
  dangling: "->nowhere",
};

for (const [kind, open] of [
  ["a directory", async () => contextOf(directoryTree(directory("tricks", tricks)))],
  ["an archive", () => archive("tricks-tar", tricks)],
] as const) {
  test(`[BLD-20] links in ${kind} are followed as if it were the whole world, and no further`, async () => {
    const context = await open();
    expect(await found(context, "in/file")).toEqual(["file=in/file"]);
    expect(await found(context, "../../in/file")).toEqual(["file=in/file"]);
    expect(await found(context, "in/back")).toEqual(["back=in/file"]);
    expect(await found(context, "in/root/root/file")).toEqual(["file=in/file"]);
    expect(await found(context, "i*/root")).toEqual(["root=in"]);
    expect(await found(context, "in/root/f*")).toEqual(["file=in/file"]);
    expect(await readFrom(context, "in/back")).toBe("inside");
    for (const nothing of ["out", "up", "up/hostname", "dangling", "in/file/x", "/etc/hostname"])
      expect([nothing, await found(context, nothing)]).toEqual([nothing, []]);
    await expect(context.find("loop/x")).rejects.toThrow("too many levels of symbolic links");
    expect(await walked(context, "in")).toEqual(["", "back", "file", "root"]);
  });
}

test("[BLD-6] --parents: patterns with their directories, from where /./ says", async () => {
  const files = { "a/b/one.txt": "1", "a/b/two.md": "2", "a/c/three.txt": "3", "d/four.txt": "4", top: "5" };
  const context = contextOf(directoryTree(directory("parents", files)));
  expect(await withParents(context, "a/b/one.txt")).toEqual(["a", "a/b", "a/b/one.txt"]);
  expect(await withParents(context, "a/b")).toEqual(["a", "a/b", "a/b/one.txt", "a/b/two.md"]);
  expect(await withParents(context, "a/./b/*.txt")).toEqual(["b", "b/one.txt"]);
  expect(await withParents(context, "**/*.txt")).toEqual(["a", "a/b", "a/b/one.txt", "a/c", "a/c/three.txt", "d", "d/four.txt"]);
  expect(await withParents(context, "a/*/three.txt")).toEqual(["a", "a/c", "a/c/three.txt"]);
  expect(await withParents(context, "./top")).toEqual(["top"]);
  expect(await withParents(context, "a/b/nothing")).toBeUndefined();
  expect(await withParents(context, "nowhere/./x")).toBeUndefined();
});

test("[BLD-20] what .dockerignore leaves out is not there, and a directory comes back with what it takes in again", async () => {
  const files = { "keep/a": "", "drop/b": "", "drop/sub/kept": "", "drop/sub/c": "", "x.log": "" };
  const ignored = new IgnoreMatcher(["drop", "!drop/sub/kept", "*.log"]);
  const context = contextOf(directoryTree(directory("ignored", files)), ignored);
  expect(await walked(context, "")).toEqual(["", "drop", "drop/sub", "drop/sub/kept", "keep", "keep/a"]);
  expect(await found(context, "drop/b")).toEqual([]);
  expect(await found(context, "drop/sub/kept")).toEqual(["kept=drop/sub/kept"]);
  expect(await found(context, "*.log")).toEqual([]);
  expect(await withParents(context, "**")).toEqual(["drop", "drop/sub", "drop/sub/kept", "keep", "keep/a"]);
});

test("names in an archive lead nowhere out of it, and the later of two counts", async () => {
  const context = await archive("hostile", {
    "../../etc/passwd": "mine",
    "/abs": "absolute",
    link: "->/etc",
    "link/below": "in a directory of its own",
    twice: "first",
    "./twice": "second",
    hard: "=>twice",
  });
  expect(await walked(context, "")).toEqual(["", "abs", "etc", "etc/passwd", "hard", "link", "link/below", "twice"]);
  expect(await readFrom(context, "hard")).toBe("second");
  expect(await readFrom(context, "link/below")).toBe("in a directory of its own");
  await expect(archive("hostile-2", { hard: "=>/etc/passwd" })).rejects.toThrow("which is no file before it");
});
