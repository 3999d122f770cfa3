import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Descriptor, Digest } from "@ramekin/core";
import { mediaTypes } from "@ramekin/oci";
import { expect, test } from "vitest";
import type { PushProgress } from "../src/api.ts";
import { bed, expectError } from "./bed.ts";
import { type MadeImage, makeImage, makeIndex } from "./doubles/image.ts";
import { recordingRegistry } from "./doubles/recording-registry.ts";

const name = "registry.example/team/app:1";
const app = makeImage({ layers: ["base", "top"], config: { Cmd: ["true"] } });
const pushing = (local: Readonly<Record<string, MadeImage>>) => {
  const registry = recordingRegistry();
  return { registry, opened: bed({ local, plugins: [registry.plugin], drivers: { registry: "recording" } }) };
};
const parsed = (bytes: Buffer | undefined) => JSON.parse(bytes?.toString() ?? "null");

/** With another document in place of the root, or beside it. */
function withDocument(image: MadeImage, mediaType: string, document: object): MadeImage {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { root: { mediaType, digest, size: bytes.byteLength }, blobs: new Map([...image.blobs, [digest, bytes]]) };
}

test("push: what a document names goes before it, the tag last, and progress tells of every blob", async () => {
  const { registry, opened } = pushing({ [name]: makeIndex({ amd64: app, s390x: makeImage({ architecture: "s390x" }) }) });
  await using t = await opened;
  const progress: PushProgress[] = [];
  const { descriptor, instead } = await t.engine.push(name, { onProgress: (report) => progress.push(report) });
  expect(instead).toBeUndefined();
  expect(registry.log.at(-1)).toBe(`tag team/app:1 ${descriptor.digest}`);
  expect(new Set(registry.log).size).toBe(registry.log.length);
  expect(progress.filter(({ status }) => status === "pushed").map(({ digest }) => digest)).toHaveLength(8);

  progress.length = 0;
  await t.engine.push(name, { onProgress: (report) => progress.push(report) });
  expect(new Set(progress.map(({ status }) => status))).toEqual(new Set(["preparing", "exists"]));
});

test("push: five layers go at once, and no more", async () => {
  const layers = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const { registry, opened } = pushing({ [name]: makeImage({ layers }) });
  await using t = await opened;
  let open = 0;
  let most = 0;
  const { push } = registry;
  registry.push = async (reference, descriptor, ...rest) => {
    most = Math.max(most, ++open);
    await sleep(20);
    await push(reference, descriptor, ...rest);
    open--;
  };
  await t.engine.push(name);
  expect(most).toBe(5);
  expect(registry.log).toHaveLength(layers.length + 3); // configuration, manifest and tag
});

test("push: from a repository of the same registry that is known to have it, a layer is mounted", async () => {
  const { registry, opened } = pushing({ "registry.example/base:1": app, [name]: app, "other.example/base:1": app });
  await using t = await opened;
  await t.engine.push("registry.example/base:1");
  const progress: PushProgress[] = [];
  await t.engine.push(name, { onProgress: (report) => progress.push(report) });
  expect(progress.filter(({ status }) => status === "mounted").map(({ from }) => from)).toEqual(["base", "base"]);
  expect(registry.blobs.get("team/app")?.has(app.root.digest)).toBe(true);
});

test("push --compression: layers, manifests, indexes and what attestations point at follow; diff ids stay", async () => {
  const attestation = makeImage({ layers: ["statement"] });
  const manifests: Descriptor[] = [
    { ...app.root, platform: { os: "linux", architecture: "amd64" } },
    {
      ...attestation.root,
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.digest": app.root.digest },
    },
  ];
  const index = withDocument({ root: app.root, blobs: new Map([...app.blobs, ...attestation.blobs]) }, mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests,
    annotations: { kept: "yes" },
  });
  const { registry, opened } = pushing({ [name]: index });
  await using t = await opened;
  const { descriptor, instead } = await t.engine.push(name, { compression: { format: "gzip" } });
  expect(instead?.digest).toBe(index.root.digest);
  const there = registry.blobs.get("team/app") ?? new Map<Digest, Buffer>();
  const pushed = parsed(there.get(descriptor.digest));
  expect(pushed.annotations).toEqual({ kept: "yes" });
  expect(pushed.manifests[1].annotations).toEqual({ "vnd.docker.reference.digest": pushed.manifests[0].digest });
  const manifest = parsed(there.get(pushed.manifests[0].digest));
  expect(manifest.layers.map(({ mediaType }: Descriptor) => mediaType)).toEqual([mediaTypes.layerGzip, mediaTypes.layerGzip]);
  expect(manifest.config.digest).toBe(parsed(Buffer.from(app.blobs.get(app.root.digest) ?? [])).config.digest);
  expect(await readdir(join(t.directory, "root", "spool"))).toEqual([]);
  expect((await t.engine.images())[0]?.id).toBe(index.root.digest); // here nothing has changed
});

