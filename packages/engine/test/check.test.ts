import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, RamekinError } from "@ramekin/core";
import { memoryStorage } from "@ramekin/storage-memory";
import { expect, test } from "vitest";
import type { CheckReport } from "../src/api.ts";
import { bed, expectError } from "./bed.ts";
import { type MadeImage, makeImage, makeIndex, writeLayout } from "./doubles/image.ts";

const name = "docker.io/library/app:latest";
const app = makeImage({ config: { Cmd: ["true"] }, layers: ["base", "top"] });
const pathOf = (directory: string, digest: Digest) => join(directory, "root", "images", "blobs", ...digest.split(":"));
const documentOf = ({ blobs }: MadeImage, digest: Digest) => JSON.parse(Buffer.from(blobs.get(digest) as Uint8Array).toString());
const partsOf = (image: MadeImage): Record<"manifest" | "config" | "layer", Digest> => {
  const { config, layers } = documentOf(image, image.root.digest);
  return { manifest: image.root.digest, config: config.digest, layer: layers[0].digest };
};
const short = ({ problems }: CheckReport) => problems.map(({ kind, id, repaired }) => ({ kind, id, repaired: repaired !== undefined }));

/** Other bytes, of the same number unless told otherwise. */
async function spoil(path: string, by = 0): Promise<void> {
  const bytes = await readFile(path);
  await rm(path);
  await writeFile(path, Buffer.alloc(bytes.length + by, "x"));
}

test("a sound store: what was looked at, and what crashes leave is no problem", async () => {
  await using t = await bed({ local: { app } });
  await (await t.engine.run({ image: "app" })).wait();
  await writeFile(join(t.directory, "root", "leases", "00000000-0000-4000-8000-000000000000"), "");
  await mkdir(join(t.directory, "root", "containers", "f".repeat(64)));
  await writeFile(pathOf(t.directory, `sha256:${"a".repeat(64)}`), ""); // not even a digest that fits: nothing needs it
  const report = await t.engine.check();
  expect(report.problems.map(({ id }) => id)).toEqual([`sha256:${"a".repeat(64)}`]);
  expect(report.checked).toMatchObject({ blobs: 5, images: 1, containers: 2, snapshots: 3 });
  expect(report.leftovers).toEqual({ leases: 1, unfinished: 0, blobs: 1, containers: 1 });
  expect(short(await t.engine.check({ repair: true }))).toEqual([{ kind: "corrupt", id: `sha256:${"a".repeat(64)}`, repaired: true }]);
  expect((await t.engine.check()).problems).toEqual([]);
});

const damages = {
  "other bytes": (path: string) => spoil(path),
  "too many bytes": (path: string) => spoil(path, 1),
  "no bytes at all": (path: string) => spoil(path, -1),
  "no file": (path: string) => rm(path),
};

test.for(
  (["manifest", "config", "layer"] as const).flatMap((part) =>
    Object.keys(damages).map((how) => [part, how as keyof typeof damages] as const),
  ),
)("a %s with %s is told of, and fetched again by the image's name", async ([part, how]) => {
  await using t = await bed({ remote: { [name]: app } });
  await t.engine.pull("app");
  const digest = partsOf(app)[part];
  await damages[how](pathOf(t.directory, digest));
  const { problems } = await t.engine.check();
  expect(problems).toEqual([
    {
      kind: how === "no file" ? "missing" : "corrupt",
      id: digest,
      message: expect.stringContaining(digest),
      images: [name],
      containers: [],
    },
  ]);
  const repaired = await t.engine.check({ repair: true });
  expect(repaired.problems).toMatchObject([{ id: digest, repaired: `fetched again from ${name}` }]);
  expect((await t.engine.check()).problems).toEqual([]);
  expect(await readFile(pathOf(t.directory, digest))).toEqual(Buffer.from(app.blobs.get(digest) as Uint8Array));
  await t.engine.create({ image: "app" });
});

test("what cannot be fetched again takes its names along, and nothing sound", async () => {
  const other = makeImage({ layers: ["base", "another"] });
  await using t = await bed({ local: { app, other } });
  await t.engine.tag("app", "also");
  const { layers } = documentOf(app, app.root.digest);
  await spoil(pathOf(t.directory, layers[1].digest));
  const { problems } = await t.engine.check({ repair: true });
  expect(problems).toEqual([
    {
      kind: "corrupt",
      id: layers[1].digest,
      message: expect.stringContaining("has the digest"),
      images: [name, "docker.io/library/also:latest"],
      containers: [],
      repaired: expect.stringMatching(/was dropped: it cannot be fetched \(blob .* not found\)/),
    },
  ]);
  expect((await t.engine.images()).map((image) => image.name)).toEqual(["docker.io/library/other:latest"]);
  expect((await t.engine.check()).problems).toEqual([]);
  await t.engine.unpack("other");
});

