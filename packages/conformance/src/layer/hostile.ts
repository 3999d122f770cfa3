import assert from "node:assert/strict";
import { symlink as makeLink, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { isRamekinError } from "@ramekin/core";
import { pieces, rejects, utf8 } from "../expect.ts";
import type { Case } from "../suite.ts";
import { apply, exists, layer } from "./apply.ts";
import { describeTree, type LayersUnderTest, type Scratch } from "./fixture.ts";
import { type Entry, file, folder, hardlink, symlink, tar } from "./tar.ts";

interface Attack {
  /** `outside` is the canary's folder, absolute; `up` the way there from the root, by `..`. */
  entries(outside: string, up: string): readonly Entry[];
  /** Applied first, as a layer of its own. */
  lower?(outside: string, up: string): readonly Entry[];
}

/** A tree outside of the root, which must stay as it is, whether the layer is refused or its names are kept inside. */
async function attack(driver: LayersUnderTest, { entries, lower }: Attack): Promise<void> {
  const scratch = await driver.scratch();
  const outside = await mkdtemp(join(tmpdir(), "ramekin-canary-"));
  try {
    await mkdir(join(outside, "folder"));
    await writeFile(join(outside, "canary"), "alive");
    await writeFile(join(outside, "folder/child"), "alive");
    await makeLink("canary", join(outside, "link"));
    await writeFile(join(dirname(scratch.directory), "neighbour"), "alive");
    // From a root some levels down: more `..` than there are levels ends at the top.
    const up = relative("/", outside).replace(/^/, "../".repeat(40));
    const before = await describeTree(outside);
    const beside = await describeTree(dirname(scratch.directory), { times: false }).then((text) => outsideOf(text, scratch));
    for (const layer of [lower?.(outside, up), entries(outside, up)]) {
      if (layer) await apply(driver, scratch, tar(...layer)).catch(refused);
    }
    assert.equal(await describeTree(outside), before);
    assert.equal(await describeTree(dirname(scratch.directory), { times: false }).then((text) => outsideOf(text, scratch)), beside);
  } finally {
    await rm(outside, { recursive: true, force: true });
  }
}

/** The lines of what is beside the root: `../x` lands there. */
function outsideOf(tree: string, { directory }: Scratch): string {
  const own = directory.slice(dirname(directory).length + 1);
  return tree
    .split("\n")
    .filter((line) => !line.startsWith(`${own}/`) && !line.startsWith(`${own} `))
    .join("\n");
}

/** A refusal is fine, a crash is not. */
function refused(error: unknown): void {
  assert.ok(isRamekinError(error, "DATA_LOSS") || isRamekinError(error, "INVALID_ARGUMENT"), String(error));
}

const attacks: Readonly<Record<string, Attack>> = {
  "names with ..": {
    entries: (outside, up) => [
      file(`${up}/canary`, "dead"),
      file("../beside", "dead"),
      file(`a/../../${up}/canary`, "dead"),
      file("..", "dead"),
      folder("../.."),
      file(`/../..${outside}/canary`, "dead"),
    ],
  },
  "an absolute name": { entries: (outside) => [file(`${outside}/canary`, "dead"), file(`/${outside}/folder/child`, "dead")] },
  "through an absolute link": { entries: (outside) => [symlink("door", outside), file("door/canary", "dead"), file("door/new", "dead")] },
  "through a relative link": { entries: (_, up) => [symlink("door", up), file("door/canary", "dead"), folder("door/made/here")] },
  "through a chain of links": {
    entries: (outside) => [symlink("a", "b"), symlink("b", "c"), symlink("c", outside), file("a/canary", "dead")],
  },
  "through a link of a lower layer": {
    lower: (outside) => [symlink("door", outside)],
    entries: () => [file("door/canary", "dead"), file("door/folder/new", "dead")],
  },
  "onto a link itself": {
    lower: (outside) => [symlink("door", `${outside}/canary`)],
    entries: () => [file("door", "dead", { mode: 0o777 })],
  },
  "a folder onto a link": {
    lower: (outside) => [symlink("door", `${outside}/folder`)],
    entries: () => [folder("door", { mode: 0o700, mtime: 1 }), file("door/child", "dead")],
  },
  "a hard link to a file outside": {
    entries: (outside, up) => [
      hardlink("a", `${outside}/canary`),
      file("a", "dead"),
      hardlink("b", `${up}/canary`),
      hardlink("c", "/etc/hostname"),
      file("b", "dead", { mode: 0 }),
    ],
  },
  "a hard link through a link": { entries: (outside) => [symlink("door", outside), hardlink("a", "door/canary"), file("a", "dead")] },
  "a hard link into a link's folder": { entries: (outside) => [symlink("door", outside), file("a", "x"), hardlink("door/new", "a")] },
  "a hard link to a link that leads out, written through": {
    entries: (outside) => [symlink("door", `${outside}/canary`), hardlink("second", "door"), file("second", "dead")],
  },
  "a whiteout through a link": {
    lower: (outside) => [symlink("door", outside)],
    entries: () => [file("door/.wh.canary"), file("door/.wh.folder")],
  },
  "an opaque mark through a link": {
    lower: (outside) => [symlink("door", outside)],
    entries: () => [file("door/.wh..wh..opq"), file("door/folder/.wh..wh..opq")],
  },
  "whiteouts of . and .., and of nothing": {
    entries: () => [file(".wh.."), file(".wh..."), file(".wh."), file("a/.wh..."), file("a/.wh...")],
  },
  "whiteouts with a slash in their name": { entries: (_, up) => [file(`.wh.${up}/canary`), file(`x/.wh.../../${up}/canary`)] },
  "a link in the root's place": {
    entries: (outside) => [
      symlink(".", outside),
      symlink("./", outside),
      symlink("/", outside),
      file("canary", "dead"),
      file("new", "dead"),
    ],
  },
  "a link changed while it is used": {
    entries: (outside) => [
      folder("door"),
      file("door/a", "x"),
      file(".wh.door"),
      symlink("door", outside),
      file("door/canary", "dead"),
      folder("door/folder", { mode: 0o711 }),
    ],
  },
  "links by magic": {
    entries: (outside, up) => [
      symlink("root", "/proc/self/root"),
      symlink("cwd", "/proc/self/cwd"),
      file(`root${outside}/canary`, "dead"),
      file(`cwd/${up}/canary`, "dead"),
    ],
  },
  "names in a PAX header": {
    entries: (outside, up) => [
      file("x", "dead", { pax: { path: `${up}/canary` } }),
      hardlink("y", "x"),
      { ...hardlink("z", "x"), pax: { linkpath: `${outside}/canary` } },
      file("z", "dead"),
    ],
  },
  "attributes through a link": {
    entries: (outside) => [
      symlink("door", `${outside}/canary`),
      { ...symlink("door", `${outside}/canary`), mode: 0o777, mtime: 5, uid: 7, gid: 7, pax: { "SCHILY.xattr.user.x": "dead" } },
    ],
  },
};

const bomb = "a".repeat(100_000);

/** Layers by people who mean harm, and layers that are broken. */
export const hostile: readonly Case<LayersUnderTest>[] = [
  ...Object.entries(attacks).map(([name, what]) => ({
    name: `no way out: ${name}`,
    run: (driver: LayersUnderTest) => attack(driver, what),
  })),
  {
    name: "loops of links end",
    async run(driver) {
      const scratch = await driver.scratch();
      await apply(driver, scratch, tar(symlink("a", "b"), symlink("b", "a"), file("a/file", "x"))).catch(refused);
    },
  },
  {
    name: "a layer that is cut off is corrupt",
    async run(driver) {
      const bytes = tar(file("a", "x".repeat(5000)), file("b", "y".repeat(5000)));
      for (const length of [0, 100, 512, 2000, 5632, 6500, 11_000]) {
        const scratch = await driver.scratch();
        const { descriptor } = layer(bytes);
        await rejects(driver.apply(scratch.mounts, pieces(bytes.subarray(0, length)), descriptor), "DATA_LOSS");
      }
      for (const compression of ["gzip", "zstd"] as const) {
        const { blob, descriptor } = layer(bytes, compression);
        await rejects(
          driver.apply((await driver.scratch()).mounts, pieces(blob.subarray(0, blob.byteLength - 5)), descriptor),
          "DATA_LOSS",
        );
      }
    },
  },
  {
    name: "a tar that ends in the middle of a file is corrupt, though its digest is right",
    async run(driver) {
      const whole = tar(file("a", "x".repeat(5000)));
      await rejects(apply(driver, await driver.scratch(), whole.subarray(0, 2000)), "DATA_LOSS");
      await rejects(apply(driver, await driver.scratch(), whole.subarray(0, 300)), "DATA_LOSS");
    },
  },
  {
    name: "another digest or size than the descriptor's is corrupt",
    async run(driver) {
      const bytes = tar(file("a", "x"));
      const { descriptor } = layer(bytes);
      const wrong = layer(tar(file("b", "x"))).descriptor.digest;
      await rejects(apply(driver, await driver.scratch(), bytes, { descriptor: { digest: wrong } }), "DATA_LOSS");
      await rejects(apply(driver, await driver.scratch(), bytes, { descriptor: { size: descriptor.size - 1 } }), "DATA_LOSS");
      await rejects(apply(driver, await driver.scratch(), bytes, { descriptor: { size: descriptor.size + 1 } }), "DATA_LOSS");
    },
  },
  {
    name: "what is no tar is corrupt",
    async run(driver) {
      for (const text of ["not a tar", "x".repeat(2000)]) await rejects(apply(driver, await driver.scratch(), utf8(text)), "DATA_LOSS");
      const { descriptor } = layer(tar(), "gzip");
      const plain = layer(tar());
      await rejects(
        driver.apply((await driver.scratch()).mounts, pieces(plain.blob), { ...plain.descriptor, mediaType: descriptor.mediaType }),
        "DATA_LOSS",
      );
    },
  },
  {
    name: "a header with a wrong checksum is corrupt",
    async run(driver) {
      const bytes = Buffer.from(tar(file("a", "x"), file("b", "y")));
      bytes[1024 + 3] = 65;
      await rejects(apply(driver, await driver.scratch(), bytes), "DATA_LOSS");
    },
  },
  {
    name: "impossible sizes are corrupt",
    async run(driver) {
      for (const size of ["99999999999999999999999", "-1", "9223372036854775807", "1e3"]) {
        await rejects(apply(driver, await driver.scratch(), tar(file("a", "x", { pax: { size } }))), "DATA_LOSS", "RESOURCE_EXHAUSTED");
      }
    },
  },
  {
    name: "malformed PAX headers are corrupt",
    async run(driver) {
      for (const body of ["5 a", "99999999 path=x\n", "x\n", "0 path=a\n", "-5 path=a\n"]) {
        const bytes = Buffer.from(tar(file("x", body), file("a", "a")));
        bytes.write("x", 156, "latin1");
        bytes.fill(0x20, 148, 156);
        bytes.write(
          `${bytes
            .subarray(0, 512)
            .reduce((sum, byte) => sum + byte, 0)
            .toString(8)
            .padStart(6, "0")}\0 `,
          148,
          "latin1",
        );
        await rejects(apply(driver, await driver.scratch(), bytes), "DATA_LOSS", "INVALID_ARGUMENT");
      }
    },
  },
  {
    name: "more bytes than the limit are refused",
    async run(driver) {
      const bytes = tar(file("bomb", bomb), file("b", bomb));
      const scratch = await driver.scratch();
      await rejects(apply(driver, scratch, bytes, { limits: { size: 50_000 } }), "RESOURCE_EXHAUSTED");
      await apply(driver, await driver.scratch(), bytes, { limits: { size: bytes.byteLength } });
      const packed = layer(bytes, "gzip");
      await rejects(
        driver.apply((await driver.scratch()).mounts, pieces(packed.blob), packed.descriptor, { limits: { size: 50_000 } }),
        "RESOURCE_EXHAUSTED",
      );
    },
  },
  {
    name: "more entries than the limit are refused",
    async run(driver) {
      const entries = Array.from({ length: 20 }, (_, index) => file(`f${index}`));
      await rejects(apply(driver, await driver.scratch(), tar(...entries), { limits: { entries: 19 } }), "RESOURCE_EXHAUSTED");
      await apply(driver, await driver.scratch(), tar(...entries), { limits: { entries: 20 } });
    },
  },
  {
    name: "what is compressed in a way that nobody knows is unsupported",
    async run(driver) {
      const scratch = await driver.scratch();
      await rejects(
        apply(driver, scratch, tar(), { descriptor: { mediaType: "application/vnd.oci.image.layer.v1.tar+lzma" } }),
        "UNSUPPORTED",
      );
      await rejects(apply(driver, scratch, tar(), { descriptor: { mediaType: "text/plain" } }), "UNSUPPORTED");
    },
  },
  {
    name: "a signal ends it",
    async run(driver) {
      const stop = new AbortController();
      const scratch = await driver.scratch();
      const bytes = tar(file("a", "x"));
      const stuck = (async function* () {
        yield bytes.subarray(0, 600);
        setTimeout(() => stop.abort(), 50);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      })();
      const started = Date.now();
      await rejects(apply(driver, scratch, bytes, { source: stuck, signal: stop.signal }), "CANCELLED");
      assert.ok(Date.now() - started < 5000);
      await rejects(apply(driver, scratch, bytes, { signal: AbortSignal.abort() }), "CANCELLED");
      assert.ok(!(await exists(join(scratch.directory, "a.tmp"))));
    },
  },
  {
    name: "the source's own error comes through",
    async run(driver) {
      const broken = new Error("the line went dead");
      const bytes = tar(file("a", bomb));
      const source = (async function* () {
        yield bytes.subarray(0, 5000);
        throw broken;
      })();
      await assert.rejects(apply(driver, await driver.scratch(), bytes, { source }), (error) => error === broken);
    },
  },
];