test("push: an index of which the registry would lack images goes as the one that is here, or not at all", async () => {
  const others = ["s390x", "arm64"].map((architecture) => makeImage({ architecture, layers: [architecture] }));
  const index = makeIndex({ amd64: app, s390x: others[0] as MadeImage, arm64: others[1] as MadeImage });
  const without = (gone: readonly MadeImage[]): MadeImage => ({
    root: index.root,
    blobs: new Map([...index.blobs].filter(([digest]) => !gone.some(({ root }) => root.digest === digest))),
  });
  const one = pushing({ [name]: without(others) });
  await using t = await one.opened;
  const { descriptor, instead } = await t.engine.push(name);
  expect([descriptor.digest, instead?.digest]).toEqual([app.root.digest, index.root.digest]);

  const two = pushing({ [name]: without(others.slice(0, 1)) });
  await using u = await two.opened;
  await expectError(u.engine.push(name), "FAILED_PRECONDITION", "neither here nor at registry.example");
  expect(two.registry.log).toEqual([]);
  // What the registry has need not be here.
  two.registry.blobs.set("team/app", new Map([[others[0]?.root.digest as Digest, Buffer.from("there")]]));
  expect((await u.engine.push(name)).descriptor.digest).toBe(index.root.digest);
});

test("push: layers that everybody fetches from elsewhere do not go", async () => {
  const foreign = {
    mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    digest: `sha256:${"f".repeat(64)}` as Digest,
    size: 5,
    urls: ["https://example.com/x"],
  };
  const config = parsed(Buffer.from(app.blobs.get(app.root.digest) ?? []));
  const image = withDocument(app, mediaTypes.manifest, { ...config, layers: [...config.layers, foreign] });
  const bytes = Buffer.from("12345");
  const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const here = withDocument({ ...image, blobs: new Map([...image.blobs, [digest, bytes]]) }, mediaTypes.manifest, {
    ...config,
    layers: [...config.layers, { ...foreign, digest }],
  });
  const { registry, opened } = pushing({ [name]: here });
  await using t = await opened;
  await t.engine.push(name);
  expect(registry.log).not.toContain(digest);
});

test("push and save: nothing begins for what is not here, or not wholly here", async () => {
  const { registry, opened } = pushing({ [name]: app });
  await using t = await opened;
  await expectError(t.engine.push("registry.example/none"), "NOT_FOUND", "does not exist locally with the tag");
  await expectError(t.engine.push(`${name}@${app.root.digest}`), "INVALID_ARGUMENT", "a digest cannot be pushed to");
  await expectError(t.engine.push(name, { platform: { os: "linux", architecture: "s390x" } }), "UNSUPPORTED");
  await expectError(t.engine.push(name, { signal: AbortSignal.abort() }), "CANCELLED");
  await expectError(t.engine.save([], join(t.directory, "x")), "INVALID_ARGUMENT");
  await expectError(t.engine.save([name], join(t.directory, "absent", "x"), { format: "oci-archive" }), "NOT_FOUND");
  await expectError(t.engine.save([name], new WritableStream(), { format: "oci-dir" }), "INVALID_ARGUMENT", "a directory, not a stream");
  expect(registry.log).toEqual([]);
});

test("save: of an index what is here, with a warning for what is not", async () => {
  const s390x = makeImage({ architecture: "s390x", layers: ["z"] });
  const index = makeIndex({ amd64: app, s390x });
  const blobs = new Map([...index.blobs].filter(([digest]) => digest !== s390x.root.digest));
  await using t = await bed({ local: { [name]: { root: index.root, blobs } } });
  await t.engine.save([name], join(t.directory, "saved"), { format: "oci-dir" });
  expect(t.warnings).toEqual([expect.stringContaining("1 of the images in its index are not here")]);
  await using other = await bed();
  expect((await other.engine.load(join(t.directory, "saved")))[0]).toMatchObject({ id: index.root.digest, name });
});

test("import: a bad change, and what is no tar, leave nothing behind", async () => {
  await using t = await bed();
  const left = async () =>
    (await readdir(join(t.directory, "root"), { recursive: true })).filter((path) => /blobs\/sha256\/.|ingest\/./.test(path));
  const bytes = (text: string) =>
    (async function* () {
      yield Buffer.from(text);
    })();
  await expectError(t.engine.import(bytes(""), { changes: ["FROM x"] }), "INVALID_ARGUMENT", "FROM is not a valid change command");
  await expectError(t.engine.import(bytes("no tar at all"), {}), "DATA_LOSS");
  await expectError(t.engine.import(join(t.directory, "absent")), "NOT_FOUND");
  await expectError(t.engine.import(t.directory), "INVALID_ARGUMENT", "is a directory");
  expect(await left()).toEqual([]);
  const { id } = await t.engine.import(bytes("\0".repeat(1024)), { name: "empty" });
  expect((await t.engine.images()).map((image) => image.id)).toEqual([id]);
});

