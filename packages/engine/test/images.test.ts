import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { memoryStorage } from "@ramekin/storage-memory";
import { expect, test } from "vitest";
import type { PullProgress } from "../src/api.ts";
import { bed, expectError } from "./bed.ts";
import { hashingApplier, type MadeImage, makeImage, makeIndex, writeLayout } from "./doubles/image.ts";

const name = "docker.io/library/app:latest";
const app = makeImage({ config: { Cmd: ["true"] }, layers: ["base", "top"] });
const blobsIn = async (directory: string) => (await readdir(join(directory, "root", "images", "blobs", "sha256"))).length;

test("pull: every blob once, the name recorded, the second time nothing moves", async () => {
  await using t = await bed({ remote: { [name]: app } });
  const seen = new Map<string, PullProgress["status"]>();
  const first = await t.engine.pull("app", { onProgress: ({ digest, status }) => seen.set(digest, status) });
  expect(first).toMatchObject({ id: app.root.digest, name, upToDate: false });
  expect(t.registry.fetched).toHaveLength(4);
  expect([...seen.values()]).toEqual(["done", "done", "done", "done"]);
  expect(await t.engine.pull("app")).toMatchObject({ upToDate: true });
  expect(t.registry.fetched).toHaveLength(4);
  expect(JSON.parse(await readFile(join(t.directory, "root", "images", "index.json"), "utf8")).manifests).toMatchObject([
    { digest: app.root.digest, annotations: { "org.opencontainers.image.ref.name": name } },
  ]);
});

test("an index is kept whole, and only this platform's image is fetched", async () => {
  const index = makeIndex({ amd64: app, s390x: makeImage({ architecture: "s390x", layers: ["other"] }) });
  await using t = await bed({ remote: { [name]: index } });
  expect((await t.engine.pull("app", { platform: { os: "linux", architecture: "amd64" } })).id).toBe(index.root.digest);
  expect(t.registry.fetched).toHaveLength(5);
  await expectError(
    t.engine.pull("app", { platform: { os: "linux", architecture: "arm" } }),
    "UNSUPPORTED",
    "no matching manifest for linux/arm in the manifest list entries",
  );
  expect((await t.engine.image("app", { platform: { os: "linux", architecture: "amd64" } })).platform).toMatchObject({
    architecture: "amd64",
  });
});

test("an image for another machine only is unsupported, and the hint says what it is for", async () => {
  await using t = await bed({ local: { foreign: makeImage({ architecture: "s390x", config: { Cmd: ["true"] } }) } });
  const error = await t.engine.create({ image: "foreign" }).catch((reason) => reason);
  expect(error).toMatchObject({ code: "UNSUPPORTED", hint: expect.stringContaining("linux/s390x") });
});

test("a broken connection is taken up where it broke", async () => {
  const large = makeImage({ layers: ["x".repeat(100_000)] });
  await using t = await bed({ remote: { [name]: large } });
  t.registry.cuts = 3;
  await t.engine.pull("app");
  expect(t.registry.fetched.some(([, offset]) => offset > 0)).toBe(true);
  expect((await t.engine.images())[0]?.size).toBeGreaterThan(100_000);
});

test("bytes of a wrong digest are refused, and nothing is recorded", async () => {
  const [digest] = [...app.blobs].find(([, bytes]) => bytes.toString() === "top") as [string, Uint8Array];
  const forged: MadeImage = { ...app, blobs: new Map([...app.blobs, [digest as never, Buffer.from("pot")]]) };
  await using t = await bed({ remote: { [name]: forged } });
  await expectError(t.engine.pull("app"), "DATA_LOSS");
  expect(await t.engine.images()).toEqual([]);
});

test("two pulls of one image share the download", async () => {
  await using t = await bed({ remote: { [name]: app } });
  await using other = await t.open();
  await Promise.all([t.engine.pull("app"), other.pull("app")]);
  expect(new Set(t.registry.fetched.map(([digest]) => digest)).size).toBe(t.registry.fetched.length);
});

test("a cancelled pull says so", async () => {
  await using t = await bed({ remote: { [name]: app } });
  const controller = new AbortController();
  controller.abort();
  await expectError(t.engine.pull("app", { signal: controller.signal }), "CANCELLED");
});

test("what comes embedded needs no registry", async () => {
  await using t = await bed();
  const layout = await writeLayout(join(t.directory, "hello"), { "docker.io/ramekin/hello:latest": app });
  await using engine = await t.open();
  await expectError(engine.pull("ramekin/hello"), "NOT_FOUND");
  await using u = await bed({ embedded: { "docker.io/ramekin/hello:latest": layout } });
  expect((await u.engine.create({ image: "ramekin/hello" })).id).toHaveLength(64);
  expect(u.registry.fetched).toEqual([]);
});

