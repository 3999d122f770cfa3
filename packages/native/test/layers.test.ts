import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Descriptor, Digest } from "@ramekin/core";
import { expect, test } from "vitest";
import { applyLayer, changes, copyTree, diffTrees, probeFilesystem, readFile, removeTree, usage } from "../src/index.ts";
import { collect, packed, pieces, scratch } from "./support.ts";

const sha256 = (bytes: Uint8Array): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const bind = (source: string) => [{ type: "bind", source, options: ["rbind", "ro"] }];

/** A small tree, and the layer that it makes. */
function layer(directory: string): { blob: Buffer; tar: Buffer; descriptor: Descriptor } {
  const source = join(directory, "source");
  mkdirSync(join(source, "etc"), { recursive: true });
  writeFileSync(join(source, "etc", "passwd"), "root:x:0:0::/:/bin/sh\n");
  symlinkSync("etc/passwd", join(source, "link"));
  writeFileSync(join(source, "big"), Buffer.alloc(3_000_000, "big"));
  const tar = packed(source);
  const blob = gzipSync(tar);
  return { blob, tar, descriptor: { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: sha256(blob), size: blob.length } };
}

test("a layer is applied from a stream, from a descriptor and from a file, and verified on the way", async () => {
  const directory = scratch();
  const { blob, tar, descriptor } = layer(directory);
  for (const name of ["stream", "descriptor"]) {
    const root = join(directory, name);
    mkdirSync(root);
    writeFileSync(join(directory, "blob"), blob);
    const fd = openSync(join(directory, "blob"), "r");
    const applied = await applyLayer({ directory: root, source: name === "descriptor" ? fd : pieces(blob, 10_000), descriptor });
    closeSync(fd);
    expect(applied).toMatchObject({ diffID: sha256(tar), size: tar.length, implied: [], skipped: { devices: 0, xattrs: 0 } });
    expect(readFileSync(join(root, "etc", "passwd"), "utf8")).toContain("root");
  }
  // Bytes that are a file do not pass through here.
  const unread = async function* (): AsyncGenerator<Uint8Array> {
    yield* pieces(await Promise.reject(new Error("read")), 1);
  };
  const handed = join(directory, "handed");
  mkdirSync(handed);
  const source = Object.assign(unread(), { wholeFile: join(directory, "blob") });
  expect(await applyLayer({ directory: handed, source, descriptor })).toMatchObject({ diffID: sha256(tar) });
  const gone = applyLayer({ directory: handed, source: Object.assign(unread(), { wholeFile: join(directory, "gone") }) });
  await expect(gone).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("gone") });

  const root = join(directory, "wrong");
  mkdirSync(root);
  const wrong = { ...descriptor, digest: sha256(tar) };
  await expect(applyLayer({ directory: root, source: pieces(blob, 10_000), descriptor: wrong })).rejects.toMatchObject({
    code: "DATA_LOSS",
  });
  const limited = applyLayer({ directory: root, source: pieces(blob, 10_000), descriptor, limits: { entries: 2 } });
  await expect(limited).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
});

test("a broken source is told as it is, and a signal ends the process", async () => {
  const directory = scratch();
  const { blob, descriptor } = layer(directory);
  const broken = async function* () {
    yield blob.subarray(0, 1000);
    throw new TypeError("the network is gone");
  };
  await expect(applyLayer({ directory, source: broken(), descriptor })).rejects.toThrow("the network is gone");
  const silent = async function* () {
    yield blob.subarray(0, 1000);
    await new Promise(() => undefined);
  };
  const cancelled = applyLayer({ directory, source: silent(), descriptor, signal: AbortSignal.timeout(200) });
  await expect(cancelled).rejects.toMatchObject({ code: "CANCELLED" });
});

test("a diff is a layer that makes the upper tree of the lower one", async () => {
  const directory = scratch();
  layer(directory);
  const [lower, upper, made] = ["source", "upper", "made"].map((name) => join(directory, name)) as [string, string, string];
  for (const copy of [upper, made]) {
    mkdirSync(copy);
    expect((await copyTree(lower, copy)).entries).toBeGreaterThan(3);
  }
  writeFileSync(join(upper, "etc", "new"), "new");
  await removeTree(upper, "link");
  const { stream, result } = diffTrees(bind(lower), bind(upper));
  const tar = await collect(stream);
  expect(await result).toEqual({ diffID: sha256(tar), size: tar.length });
  await applyLayer({ directory: made, source: pieces(tar, 4096) });
  expect(readFileSync(join(made, "etc", "new"), "utf8")).toBe("new");
  expect(existsSync(join(made, "link"))).toBe(false);

  const again = diffTrees(bind(made), bind(upper));
  expect((await collect(again.stream)).length).toBe(1024);
  const failing = diffTrees(bind(join(directory, "absent")), bind(upper));
  await expect(collect(failing.stream)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("changes are told one by one", async () => {
  const directory = scratch();
  const upper = join(directory, "upper");
  mkdirSync(join(upper, "dir"), { recursive: true });
  writeFileSync(join(upper, "dir", "new\nline"), "");
  const found = [];
  for await (const change of changes(upper, [])) found.push(change);
  expect(found).toEqual([
    { path: "/dir", kind: "added" },
    { path: "/dir/new\nline", kind: "added" },
  ]);
});

test("files are read below the root and nowhere else", async () => {
  const directory = scratch();
  layer(directory);
  const tree = { directory: join(directory, "source") };
  expect(Buffer.from(await readFile(tree, "/link")).toString()).toContain("root");
  symlinkSync("/../../../../etc/hostname", join(tree.directory, "out"));
  await expect(readFile(tree, "out")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(readFile(tree, "etc")).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  await expect(readFile(tree, "big", { maxBytes: 1000 })).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
});

test("usage counts, removal removes, a probe leaves nothing", async () => {
  const directory = scratch();
  layer(directory);
  const { size, inodes } = await usage(join(directory, "source"));
  expect(inodes).toBe(5);
  expect(size).toBeGreaterThanOrEqual(statSync(join(directory, "source", "big")).blocks * 512);
  await removeTree(directory, "source");
  await removeTree(directory, "source");
  const support = await probeFilesystem(directory);
  expect(Object.keys(support)).toEqual(expect.arrayContaining(["overlay", "overlayUser", "lowerdirPlus", "reflink", "xattrUser"]));
  const { readdirSync } = await import("node:fs");
  expect(readdirSync(directory)).toEqual([]);
});
