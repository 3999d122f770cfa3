import { utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Digest, Usage } from "@ramekin/core";
import { memoryStorage } from "@ramekin/storage-memory";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "../src/config.ts";
import { takeLease } from "../src/store/leases.ts";
import { pathsOf } from "../src/store/paths.ts";
import { bed, expectError } from "./bed.ts";
import { makeImage } from "./doubles/image.ts";

const kib = 1024;
/** `a` and `b` share a layer. Layers dwarf the documents, which have some 500 bytes an image. */
const base = "x".repeat(100 * kib);
const config = { Cmd: ["true"] };
const a = makeImage({ config, layers: [base, "a".repeat(10 * kib)] });
const b = makeImage({ config, layers: [base, "b".repeat(20 * kib)] });
const c = makeImage({ config, layers: ["c".repeat(40 * kib)] });
const local = { a, b, c };
const layers = { a: 110 * kib, b: 120 * kib, c: 40 * kib };
const bytesOf = ({ blobs }: typeof a) => [...blobs.values()].reduce((sum, { length }) => sum + length, 0);

/** Snapshots that all have this size. */
const weighed = (size: number) => ({ ...memoryStorage(), usage: async (): Promise<Usage> => ({ size, inodes: 1 }) });
async function age(directory: string, days: Readonly<Record<string, number>>) {
  for (const [name, ago] of Object.entries(days)) {
    const time = new Date(Date.now() - ago * 86_400_000);
    await utimes(join(directory, "root", "used", (local[name as "a"].root.digest as Digest).replace(":", "-")), time, time);
  }
}
const namesIn = async ({ engine }: Awaited<ReturnType<typeof bed>>) =>
  (await engine.images()).map(({ name }) => (name as string).replace("docker.io/library/", "").replace(":latest", "")).sort();

test("disk usage: every blob and snapshot once, what images share and have alone, and what could go", async () => {
  await using t = await bed({ local, storage: weighed(1000) });
  await t.engine.unpack("a");
  await t.engine.unpack("b");
  await t.engine.tag("a", "again");
  const container = await t.engine.create({ image: "b", name: "user" });
  const usage = await t.engine.diskUsage();
  const all = bytesOf(a) + bytesOf(b) + bytesOf(c) - base.length + 3000;
  expect(usage.imagesSize).toBe(all);
  expect(usage.imagesReclaimable).toBe(all - bytesOf(b) - 2000);
  const of = (id: Digest) => usage.images.find((image) => image.id === id);
  expect(of(a.root.digest)).toMatchObject({
    names: ["docker.io/library/a:latest", "docker.io/library/again:latest"],
    size: bytesOf(a) + 2000,
    shared: base.length + 1000,
    unique: bytesOf(a) - base.length + 1000,
    containers: [],
  });
  expect(of(b.root.digest)).toMatchObject({ shared: base.length + 1000, containers: [container.id] });
  expect(of(c.root.digest)).toMatchObject({ size: bytesOf(c), shared: 0, unique: bytesOf(c) });
  expect(usage.containers).toMatchObject([{ id: container.id, name: "user", status: "created" }]);
  expect(usage.containers[0]?.size).toBeGreaterThan(1000);
  expect(usage.garbage).toEqual({ blobs: 0, snapshots: 0, size: 0 });
});

test("disk usage tells what is unfinished, what is garbage and what is neither", async () => {
  await using t = await bed({ local: { c }, storage: weighed(1000), remote: { "docker.io/library/a:latest": a } });
  t.registry.cuts = 1000;
  await expectError(t.engine.pull("a", { signal: AbortSignal.timeout(2000) }), "UNAVAILABLE");
  await t.storage.prepare("somebody-else");
  await t.storage.prepare("unpack-00000000-0000-0000-0000-000000000000-0");
  await t.storage.prepare("f".repeat(64));
  const { unfinished, garbage, other, imagesSize } = await t.engine.diskUsage();
  expect(imagesSize).toBe(bytesOf(c));
  expect(unfinished.count).toBeGreaterThan(1);
  expect(unfinished.size).toBeGreaterThan(1000);
  expect(garbage).toMatchObject({ snapshots: 1 });
  expect(other).toEqual({ count: 1, size: 1000 });
});

test("[IMG-11] by size: least recently used first, shared layers stay with who has them, until the limit holds", async () => {
  await using t = await bed({ local });
  await age(t.directory, { a: 3, b: 2, c: 1 });
  expect(await t.engine.gc({ maxUsed: layers.b + layers.c + 20 * kib })).toMatchObject({ images: [] });
  const { images, blobs, reclaimed } = await t.engine.gc({ maxUsed: layers.b + layers.c + 5 * kib });
  expect(images).toEqual([{ id: a.root.digest, names: ["docker.io/library/a:latest"] }]);
  expect(blobs).toHaveLength(3);
  expect(reclaimed).toBe(bytesOf(a) - base.length);
  expect(await namesIn(t)).toEqual(["b", "c"]);
  await t.engine.unpack("b");
});

test("[IMG-11] a use makes an image the last to go; one of a container never goes, and counts", async () => {
  await using t = await bed({ local });
  await age(t.directory, { a: 3, b: 2, c: 1 });
  const container = await t.engine.create({ image: "a" });
  expect((await t.engine.gc({ maxUsed: layers.a + layers.c + 5 * kib })).images.map(({ id }) => id)).toEqual([b.root.digest]);
  expect((await t.engine.gc({ maxUsed: 1 })).images.map(({ id }) => id)).toEqual([c.root.digest]);
  expect(await namesIn(t)).toEqual(["a"]);
  await container.remove();
  await t.engine.gc({ maxUsed: 1 });
  expect(await namesIn(t)).toEqual([]);
});