test("load: names as written, in canonical form; from a directory and from a stream", async () => {
  await using t = await bed();
  const layout = await writeLayout(join(t.directory, "layout"), { "app:1": app, "quay.io/a/b:2": makeImage({ layers: ["b"] }) });
  expect((await t.engine.load(layout)).map((info) => info.name)).toEqual(["docker.io/library/app:1", "quay.io/a/b:2"]);
  await expectError(t.engine.load(join(t.directory, "absent")), "NOT_FOUND", "absent");
  await expectError(t.engine.load(createReadStream(join(layout, "index.json"))), "INVALID_ARGUMENT", "neither an OCI nor a docker archive");
  expect((await readdir(join(t.directory, "root"))).filter((entry) => entry.startsWith(".load"))).toEqual([]);
});

test("images are found by name, digest and the beginning of an id", async () => {
  await using t = await bed({ local: { "app:1": app } });
  const hex = app.root.digest.slice(7);
  for (const spelling of [
    "app:1",
    "docker.io/library/app:1",
    `app@${app.root.digest}`,
    app.root.digest,
    hex,
    hex.slice(0, 12),
    `sha256:${hex.slice(0, 6)}`,
  ]) {
    expect((await t.engine.image(spelling)).id, spelling).toBe(app.root.digest);
  }
  await expectError(t.engine.image("app"), "NOT_FOUND", "no such image: app");
  await expectError(t.engine.image("Not/Valid"), "INVALID_ARGUMENT");
});

test("tag gives another name; the last name takes the image with it", async () => {
  await using t = await bed({ local: { "app:1": app } });
  await t.engine.tag("app:1", "app:2");
  expect((await t.engine.image("app:2")).names).toEqual(["docker.io/library/app:1", "docker.io/library/app:2"]);
  await expectError(t.engine.tag("app:1", `app@${app.root.digest}`), "INVALID_ARGUMENT");
  expect(await t.engine.removeImage("app:1")).toEqual([{ untagged: "app:1" }]);
  const removed = await t.engine.removeImage("app:2");
  expect(removed[0]).toEqual({ untagged: "app:2" });
  expect(removed.slice(1).map(({ deleted }) => deleted)).toEqual(expect.arrayContaining([...app.blobs.keys()]));
  expect(await blobsIn(t.directory)).toBe(0);
  expect(await t.engine.images()).toEqual([]);
});

test.each(["removeImage", "pruneImages", "gc", "check"] as const)(
  "%s tells which names went, as they are written everywhere, and of which image",
  async (how) => {
    await using t = await bed({ local: { "app:1": app } });
    if (how === "check")
      for (const digest of app.blobs.keys()) await rm(join(t.directory, "root", "images", "blobs", ...digest.split(":")));
    const since = new Date();
    if (how === "removeImage") await t.engine.removeImage("app:1");
    if (how === "pruneImages") await t.engine.pruneImages({ all: true });
    if (how === "gc") await t.engine.gc({});
    if (how === "check") await t.engine.check({ repair: true });
    const told: unknown[] = [];
    for await (const { type, action, id, attributes } of t.engine.events({ since, until: new Date() })) {
      // That it was loaded may be told of the same millisecond.
      if (type === "image" && action !== "prune" && action !== "load") told.push([action, id, attributes["name"]]);
    }
    expect(told).toEqual([
      ["untag", app.root.digest, "docker.io/library/app:1"],
      ["delete", app.root.digest, undefined],
    ]);
  },
);

test("an id with several names is removed by force only", async () => {
  await using t = await bed({ local: { "app:1": app, "app:2": app } });
  await expectError(t.engine.removeImage(app.root.digest), "FAILED_PRECONDITION", "several names: app:1, app:2");
  await t.engine.removeImage(app.root.digest, { force: true });
  expect(await t.engine.images()).toEqual([]);
});

test("what a container uses stays: no removal, or by force the name alone", async () => {
  await using t = await bed({ local: { app } });
  const container = await t.engine.run({ image: "app", command: ["sleep"] });
  await expectError(
    t.engine.removeImage("app", { force: true }),
    "FAILED_PRECONDITION",
    `container ${container.id.slice(0, 12)} is running on its referenced image`,
  );
  await container.stop();
  await expectError(
    t.engine.removeImage("app"),
    "FAILED_PRECONDITION",
    `container ${container.id.slice(0, 12)} is using its referenced image`,
  );
  await t.engine.removeImage("app", { force: true });
  expect(await blobsIn(t.directory)).toBe(4);
  await (await t.engine.container(container.id)).start();
  await container.remove({ force: true });
  expect((await t.engine.prune()).blobs).toHaveLength(4);
});

test("layers that images share go with the last of them", async () => {
  const other = makeImage({ layers: ["base", "different"] });
  await using t = await bed({ local: { app, other } });
  await t.engine.unpack("app");
  await t.engine.unpack("other");
  await t.engine.removeImage("app");
  const keys: string[] = [];
  for await (const { key } of t.storage.list()) keys.push(key);
  expect(keys).toHaveLength(2);
  await t.engine.create({ image: "other", command: ["true"] });
});

