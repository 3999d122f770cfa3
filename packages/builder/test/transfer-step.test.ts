import type { BuildFiles, BuildSession } from "@ramekin/core";
import type { TransferStep } from "@ramekin/dockerfile";
import { expect, test } from "vitest";
import { followLink } from "../src/follow-link.ts";
import { looseFile, type TransferSource } from "../src/source.ts";
import { transferStep } from "../src/transfer-step.ts";
import type { Workbench } from "../src/workbench.ts";
import { FilesInMemory } from "./doubles/files.ts";

const file = (name: string): TransferSource => looseFile(name, Buffer.from(name), { mode: 0o644, mtime: 0 });

const directory = (name: string): TransferSource => ({
  name,
  kind: "directory",
  async *entries() {
    yield { name: "", kind: "directory", mode: 0o755, mtime: 0 };
  },
});

/** Does a COPY to files of which it makes no layer. */
async function copy(files: FilesInMemory, sources: readonly TransferSource[], options: Partial<TransferStep>): Promise<void> {
  const place = async (fill: (files: BuildFiles) => Promise<void>) => void (await fill(files));
  const session = { change: (_: unknown, fill: Parameters<typeof place>[0]) => place(fill), layer: place } as unknown as BuildSession;
  const step = { type: "copy", sources: [], files: [], link: false, parents: false, exclude: [], ...options } as unknown as TransferStep;
  await transferStep({ session } as Workbench, [], step, sources);
}

test("an octal --chmod is that of folders on the way, without set-id bits; no other is, nor that of what is linked", async () => {
  const files = new FilesInMemory({ "/there/": "" });
  await copy(files, [file("a")], { destination: "/there/new/deep/", chmod: "4640" });
  await copy(files, [file("a")], { destination: "/symbolic/", chmod: "u=rwx,go=" });
  await copy(files, [file("a")], { destination: "/linked/", chmod: "640", link: true });
  expect(files.shown("/there", "/there/new", "/there/new/deep", "/there/new/deep/a")).toEqual([
    "755 0:0",
    "640 0:0",
    "640 0:0",
    "4640 0:0 a",
  ]);
  expect(files.shown("/symbolic", "/symbolic/a", "/linked", "/linked/a")).toEqual(["755 0:0", "700 0:0 a", "755 0:0", "640 0:0 a"]);
});

test("a link at the name of a file is written through, inside the root", async () => {
  const files = new FilesInMemory({
    "/file": "old",
    "/deep/er/": "",
    "/short": "->/deep/er",
    "/relative": "->file",
    "/deep/er/up": "->../../../../file",
    "/chain": "->/short/up",
    "/dangling": "->/not/there",
    "/within/link": "->/file",
    "/loop": "->loop",
  });
  await copy(files, [file("chain")], { destination: "/chain" });
  expect(files.shown("/file", "/chain")).toEqual(["644 0:0 chain", "755 0:0 ->/short/up"]);
  await copy(files, [file("relative")], { destination: "/relative" });
  await copy(files, [file("dangling")], { destination: "/dangling" });
  await copy(files, [file("link")], { destination: "/within/" });
  expect(files.shown("/file", "/not/there", "/within/link")).toEqual(["644 0:0 relative", "644 0:0 dangling", "644 0:0 link"]);
  await expect(followLink(files, "/loop")).rejects.toThrow("/loop: too many levels of symbolic links");
});

test("several sources go into a directory that is there, has a slash or comes first", async () => {
  const files = new FilesInMemory({ "/there/": "", "/linked": "->/there" });
  await copy(files, [file("a"), file("b")], { destination: "/there" });
  await copy(files, [file("c"), file("d")], { destination: "/linked" });
  expect(files.shown("/there/a", "/there/b", "/there/c", "/there/d")).toEqual(["644 0:0 a", "644 0:0 b", "644 0:0 c", "644 0:0 d"]);
  await copy(files, [directory("first"), file("b")], { destination: "/first" });
  expect(files.shown("/first", "/first/b")).toEqual(["755 0:0", "644 0:0 b"]);
  for (const sources of [
    [file("a"), file("b")],
    [file("a"), directory("b")],
  ])
    await expect(copy(files, sources, { destination: "/name" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(files.shown("/name")).toEqual([undefined]);
});
