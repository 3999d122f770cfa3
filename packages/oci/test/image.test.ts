import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Codec, Descriptor, Digest } from "@ramekin/core";
import { expect, test } from "vitest";
import {
  type BlobSource,
  checkPlatform,
  findManifest,
  imageFrom,
  manifestsBelow,
  mediaTypes,
  parsePlatform,
  readBlob,
  validateImage,
} from "../src/index.ts";
import { nodeDigester } from "./digester.ts";

const codec: Codec = {
  format: "gzip",
  detect: () => true,
  decode: async function* (source) {
    for await (const chunk of source) yield gunzipSync(chunk);
  },
};
const options = { digester: nodeDigester, codec: () => codec };
const amd64 = parsePlatform("linux/amd64");

/** Blobs in memory; `read` counts how often each was asked for. */
function blobs() {
  const all = new Map<Digest, Uint8Array>();
  const read: Digest[] = [];
  const put = (mediaType: string, content: string | Uint8Array | object): Descriptor => {
    const bytes =
      content instanceof Uint8Array ? content : new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content));
    const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    all.set(digest, bytes);
    return { mediaType, digest, size: bytes.byteLength };
  };
  const source: BlobSource = {
    blob: async function* ({ digest }) {
      read.push(digest);
      yield all.get(digest) ?? new Uint8Array(0);
    },
  };
  return { all, read, put, source };
}

function sample(layers: readonly string[] = ["one", "two"]) {
  const store = blobs();
  const diffIDs = layers.map((text) => `sha256:${createHash("sha256").update(text).digest("hex")}`);
  const config = store.put(mediaTypes.config, { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: diffIDs } });
  const descriptors = layers.map((text) => store.put(mediaTypes.layerGzip, gzipSync(text)));
  const root = store.put(mediaTypes.manifest, { schemaVersion: 2, config, layers: descriptors });
  return { ...store, config, descriptors, diffIDs, root };
}

test("an image is derived from its blobs, each read once", async () => {
  const { source, root, read, diffIDs } = sample();
  const image = imageFrom(source, root, options);
  const [layers] = await Promise.all([image.layers(), image.config(), image.manifest()]);
  expect(layers.map(({ diffID }) => diffID)).toEqual(diffIDs);
  const chunks: Uint8Array[] = [];
  for await (const chunk of layers[0]?.uncompressed() ?? []) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe("one");
  expect(read.filter((digest) => digest === root.digest)).toHaveLength(1);
});

test("documents are verified, and a failure is not remembered", async () => {
  const { source, root, all } = sample();
  const right = all.get(root.digest) as Uint8Array;
  const image = imageFrom(source, root, options);
  for (const wrong of [right.subarray(1), new Uint8Array([...right, 32]), right.with(5, 0)]) {
    all.set(root.digest, wrong);
    await expect(image.manifest()).rejects.toMatchObject({ code: "DATA_LOSS" });
  }
  all.set(root.digest, right);
  expect((await image.manifest()).layers).toHaveLength(2);
});

test("a document beyond the limit is not read at all", async () => {
  const { source, root, read } = sample();
  await expect(readBlob(source, { ...root, size: 5 << 20 }, options)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  expect(read).toEqual([]);
});

test("a manifest and a config that disagree are corrupt, and artifacts are no images", async () => {
  const store = sample();
  const fewer = store.put(mediaTypes.manifest, { schemaVersion: 2, config: store.config, layers: store.descriptors.slice(1) });
  await expect(imageFrom(store.source, fewer, options).layers()).rejects.toMatchObject({ code: "DATA_LOSS" });
  const artifact = store.put(mediaTypes.manifest, { schemaVersion: 2, config: store.put(mediaTypes.empty, "{}"), layers: [] });
  await expect(imageFrom(store.source, artifact, options).config()).rejects.toMatchObject({ code: "UNSUPPORTED" });
  const strange = store.put(mediaTypes.manifest, {
    schemaVersion: 2,
    config: store.config,
    layers: [store.put("text/plain", "x"), store.descriptors[1]],
  });
  await expect(imageFrom(store.source, strange, options).layers()).rejects.toMatchObject({ code: "UNSUPPORTED" });
});

test("validation reports all that is wrong", async () => {
  const { source, root, all, descriptors } = sample(["one", "two", "three"]);
  await validateImage(imageFrom(source, root, options), options);
  all.set(descriptors[0]?.digest as Digest, gzipSync("other"));
  all.set(descriptors[2]?.digest as Digest, gzipSync("three", { level: 1 }).with(4, 99));
  const error = await validateImage(imageFrom(source, root, options), options).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: "DATA_LOSS" });
  expect((error as { errors: Error[] }).errors.map(({ message }) => message.replace(/sha256:[0-9a-f]+/g, "X"))).toEqual([
    expect.stringMatching(/layer X has/),
    "layer X has the diff id X, not X",
    "layer X has the digest X",
  ]);
});

test("nested indexes are searched, loops and towers end", async () => {
  const store = sample();
  const entry = { ...store.root, platform: amd64 };
  const inner = store.put(mediaTypes.index, {
    schemaVersion: 2,
    manifests: [{ ...store.put(mediaTypes.manifest, "x"), platform: parsePlatform("linux/arm64") }, entry],
  });
  const attestation = { ...store.put(mediaTypes.manifest, "y"), platform: { os: "unknown", architecture: "unknown" } };
  const outer = store.put(mediaTypes.dockerManifestList, {
    schemaVersion: 2,
    manifests: [attestation, inner, store.put("text/plain", "z")],
  });
  expect((await manifestsBelow(store.source, outer, options)).map(({ digest }) => digest)).toContain(store.root.digest);
  expect((await findManifest(store.source, outer, amd64, options)).digest).toBe(store.root.digest);
  await expect(findManifest(store.source, outer, parsePlatform("linux/s390x"), options)).rejects.toMatchObject({
    code: "NOT_FOUND",
    hint: expect.stringContaining("linux/arm64, linux/amd64"),
  });
  let tower = outer;
  for (let height = 0; height < 5; height++) tower = store.put(mediaTypes.index, { schemaVersion: 2, manifests: [tower] });
  await expect(findManifest(store.source, tower, amd64, options)).rejects.toMatchObject({ code: "DATA_LOSS" });
});

test("an image says whether it runs here", async () => {
  const { source, root } = sample();
  const config = await imageFrom(source, root, options).config();
  checkPlatform(config, amd64, "it");
  expect(() => checkPlatform(config, parsePlatform("linux/arm64"), "it")).toThrow(
    expect.objectContaining({ code: "NOT_FOUND", hint: expect.stringContaining("linux/amd64") }),
  );
  checkPlatform({ ...config, os: "", architecture: "" }, parsePlatform("linux/arm64"), "it");
});
