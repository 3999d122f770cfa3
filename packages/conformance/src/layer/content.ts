import assert from "node:assert/strict";
import { lstat, readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { tarEnd } from "@ramekin/archive";
import { collect, digestFor, pieces, pseudoRandom, sameBytes, utf8 } from "../expect.ts";
import type { Case } from "../suite.ts";
import { applied, apply, layer } from "./apply.ts";
import type { LayersUnderTest } from "./fixture.ts";
import { file, folder, hardlink, member, readTar, symlink, tar } from "./tar.ts";

/** What a layer adds arrives as it was. */
export const content: readonly Case<LayersUnderTest>[] = [
  {
    name: "files, folders and links arrive as they were",
    async run(driver) {
      const scratch = await driver.scratch();
      const bytes = tar(
        folder("etc", { mode: 0o750, mtime: 1_000_000_000 }),
        file("etc/hosts", "127.0.0.1 localhost\n", { mode: 0o640, mtime: 1_234_567_890 }),
        symlink("etc/link", "hosts"),
        file("empty", ""),
      );
      const result = await apply(driver, scratch, bytes);
      assert.deepEqual(result, { diffID: digestFor(bytes), size: bytes.byteLength });
      const at = (name: string) => join(scratch.directory, name);
      assert.equal(await readFile(at("etc/hosts"), "utf8"), "127.0.0.1 localhost\n");
      const [hosts, etc] = [await lstat(at("etc/hosts")), await lstat(at("etc"))];
      assert.deepEqual([hosts.mode & 0o7777, hosts.mtimeMs], [0o640, 1_234_567_890_000]);
      assert.deepEqual([etc.mode & 0o7777, etc.mtimeMs], [0o750, 1_000_000_000_000]);
      assert.equal(await readlink(at("etc/link")), "hosts");
      assert.equal((await lstat(at("empty"))).size, 0);
    },
  },
  {
    name: "gzip and zstd layers have the diff id of their content",
    async run(driver) {
      const bytes = tar(file("a", pseudoRandom(300_000)), file("b", "text ".repeat(10_000)));
      for (const compression of ["gzip", "zstd"] as const) {
        const scratch = await driver.scratch();
        const { blob, descriptor } = layer(bytes, compression);
        const result = await driver.apply(scratch.mounts, pieces(blob, 10_007), descriptor);
        assert.deepEqual(result, { diffID: digestFor(bytes), size: bytes.byteLength });
        sameBytes(await readFile(join(scratch.directory, "a")), pseudoRandom(300_000));
      }
    },
  },
  {
    name: "an empty layer changes nothing",
    async run(driver) {
      const scratch = await applied(driver, [file("kept", "kept")]);
      const result = await apply(driver, scratch, tar());
      assert.deepEqual(result, { diffID: digestFor(tar()), size: 1024 });
      assert.deepEqual(await readdir(scratch.directory), ["kept"]);
    },
  },
  {
    name: "padding behind the end belongs to the diff id",
    async run(driver) {
      const scratch = await driver.scratch();
      const bytes = Buffer.concat([tar(file("a", "a")), new Uint8Array(9 * 1024)]);
      assert.deepEqual(await apply(driver, scratch, bytes), { diffID: digestFor(bytes), size: bytes.byteLength });
    },
  },
  {
    name: "folders that no entry makes are made",
    async run(driver) {
      const { directory } = await applied(driver, [file("a/b/c", "deep")]);
      assert.equal(await readFile(join(directory, "a/b/c"), "utf8"), "deep");
      assert.equal((await lstat(join(directory, "a/b"))).mode & 0o7777, 0o755);
    },
  },
  {
    name: "names with a dot, a slash or two in front mean the same",
    async run(driver) {
      const { directory } = await applied(driver, [
        file("./a", "1"),
        file("/b", "2"),
        file(".//c//d", "3"),
        file("./e/./f", "4"),
        folder("./"),
      ]);
      assert.deepEqual(await Promise.all(["a", "b", "c/d", "e/f"].map((name) => readFile(join(directory, name), "utf8"))), [
        "1",
        "2",
        "3",
        "4",
      ]);
    },
  },
  {
    name: "an entry for the root sets the root's attributes",
    async run(driver) {
      const { directory } = await applied(driver, [folder(".", { mode: 0o711 }), file("a", "a")]);
      assert.equal((await stat(directory)).mode & 0o7777, 0o711);
    },
  },
  {
    name: "long names and long targets",
    async run(driver) {
      const deep = Array.from({ length: 20 }, (_, index) => `${index}${"n".repeat(60)}`).join("/");
      const widest = "w".repeat(255);
      const { directory } = await applied(driver, [
        file(`${deep}/file`, "deep"),
        file(widest, "wide"),
        symlink("link", deep),
        file(`d/${"x".repeat(99)}`, "99"),
      ]);
      assert.equal(await readFile(join(directory, deep, "file"), "utf8"), "deep");
      assert.equal(await readFile(join(directory, widest), "utf8"), "wide");
      assert.equal(await readlink(join(directory, "link")), deep);
    },
  },
  {
    name: "GNU's long names and long targets",
    async run(driver) {
      const [name, target] = ["n".repeat(200), "t".repeat(300)];
      const long = (type: string, text: string) => {
        const bytes = Buffer.from(member({ name: "././@LongLink", content: `${text}\0` }));
        bytes.write(type, 156, "latin1");
        return checksummed(bytes);
      };
      const bytes = Buffer.concat([
        long("L", name),
        member(file("short", "content")),
        long("K", target),
        long("L", `${name}link`),
        member(symlink("short", "short")),
        tarEnd,
      ]);
      const scratch = await driver.scratch();
      await apply(driver, scratch, bytes);
      assert.equal(await readFile(join(scratch.directory, name), "utf8"), "content");
      assert.equal(await readlink(join(scratch.directory, `${name}link`)), target);
    },
  },
  {
    name: "names are bytes: spaces, line breaks, and what is no text",
    async run(driver) {
      const { directory } = await applied(driver, [
        file(" a b ", "1"),
        file("line\nbreak", "2"),
        file("\u00fc\u4e2d\u{1f600}", "3"),
        file("back\\slash", "4"),
      ]);
      assert.deepEqual((await readdir(directory)).sort(), [" a b ", "back\\slash", "line\nbreak", "\u00fc\u4e2d\u{1f600}"].sort());
      const scratch = await driver.scratch();
      const raw = Buffer.from(member(file("latin-X", "5")));
      raw[6] = 0xff;
      await apply(driver, scratch, Buffer.concat([checksummed(raw), tarEnd]));
      const [found] = await readdir(scratch.directory, { encoding: "buffer" });
      assert.deepEqual([...(found ?? [])], [...Buffer.from("latin-"), 0xff]);
    },
  },
  {
    name: "hard links across folders share their file",
    async run(driver) {
      const { directory } = await applied(driver, [
        file("a/file", "shared"),
        hardlink("b/link", "a/file"),
        hardlink("c", "./a/file"),
        hardlink("d", "/b/link"),
      ]);
      const inodes = await Promise.all(["a/file", "b/link", "c", "d"].map(async (name) => (await lstat(join(directory, name))).ino));
      assert.equal(new Set(inodes).size, 1);
    },
  },
  {
    name: "a hard link to a file of a lower layer",
    async run(driver) {
      const { directory } = await applied(driver, [file("low/file", "low")], [hardlink("high", "low/file")]);
      assert.equal(await readFile(join(directory, "high"), "utf8"), "low");
      assert.equal((await lstat(join(directory, "high"))).ino, (await lstat(join(directory, "low/file"))).ino);
    },
  },
  {
    name: "a hard link to a symbolic link is that link",
    async run(driver) {
      const { directory } = await applied(driver, [symlink("link", "nowhere"), hardlink("second", "link")]);
      assert.equal(await readlink(join(directory, "second")), "nowhere");
    },
  },
  {
    name: "symbolic links are kept as they are, wherever they lead",
    async run(driver) {
      const targets = ["/etc/passwd", "../../../x", "nowhere", "a/../b", "."];
      const { directory } = await applied(
        driver,
        targets.map((target, index) => symlink(`link${index}`, target)),
      );
      for (const [index, target] of targets.entries()) assert.equal(await readlink(join(directory, `link${index}`)), target);
    },
  },
  {
    name: "set-user-id, set-group-id and sticky bits stay",
    async run(driver) {
      const { directory } = await applied(driver, [
        file("su", "x", { mode: 0o4755 }),
        file("sg", "x", { mode: 0o2755 }),
        folder("tmp", { mode: 0o1777 }),
        file("none", "", { mode: 0 }),
      ]);
      const modes = await Promise.all(["su", "sg", "tmp", "none"].map(async (name) => (await lstat(join(directory, name))).mode & 0o7777));
      assert.deepEqual(modes, [0o4755, 0o2755, 0o1777, 0]);
    },
  },
  {
    name: "owners, large ones too",
    needs: ["ownership"],
    async run(driver) {
      const { directory } = await applied(driver, [
        file("a", "", { uid: 1000, gid: 100 }),
        file("b", "", { uid: 3_000_000, gid: 4_000_000_000 }),
        { ...symlink("c", "a"), uid: 7, gid: 8 },
        folder("d", { uid: 5, gid: 6 }),
        file("su", "x", { uid: 1000, gid: 1000, mode: 0o6755 }),
      ]);
      const owners = await Promise.all(
        ["a", "b", "c", "d", "su"].map(async (name) => lstat(join(directory, name)).then(({ uid, gid }) => `${uid}:${gid}`)),
      );
      assert.deepEqual(owners, ["1000:100", "3000000:4000000000", "7:8", "5:6", "1000:1000"]);
      // chown(2) takes these bits away: they have to be set after it.
      assert.equal((await lstat(join(directory, "su"))).mode & 0o7777, 0o6755);
    },
  },
  {
    name: "times before 1970, and between two seconds",
    async run(driver) {
      const { directory } = await applied(driver, [
        file("old", "", { mtime: -86_400 }),
        file("fine", "", { mtime: 1_500_000_000.25 }),
        folder("then", { mtime: 5 }),
        file("then/x", ""),
      ]);
      const time = async (name: string) => (await lstat(join(directory, name))).mtimeMs;
      assert.deepEqual([await time("old"), await time("fine"), await time("then")], [-86_400_000, 1_500_000_000_250, 5000]);
    },
  },
  {
    name: "devices and pipes",
    needs: ["ownership"],
    async run(driver) {
      const { directory } = await applied(driver, [
        { name: "null", type: "3", major: 1, minor: 3, mode: 0o666 },
        { name: "disk", type: "4", major: 8, minor: 300 },
        { name: "pipe", type: "6", mode: 0o600 },
      ]);
      const [char, block, pipe] = await Promise.all(["null", "disk", "pipe"].map((name) => lstat(join(directory, name))));
      assert.ok(char?.isCharacterDevice() && char.rdev === 0x103 && (char.mode & 0o7777) === 0o666);
      assert.ok(block?.isBlockDevice() && block.rdev === ((8 << 8) | (300 & 0xff) | ((300 & ~0xff) << 12)), String(block?.rdev));
      assert.ok(pipe?.isFIFO());
    },
  },
  {
    name: "extended attributes and file capabilities",
    needs: ["ownership", "diff"],
    async run(driver) {
      // cap_net_raw+ep, revision 2: capability.h, vfs_cap_data.
      const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
      const { mounts } = await applied(driver, [
        file("ping", "x", { mode: 0o755, pax: { "SCHILY.xattr.security.capability": capability, "SCHILY.xattr.user.note": "a note" } }),
        file("plain", ""),
      ]);
      const empty = await driver.scratch();
      const found = readTar(await collect(driver.diff!(empty.mounts, mounts)));
      const ping = found.find(({ name }) => name === "ping");
      assert.equal(ping?.pax["SCHILY.xattr.user.note"], "a note");
      // As bytes: most of them are no text.
      assert.equal(Buffer.from(ping?.pax["SCHILY.xattr.security.capability"] ?? "").toString("hex"), capability.toString("hex"));
      assert.deepEqual(
        Object.keys(found.find(({ name }) => name === "plain")?.pax ?? {}).filter((key) => key.includes("xattr")),
        [],
      );
    },
  },
  {
    name: "sparse files, as GNU tar writes them",
    async run(driver) {
      const scratch = await driver.scratch();
      await apply(driver, scratch, Buffer.concat([sparse("one", "1.0"), sparse("old", "gnu"), member(file("after", "after")), tarEnd]));
      const expected = Buffer.concat([utf8("head"), new Uint8Array(99_996), utf8("tail"), new Uint8Array(50_000)]);
      for (const name of ["one", "old"]) sameBytes(await readFile(join(scratch.directory, name)), expected, name);
      assert.equal(await readFile(join(scratch.directory, "after"), "utf8"), "after");
    },
  },
];

/** Puts the checksum right after a change. */
export function checksummed(bytes: Buffer): Buffer {
  bytes.fill(0x20, 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

/** `head` at 0, `tail` at 100000, 150004 bytes in all (GNU tar manual, "Storing Sparse Files"). */
function sparse(name: string, format: "1.0" | "gnu"): Uint8Array {
  const data = "headtail";
  if (format === "1.0") {
    const map = "3\n0\n4\n100000\n4\n150004\n0\n".padEnd(512, "\0");
    const pax = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name, "GNU.sparse.realsize": "150004" };
    return member(file(`GNUSparseFile.0/${name}`, map + data, { pax }));
  }
  const bytes = Buffer.from(member(file(name, data)));
  bytes.write("S", 156, "latin1");
  bytes.write("ustar  \0", 257, "latin1");
  bytes.fill(0, 329, 512);
  const number = (value: number, at: number) => bytes.write(value.toString(8).padStart(11, "0"), at, "latin1");
  for (const [index, value] of [0, 4, 100_000, 4, 150_004, 0].entries()) number(value, 386 + index * 12);
  number(150_004, 483);
  return checksummed(bytes);
}
