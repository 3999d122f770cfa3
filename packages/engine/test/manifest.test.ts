import { createHash } from "node:crypto";
import { type Descriptor, type Digest, definePlugin, RamekinError, type RegistryClient } from "@ramekin/core";
import { formatReference, mediaTypes } from "@ramekin/oci";
import { describe, expect, test } from "vitest";
import type { Engine } from "../src/api.ts";
import { type BedOptions, bed, expectError } from "./bed.ts";
import { fakeRegistry, type MadeImage, makeImage, makeIndex } from "./doubles/image.ts";

const amd64 = makeImage({ layers: ["shared", "amd64"] });
const s390x = makeImage({ architecture: "s390x", layers: ["shared", "s390x"] });
const remote = { "r.test/app:amd64": amd64, "r.test/app:s390x": s390x };
const list = "r.test/app:all";

/** A registry that knows which repository has what, and takes what it is given. */
function keepingRegistry(images: Readonly<Record<string, MadeImage>>) {
  const blobs = new Map<Digest, Uint8Array>(Object.values(images).flatMap((image) => [...image.blobs]));
  const places = new Map<string, Set<Digest>>();
  const place = ({ registry, repository }: { registry: string; repository: string }) => {
    const name = `${registry}/${repository}`;
    return places.get(name) ?? places.set(name, new Set()).get(name) ?? new Set();
  };
  for (const [name, image] of Object.entries(images)) {
    const [, registry = "", repository = ""] = /^([^/]+)\/(.+):/.exec(name) ?? [];
    for (const digest of image.blobs.keys()) place({ registry, repository }).add(digest);
  }
  const done: string[] = [];
  const client: RegistryClient = {
    ...fakeRegistry(images),
    exists: async (reference, { digest }) => place(reference).has(digest),
    async push(reference, { digest }, source, { mountFrom } = {}) {
      const from = mountFrom === undefined ? undefined : place({ registry: reference.registry, repository: mountFrom });
      if (!from?.has(digest)) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of source(0)) chunks.push(chunk);
        blobs.set(digest, Buffer.concat(chunks));
      }
      done.push(`${from?.has(digest) ? "mount" : "send"} ${digest}`);
      place(reference).add(digest);
    },
    tag: async (reference, { digest }) => void done.push(`tag ${formatReference(reference)} ${digest}`),
  };
  return { client, done, blobs };
}

async function keepingBed(images: Readonly<Record<string, MadeImage>> = remote, options: BedOptions = {}) {
  const registry = keepingRegistry(images);
  const keeping = definePlugin(() => ({ name: "keeping", provides: { registry: { keeping: { create: () => registry.client } } } }));
  return Object.assign(await bed({ plugins: [keeping()], drivers: { registry: "keeping" }, ...options }), { keeping: registry });
}

const membersOf = async (engine: Engine, name: string): Promise<readonly Descriptor[]> =>
  JSON.parse(new TextDecoder().decode((await engine.inspectManifest(name)).bytes)).manifests;

describe("a list of what is in registries", () => {
  test("is no damage to the store, survives repair and pruning, and leaves nothing", async () => {
    await using t = await bed({ remote });
    await t.engine.createManifestList(list, ["r.test/app:amd64", "r.test/app:s390x"]);
    await t.engine.annotateManifest(list, "r.test/app:s390x", { osVersion: "1" });
    expect((await t.engine.check({ repair: true })).problems).toEqual([]);
    await t.engine.prune();
    expect(await membersOf(t.engine, list)).toMatchObject([{ digest: amd64.root.digest }, { platform: { "os.version": "1" } }]);
    await t.engine.removeManifestList(list);
    expect(await t.engine.images()).toEqual([]);
    expect((await t.engine.check()).checked.blobs).toBe(0);
  });

  test("keeps what many say of it at once", async () => {
    await using t = await bed({ remote });
    await using other = await t.open();
    await t.engine.createManifestList(list, ["r.test/app:amd64"]);
    const features = Array.from({ length: 12 }, (_, index) => `f${index}`);
    await Promise.all(
      features.map((feature, index) =>
        (index % 2 ? other : t.engine).annotateManifest(list, "r.test/app:amd64", { osFeatures: [feature] }),
      ),
    );
    const [member] = await membersOf(t.engine, list);
    expect([...(member?.platform?.["os.features"] ?? [])].sort()).toEqual(features.sort());
  });

  test("one of two makers wins", async () => {
    await using t = await bed({ remote });
    const made = await Promise.allSettled(["amd64", "s390x"].map((tag) => t.engine.createManifestList(list, [`r.test/app:${tag}`])));
    expect(made.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await membersOf(t.engine, list)).toHaveLength(1);
  });

  test("under a second name is still known by its members' names", async () => {
    await using t = await bed({ remote });
    await t.engine.createManifestList(list, ["r.test/app:amd64"]);
    await t.engine.tag(list, "r.test/app:again");
    await t.engine.annotateManifest("r.test/app:again", "r.test/app:amd64", { variant: "v2" });
    expect((await membersOf(t.engine, "r.test/app:again"))[0]?.platform?.variant).toBe("v2");
    expect((await membersOf(t.engine, list))[0]?.platform?.variant).toBeUndefined();
  });

  test("finds a member by its digest and by the beginning of that, if it is the beginning of one", async () => {
    await using t = await bed({ remote });
    await t.engine.createManifestList(list, ["r.test/app:amd64", "r.test/app:s390x"]);
    const { digest } = s390x.root;
    for (const name of [digest, digest.slice(0, 19), digest.slice(7, 19), `r.test/app@${digest}`]) {
      expect((await t.engine.inspectManifest(name, { list })).descriptor).toMatchObject({ digest, platform: { architecture: "s390x" } });
    }
    await expectError(t.engine.inspectManifest("r.test/app:none", { list }), "NOT_FOUND", "does not exist in r.test/app:all");
  });
});