test.for([true, false])("unpack verifies what a layer unpacks to, and leaves nothing half-done (rebase: %s)", async (rebase) => {
  const storage = { ...memoryStorage(), capabilities: { rebase } };
  const applier = {
    apply: async (...args: Parameters<typeof hashingApplier.apply>) => ({
      ...(await hashingApplier.apply(...args)),
      diffID: `sha256:${"0".repeat(64)}` as never,
    }),
  };
  await using t = await bed({ local: { app }, storage, applier });
  await expectError(t.engine.unpack("app"), "DATA_LOSS", "unpacks to sha256:0000");
  const keys: string[] = [];
  for await (const { key } of storage.list()) keys.push(key);
  expect(keys).toEqual([]);
  expect(t.warnings).toEqual([]);
});

test.for([true, false])("two unpackers of one image end up with one set of snapshots (rebase: %s)", async (rebase) => {
  const storage = { ...memoryStorage(), capabilities: { rebase } };
  await using t = await bed({ local: { app }, storage });
  await using other = await t.open();
  const [one, two] = await Promise.all([t.engine.unpack("app"), other.unpack("app")]);
  expect(one).toBe(two);
  const kinds: string[] = [];
  for await (const { kind } of storage.list()) kinds.push(kind);
  expect(kinds).toEqual(["committed", "committed"]);
});

test("prune takes what crashes leave, and nothing else", async () => {
  await using t = await bed({ local: { app } });
  const kept = await t.engine.run({ image: "app" });
  await kept.wait();
  const containers = join(t.directory, "root", "containers");
  const half = "f".repeat(64);
  await mkdir(join(containers, half, "bundle"), { recursive: true });
  await symlink(`../${half}`, join(containers, "names", "half"));
  await symlink(`../${"e".repeat(64)}`, join(containers, "names", "dead"));
  await mkdir(join(containers, `.gone-${"d".repeat(64)}`));
  await writeFile(join(t.directory, "root", "leases", "00000000-0000-4000-8000-000000000000"), `${app.root.digest}\n`);
  await t.storage.prepare("unpack-00000000-0000-0000-0000-000000000000-0");
  await t.storage.prepare("c".repeat(64));
  await t.storage.prepare("somebody-else");

  const report = await t.engine.prune();
  expect(report.containers).toEqual([half]);
  expect([...report.snapshots].sort()).toEqual(["c".repeat(64), "unpack-00000000-0000-0000-0000-000000000000-0"]);
  expect(report.blobs).toEqual([]);
  expect((await readdir(containers)).sort()).toEqual([kept.id, "names"].sort());
  expect((await readdir(join(containers, "names"))).filter((entry) => !entry.startsWith("."))).toEqual([kept.name]);
  expect(await readdir(join(t.directory, "root", "leases"))).toEqual([]);
  await (await t.engine.container(kept.name)).start();
});

test("a start whose starter died half-way is undone by prune", async () => {
  await using t = await bed({ local: { app } });
  const ids: string[] = [];
  for (const autoRemove of [false, true]) {
    const { id } = await t.engine.create({ image: "app", command: ["sleep"], autoRemove });
    const directory = join(t.directory, "root", "containers", id);
    const log = { type: "none" } as const;
    await t.isolation.create(id, join(directory, "bundle"), {
      io: { terminal: false, stdin: "closed", log },
      stateFile: join(directory, "state.json"),
      rootfs: [],
      cleanup: [],
    });
    ids.push(id);
  }
  expect((await t.engine.prune()).containers).toEqual([ids[1]]);
  const [kept] = await t.engine.containers({ all: true });
  expect(kept).toMatchObject({ id: ids[0], status: "created" });
  const container = await t.engine.container(ids[0] as string);
  await container.start();
  await container.remove({ force: true });
});

test("a pull under way is safe from garbage collection", async () => {
  await using t = await bed({ remote: { [name]: makeImage({ layers: ["slow".repeat(10), "fast"] }) } });
  await using other = await t.open();
  let pruned: Promise<unknown> | undefined;
  await t.engine.pull("app", {
    onProgress: ({ status }) => {
      if (status === "done") pruned ??= other.prune();
    },
  });
  await pruned;
  expect(pruned).toBeDefined();
  await t.engine.unpack("app");
});

test("a store of a later layout is refused", async () => {
  await using t = await bed({ local: { app } });
  await writeFile(join(t.directory, "root", "version"), "2\n");
  await using later = await t.open();
  await expectError(later.images(), "UNSUPPORTED", "has layout 2, this ramekin knows 1");
  await writeFile(join(t.directory, "root", "version"), "garbage");
  await using broken = await t.open();
  await expectError(broken.images(), "DATA_LOSS", "garbage");
});