test("pruneImages: nameless ones, or all that nobody uses, and none that `keep` speaks for", async () => {
  const labelled = makeImage({ layers: ["l"], config: { Labels: { keep: "yes" } } });
  await using t = await bed({ local: { app, labelled, used: makeImage({ layers: ["u"], config: { Cmd: ["true"] } }) } });
  await t.engine.create({ image: "used" });
  expect(await t.engine.pruneImages()).toEqual({ untagged: [], deleted: [], reclaimed: 0 });
  expect(await t.engine.pruneImages({ all: true, until: new Date("2025-01-01") })).toMatchObject({ deleted: [] });
  const pruned = await t.engine.pruneImages({ all: true, keep: (_, labels) => labels["keep"] === "yes" });
  expect(pruned).toMatchObject({ untagged: ["app:latest"], deleted: expect.arrayContaining([app.root.digest]) });
  expect(pruned.reclaimed).toBeGreaterThan(0);
  expect((await t.engine.images()).map((image) => image.name).sort()).toEqual([
    "docker.io/library/labelled:latest",
    "docker.io/library/used:latest",
  ]);
});

test("removeImage with platforms: only what they alone need goes, and not what a container or another image has", async () => {
  const s390x = makeImage({ architecture: "s390x", layers: ["z"] });
  const index = makeIndex({ amd64: makeImage({ layers: ["base", "top"], config: { Cmd: ["true"] } }), s390x });
  await using t = await bed({ local: { app: index, other: s390x } });
  const platform = (architecture: string) => ({ platforms: [{ os: "linux", architecture }] });
  await expectError(t.engine.removeImage("app", platform("s390x")), "FAILED_PRECONDITION", "another image");
  await t.engine.removeImage("other");
  expect((await t.engine.platforms("app")).map(({ available }) => available)).toEqual([true, true]);
  await t.engine.removeImage("app", platform("s390x"));
  expect((await t.engine.platforms("app")).map(({ available }) => available)).toEqual([true, false]);
  await expectError(t.engine.removeImage("app", platform("s390x")), "NOT_FOUND");
  await t.engine.create({ image: "app" });
  await expectError(t.engine.removeImage("app", platform("amd64")), "FAILED_PRECONDITION", "container");
});

test("history: newest first, layers beside the steps that made them, those of no step first of all", async () => {
  const layers = ["a", "b", "c"];
  const plain = makeImage({ layers });
  const manifest = parsed(Buffer.from(plain.blobs.get(plain.root.digest) ?? []));
  const config = parsed(Buffer.from(plain.blobs.get(manifest.config.digest) ?? []));
  const described = withDocument(plain, mediaTypes.config, {
    ...config,
    history: [
      { created: "2026-01-01T00:00:00Z", created_by: "COPY b" },
      { created_by: "ENV x", empty_layer: true },
      { created: "2026-01-02T00:00:00Z", created_by: "COPY c", comment: "last" },
    ],
  });
  await using t = await bed({ local: { app: withDocument(described, mediaTypes.manifest, { ...manifest, config: described.root }) } });
  const steps = await t.engine.history("app");
  expect(steps.map(({ createdBy, size, comment }) => [createdBy, size, comment])).toEqual([
    ["COPY c", 1, "last"],
    ["ENV x", 0, ""],
    ["COPY b", 1, ""],
    ["", 1, ""],
  ]);
  expect(steps.map(({ id }) => id !== undefined)).toEqual([true, false, false, false]);
  expect(steps[0]?.names).toEqual(["docker.io/library/app:latest"]);
});

test("[API-5] what a descriptor carries itself need not come from elsewhere; what is wrong in it is refused", async () => {
  const manifest = parsed(Buffer.from(app.blobs.get(app.root.digest) ?? []));
  const empty = Buffer.from("{}");
  const digest: Digest = `sha256:${createHash("sha256").update(empty).digest("hex")}`;
  const artifact = (data: string) => {
    const config = { mediaType: mediaTypes.empty, digest, size: 2, data };
    return withDocument(app, mediaTypes.manifest, { ...manifest, artifactType: "application/vnd.example.note", config });
  };
  await using t = await bed({ local: { note: artifact(empty.toString("base64")) } });
  await t.engine.save(["note"], join(t.directory, "saved"), { format: "oci-dir" });
  expect(await readdir(join(t.directory, "saved", "blobs", "sha256"))).toContain(digest.slice("sha256:".length));
  await expectError(bed({ local: { note: artifact(Buffer.from("[]").toString("base64")) } }), "DATA_LOSS");
});