test("[IMG-11] by age; the last ones and what is reserved stay whatever the limits say", async () => {
  await using t = await bed({ local });
  await age(t.directory, { a: 30, b: 20, c: 10 });
  const day = 86_400_000;
  expect((await t.engine.gc({ maxAge: 31 * day })).images).toEqual([]);
  expect((await t.engine.gc({ maxAge: 5 * day, keepLast: 3 })).images).toEqual([]);
  expect((await t.engine.gc({ maxUsed: 1, reserved: 1 << 30 })).images).toEqual([]);
  expect((await t.engine.gc({ maxAge: 15 * day, keepLast: 2 })).images.map(({ id }) => id)).toEqual([a.root.digest]);
  expect((await t.engine.gc({ keepLast: 1 })).images.map(({ id }) => id)).toEqual([b.root.digest]);
  expect(await namesIn(t)).toEqual(["c"]);
});

test("[IMG-11] free space: nothing goes while there is enough, and as much as is missing otherwise", async () => {
  await using t = await bed({ local });
  await age(t.directory, { a: 3, b: 2, c: 1 });
  expect((await t.engine.gc({ minFree: 1 })).images).toEqual([]);
  expect((await t.engine.gc({ minFree: Number.MAX_SAFE_INTEGER, keepLast: 1 })).images).toHaveLength(2);
  expect(await namesIn(t)).toEqual(["c"]);
});

test("[IMG-11] what is leased stays with its name", async () => {
  await using t = await bed({ local });
  const paths = pathsOf(join(t.directory, "root"), join(t.directory, "run"));
  {
    await using lease = await takeLease(paths);
    await lease.protect(a.root.digest);
    await t.engine.gc({ maxUsed: 1 });
    expect(await namesIn(t)).toEqual(["a"]);
    await t.engine.unpack("a");
  }
  await t.engine.gc({ maxUsed: 1 });
  expect(await namesIn(t)).toEqual([]);
});

async function configured(text: string) {
  const { mkdtemp, mkdir, rm, writeFile } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const home = await mkdtemp(join(tmpdir(), "ramekin-gc-"));
  onTestFinished(() => rm(home, { recursive: true }));
  await mkdir(join(home, "ramekin"));
  await writeFile(join(home, "ramekin", "config.toml"), text);
  return { XDG_CONFIG_HOME: home };
}

test("[IMG-11] with [gc] in config.toml a pull and a load collect by themselves", async () => {
  const environment = await configured('[gc]\nmax-used = "100KB"\n');
  await using t = await bed({ local: { b }, remote: { "docker.io/library/c:latest": c }, environment });
  expect(await namesIn(t), "what has just come stays").toEqual(["b"]);
  await t.engine.pull("c");
  expect(await namesIn(t)).toEqual(["c"]);
  expect(t.warnings).toEqual([]);
});

test.for([
  ["gc = 1", "gc is not a table"],
  ['[gc]\nmax-used = "much"', "gc.max-used is not a size"],
  ['[gc]\nmax-age = "month"', 'gc.max-age is not a duration such as "720h"'],
  ["[gc]\nkeep-last = -1", "gc.keep-last is not a number of images"],
  ["[gc]\nkeep = 1", "gc.keep is not known, but max-used, min-free, reserved, max-age, keep-last are"],
] as const)("a policy that is wrong says where: %s", async ([text, message]) => {
  await expectError(loadConfig(await configured(text), "/nowhere"), "INVALID_ARGUMENT", message);
});

test("a policy as config.toml has it", async () => {
  const text = '[gc]\nmax-used = "20GB"\nmin-free = "1.5 GiB"\nreserved = 5\nmax-age = "1d12h"\nkeep-last = 3\n';
  expect((await loadConfig(await configured(text), "/nowhere"))?.content.gc).toEqual({
    maxUsed: 20 * 2 ** 30,
    minFree: 1.5 * 2 ** 30,
    reserved: 5,
    maxAge: 36 * 3_600_000,
    keepLast: 3,
  });
});

test("containers that do not run are pruned; what runs, is younger or is kept stays", async () => {
  await using t = await bed({ local });
  const run = async (name: string, command: string[], labels = {}) => {
    const container = await t.engine.run({ image: "a", name, command, labels });
    if (command[0] !== "sleep") await container.wait();
    return container.id;
  };
  const ended = await run("ended", ["true"]);
  const kept = await run("kept", ["true"], { keep: "me" });
  await run("runs", ["sleep"]);
  await t.engine.create({ image: "a", name: "just-made" });
  expect((await t.engine.pruneContainers({ until: new Date(0) })).containers).toEqual([]);
  const { containers, reclaimed } = await t.engine.pruneContainers({ keep: ({ labels }) => labels["keep"] !== undefined });
  expect(containers).toEqual([ended]);
  expect(reclaimed).toBeGreaterThan(0);
  expect((await t.engine.containers({ all: true })).map(({ name }) => name).sort()).toEqual(["just-made", "kept", "runs"]);
  expect((await t.engine.pruneContainers()).containers).toEqual([kept]);
  await (await t.engine.container("runs")).remove({ force: true });
});