describe("a list of what is here", () => {
  test("holds it when it has no other name any more", async () => {
    await using t = await bed({ local: { app: amd64 } });
    await t.engine.createManifestList(list, ["app"]);
    await t.engine.removeImage("app");
    await t.engine.prune();
    expect((await t.engine.image(list, { platform: { os: "linux", architecture: "amd64" } })).manifest.layers).toHaveLength(2);
    await t.engine.removeManifestList(list);
    expect((await t.engine.check()).checked.blobs).toBe(0);
  });

  test("when no registry can be asked, with a warning", async () => {
    const down: RegistryClient = {
      ...fakeRegistry({}),
      resolve: () => Promise.reject(new RamekinError("UNAVAILABLE", "cannot reach docker.io")),
    };
    const plugin = definePlugin(() => ({ name: "down", provides: { registry: { down: { create: () => down } } } }));
    await using t = await bed({ local: { app: amd64 }, plugins: [plugin()], drivers: { registry: "down" } });
    await t.engine.createManifestList(list, ["app"]);
    expect(t.warnings).toEqual(["app is taken from here: cannot reach docker.io"]);
    await expectError(t.engine.createManifestList("r.test/other", ["elsewhere"]), "UNAVAILABLE", "cannot reach docker.io");
    await expectError(
      t.engine.createManifestList("r.test/other", ["app"], { access: { verify: false } }),
      "UNSUPPORTED",
      "docker.io in one way",
    );
    expect(await t.engine.images()).toHaveLength(2);
  });
});

describe("push", () => {
  test("a blob goes before the manifest that names it, members before the list, the tag last; one repository's blobs stay where they are", async () => {
    await using t = await keepingBed();
    await t.engine.createManifestList("r.test/all:1", ["r.test/app:amd64", "r.test/app:s390x"]);
    const { descriptor } = await t.engine.pushManifestList("r.test/all:1");
    const { done } = t.keeping;
    expect(done.filter((each) => each.startsWith("send"))).toEqual([`send ${descriptor.digest}`]);
    const at = (digest: Digest) => done.indexOf(`mount ${digest}`);
    for (const { root, blobs } of [amd64, s390x]) {
      for (const digest of blobs.keys()) expect(at(digest)).toBeLessThanOrEqual(at(root.digest));
    }
    expect(done.slice(-2)).toEqual([`send ${descriptor.digest}`, `tag r.test/all:1 ${descriptor.digest}`]);
    done.length = 0;
    await t.engine.createManifestList("r.test/app:2", ["r.test/app:amd64"]);
    await t.engine.pushManifestList("r.test/app:2");
    expect(done).toHaveLength(2);
  });

  test("with a nested index, whose images go before it", async () => {
    const nested = makeIndex({ amd64, s390x });
    const outer = makeIndex({ unknown: { root: nested.root, blobs: nested.blobs } });
    await using t = await keepingBed({ "r.test/app:nested": outer });
    await t.engine.pull("r.test/app:nested", { allPlatforms: true });
    await t.engine.tag("r.test/app:nested", "other.test/copy:1");
    await t.engine.pushManifestList("other.test/copy:1");
    const { done } = t.keeping;
    expect(done.indexOf(`send ${nested.root.digest}`)).toBeGreaterThan(done.indexOf(`send ${s390x.root.digest}`));
    expect(done.indexOf(`send ${s390x.root.digest}`)).toBeGreaterThan(0);
    expect(done.at(-1)).toBe(`tag other.test/copy:1 ${outer.root.digest}`);
  });

  test("purged: nothing of the list is left", async () => {
    await using t = await keepingBed();
    await t.engine.createManifestList("r.test/all:1", ["r.test/app:amd64"]);
    await t.engine.pushManifestList("r.test/all:1", { purge: true });
    expect(await t.engine.images()).toEqual([]);
    expect((await t.engine.check()).checked.blobs).toBe(0);
  });

  test("cancelled: says so, and tags nothing", async () => {
    await using t = await keepingBed();
    await t.engine.createManifestList("r.test/all:1", ["r.test/app:amd64"]);
    const controller = new AbortController();
    controller.abort(new RamekinError("CANCELLED", "enough"));
    await expectError(t.engine.pushManifestList("r.test/all:1", { signal: controller.signal }), "CANCELLED");
    expect(t.keeping.done.filter((each) => each.startsWith("tag"))).toEqual([]);
  });
});

test("amending a pulled index keeps what it says besides", async () => {
  const said = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [{ ...amd64.root, platform: { os: "linux", architecture: "amd64" }, annotations: { who: "cook" } }],
    annotations: { "org.opencontainers.image.source": "kitchen" },
  };
  const bytes = Buffer.from(JSON.stringify(said));
  const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const pulled = { root: { mediaType: mediaTypes.index, digest, size: bytes.length }, blobs: new Map([...amd64.blobs, [digest, bytes]]) };
  await using t = await bed({ remote: { ...remote, "r.test/app:all": pulled } });
  await t.engine.pull(list, { allPlatforms: true });
  await t.engine.createManifestList(list, ["r.test/app:s390x"], { amend: true });
  const after = JSON.parse(new TextDecoder().decode((await t.engine.inspectManifest(list)).bytes));
  expect(after).toMatchObject({ ...said, manifests: [said.manifests[0], { platform: { architecture: "s390x" } }] });
});