test("what the registry may have that cannot be reached stays, until it can be, or is given up", async () => {
  await using t = await bed({ remote: { [name]: app } });
  await t.engine.pull("app");
  await t.engine.tag("app", "docker.io/library/elsewhere");
  const { layer } = partsOf(app);
  const { fetch } = t.registry;
  t.registry.fetch = () => {
    throw new RamekinError("UNAVAILABLE", "cannot reach docker.io", { hint: "check this machine's name server" });
  };
  await rm(pathOf(t.directory, layer));
  const { problems } = await t.engine.check({ repair: true });
  expect(problems).toEqual([
    {
      ...{ kind: "missing", id: layer, containers: [] },
      images: [name, "docker.io/library/elsewhere:latest"],
      message: expect.stringMatching(/lacks blob .*, and cannot be fetched now: cannot reach docker.io$/),
      hint: expect.stringMatching(/^check this machine's name server; /),
    },
  ]);
  expect(await t.engine.images()).toHaveLength(2);
  // One of two places says that it has nothing, the other none: still nothing is lost for good.
  t.registry.fetch = ({ repository }, descriptor) => {
    throw new RamekinError(
      repository === "library/app" ? "NOT_FOUND" : "UNAUTHENTICATED",
      `${repository} has no ${descriptor.digest} for you`,
    );
  };
  expect((await t.engine.check({ repair: true })).problems).toMatchObject([
    { message: expect.stringContaining("library/elsewhere has no") },
  ]);
  t.registry.fetch = fetch;
  expect(short(await t.engine.check({ repair: true }))).toEqual([{ kind: "missing", id: layer, repaired: true }]);

  await rm(pathOf(t.directory, layer));
  t.registry.fetch = () => {
    throw new Error("nobody should fetch");
  };
  expect((await t.engine.check({ repair: true, offline: true })).problems).toMatchObject([
    { id: layer, repaired: `${name}, docker.io/library/elsewhere:latest was dropped: it cannot be fetched (no registry was asked)` },
  ]);
  expect(await t.engine.images()).toEqual([]);
});

test("a container stays, and what its image lacks remains a problem", async () => {
  await using t = await bed({ local: { app } });
  const container = await t.engine.create({ image: "app", name: "kept" });
  await rm(pathOf(t.directory, partsOf(app).layer));
  const { problems } = await t.engine.check({ repair: true });
  expect(problems).toMatchObject([{ kind: "missing", containers: ["kept"], message: expect.stringContaining("cannot be fetched") }]);
  expect(problems[0]?.repaired).toBeUndefined();
  await container.start();
  await container.wait();
  await container.remove();
  expect((await t.engine.check()).problems).toEqual([]);
});

test("of an index only what was fetched has to be here; a damaged platform beside a sound one goes alone", async () => {
  const arm = makeImage({ architecture: "arm64", layers: ["arm"] });
  const index = makeIndex({ amd64: app, arm64: arm });
  await using t = await bed({ remote: { [name]: index } });
  await t.engine.pull("app");
  expect((await t.engine.check()).problems).toEqual([]);
  await t.engine.load(await writeLayout(join(t.directory, "both"), { app: index }));
  await rm(pathOf(t.directory, partsOf(arm).layer));
  expect((await t.engine.check()).problems, "a platform that is not whole").toEqual([]);
  t.registry.fetch = () => {
    throw new Error("nobody should fetch");
  };
  await writeFile(pathOf(t.directory, partsOf(arm).layer), "bad");
  expect(short(await t.engine.check())).toEqual([{ kind: "corrupt", id: partsOf(arm).layer, repaired: false }]);
});

test("a platform that is whole but damaged, and cannot be had again, leaves the other", async () => {
  const arm = makeImage({ architecture: "arm64", layers: ["arm"] });
  await using t = await bed({ local: { app: makeIndex({ amd64: app, arm64: arm }) } });
  await spoil(pathOf(t.directory, partsOf(arm).layer));
  const { problems } = await t.engine.check({ repair: true });
  expect(problems).toMatchObject([{ kind: "corrupt", repaired: expect.stringContaining(`its platform was dropped from ${name}`) }]);
  expect((await t.engine.check()).problems).toEqual([]);
  await t.engine.create({ image: "app" });
});

test("[STO-4] a platform whose pull was killed while another one is here is told of, and the next create fetches the rest", async () => {
  const arm = makeImage({ architecture: "arm64", layers: ["arm"] });
  await using t = await bed({ remote: { [name]: makeIndex({ amd64: app, arm64: arm }) } });
  await t.engine.pull("app", { platform: { os: "linux", architecture: "arm64" } });
  await t.engine.pull("app");
  await rm(pathOf(t.directory, partsOf(app).layer));
  expect(short(await t.engine.check())).toEqual([{ kind: "missing", id: partsOf(app).layer, repaired: false }]);
  await expect(t.engine.create({ image: "app", pull: "never" })).rejects.toThrow("no blob");
  await t.engine.create({ image: "app" });
  expect((await t.engine.check()).problems).toEqual([]);
});

test("index.json: made again from the manifests that are here and the names that containers know", async () => {
  const other = makeImage({ layers: ["another"] });
  await using t = await bed({ local: { app, other } });
  await t.engine.create({ image: "app" });
  const path = join(t.directory, "root", "images", "index.json");
  await writeFile(path, "{");
  expect(short(await t.engine.check())).toEqual([{ kind: "index", id: path, repaired: false }]);
  expect(short(await t.engine.check({ repair: true }))).toEqual([{ kind: "index", id: path, repaired: true }]);
  expect((await t.engine.images()).map((image) => image.name ?? image.id).sort()).toEqual([name, other.root.digest].sort());
  expect((await t.engine.prune()).blobs).toEqual([]);
  await writeFile(join(t.directory, "root", "images", "oci-layout"), "");
  expect(short(await t.engine.check({ repair: true }))).toMatchObject([{ kind: "index", repaired: true }]);
  expect((await t.engine.check()).problems).toEqual([]);
});

test("containers: a configuration that says nothing, files that are gone, names that lead nowhere or elsewhere", async () => {
  await using t = await bed({ local: { app } });
  const [broken, bare, nameless] = await Promise.all(
    ["broken", "bare", "nameless"].map((each) => t.engine.create({ image: "app", name: each })),
  );
  const containers = join(t.directory, "root", "containers");
  await writeFile(join(containers, broken?.id as string, "config.json"), "{");
  await t.storage.remove(bare?.id as string);
  await rm(join(containers, "names", "nameless"));
  await symlink(`../${"e".repeat(64)}`, join(containers, "names", "dead"));
  const of = (repaired: boolean) =>
    [
      { kind: "container", id: broken?.id, repaired: false },
      { kind: "container", id: bare?.id, repaired: false },
      { kind: "name", id: nameless?.id, repaired },
      { kind: "name", id: "dead", repaired },
    ].sort(byId);
  const byId = (a: { id: string | undefined }, b: { id: string | undefined }) => String(a.id).localeCompare(String(b.id));
  expect(short(await t.engine.check()).sort(byId)).toEqual(of(false));
  expect(short(await t.engine.check({ repair: true })).sort(byId)).toEqual(of(true));
  expect((await t.engine.container("nameless")).id).toBe(nameless?.id);
  expect((await t.engine.check()).problems).toHaveLength(2);
});

test("a snapshot without its parent: a layer is removed and unpacked anew, a container's files stay", async () => {
  const storage = memoryStorage();
  let lost: string | undefined;
  const lossy = {
    ...storage,
    stat: async (key: string) => (key === lost ? undefined : storage.stat(key)),
    async *list() {
      for await (const info of storage.list()) if (info.key !== lost) yield info;
    },
  };
  await using t = await bed({ local: { app }, storage: lossy });
  const top = await t.engine.unpack("app");
  lost = (await storage.stat(top))?.parent;
  const container = await t.engine.create({ image: "app" }).catch(() => undefined);
  expect(short(await t.engine.check())).toEqual([{ kind: "snapshot", id: top, repaired: false }]);
  if (container) expect(short(await t.engine.check({ repair: true }))).toEqual([{ kind: "snapshot", id: top, repaired: false }]);
  await container?.remove();
  expect(short(await t.engine.check({ repair: true }))).toEqual([{ kind: "snapshot", id: top, repaired: true }]);
  expect(await storage.stat(top)).toBeUndefined();
});

test("work under way is no problem: what is leased need not be here yet", async () => {
  await using t = await bed({ remote: { [name]: makeImage({ layers: ["slow".repeat(10), "fast"] }) } });
  await using other = await t.open();
  const reports: Promise<CheckReport>[] = [];
  await t.engine.pull("app", { onProgress: () => void reports.push(other.check()) });
  expect(reports.length).toBeGreaterThan(3);
  for (const report of await Promise.all(reports)) expect(report.problems).toEqual([]);
});

test("progress goes from nothing to all bytes, and an aborted check ends", async () => {
  await using t = await bed({ local: { app } });
  const seen: number[] = [];
  const { checked } = await t.engine.check({ onProgress: ({ current, total }) => seen.push(current / total) });
  expect(seen.at(-1)).toBe(1);
  expect(checked.bytes).toBe([...app.blobs.values()].reduce((sum, { length }) => sum + length, 0));
  await expectError(t.engine.check({ signal: AbortSignal.abort() }), "CANCELLED");
});
