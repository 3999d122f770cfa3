import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type ByteStream,
  type Descriptor,
  type Digest,
  type ErrorCode,
  isRamekinError,
  type Manifest,
  type Reference,
  type RegistryClient,
} from "@ramekin/core";
import { mediaTypes } from "@ramekin/oci";
import type { Suite } from "./suite.ts";

/** A client, and where it may write: an empty part of a registry, below which the suite makes its repositories. */
export type RegistryUnderTest = RegistryClient & { readonly home: Pick<Reference, "registry" | "repository"> };

interface Blob {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

const rejects = (promise: Promise<unknown>, code: ErrorCode) => assert.rejects(promise, (error) => isRamekinError(error, code));

const blob = (content: string | Uint8Array, mediaType: string = mediaTypes.layer): Blob => {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { bytes, descriptor: { mediaType, digest, size: bytes.byteLength } };
};
const json = (value: unknown, mediaType: string) => blob(JSON.stringify(value), mediaType);

const source = ({ bytes }: Pick<Blob, "bytes">) =>
  async function* (offset: number): ByteStream {
    yield bytes.subarray(offset);
  };

async function collect(stream: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Not `deepEqual`: its explanation of how two megabytes differ takes minutes, and all memory. */
const sameBytes = (found: Uint8Array | undefined, expected: Uint8Array) =>
  assert.ok(found && Buffer.compare(found, expected) === 0, `${found?.byteLength} bytes are not the ${expected.byteLength} expected`);

async function list<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const repository = ({ home }: RegistryUnderTest, name: string): Reference => ({
  registry: home.registry,
  repository: `${home.repository}/${name}`,
});
const put = (registry: RegistryClient, at: Reference, what: Blob) => registry.push(at, what.descriptor, source(what));

/** A small image, pushed and named. `content` tells it from others. */
async function image(registry: RegistryUnderTest, at: Reference, content: string): Promise<Blob> {
  const layer = blob(`layer of ${content}`);
  const config = json({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, content }, mediaTypes.config);
  const document: Manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: config.descriptor, layers: [layer.descriptor] };
  const manifest = json(document, mediaTypes.manifest);
  for (const part of [layer, config, manifest]) await put(registry, at, part);
  if (at.tag !== undefined) await registry.tag(at, manifest.descriptor);
  return manifest;
}

/** An artifact about another manifest: a signature, an SBOM. Resolves with its digest. */
async function attach(registry: RegistryUnderTest, at: Reference, { descriptor: subject }: Blob, artifactType: string): Promise<Digest> {
  const config = blob("{}", "application/vnd.oci.empty.v1+json");
  const layer = blob(`about it: ${artifactType}`, "text/plain");
  const document = { mediaType: mediaTypes.manifest, artifactType, config: config.descriptor, layers: [layer.descriptor], subject };
  const manifest = json({ schemaVersion: 2, ...document }, mediaTypes.manifest);
  for (const part of [layer, config, manifest]) await put(registry, at, part);
  return manifest.descriptor.digest;
}

const withTag = (reference: Reference, tag: string): Reference => ({ ...reference, tag });
const withDigest = (reference: Reference, { digest }: Descriptor): Reference => ({ ...reference, digest });
const same = (found: Descriptor, expected: Descriptor) => {
  const { mediaType, digest, size } = found;
  assert.deepEqual({ mediaType, digest, size }, expected);
};

export const registrySuite: Suite<RegistryUnderTest> = {
  kind: "registry",
  cases: [
    {
      name: "a tag resolves to the manifest that it was given to",
      async run(registry) {
        const at = withTag(repository(registry, "app"), "v1");
        const { descriptor } = await image(registry, at, "one");
        same(await registry.resolve(at), descriptor);
      },
    },
    {
      name: "a digest resolves to itself, tagged or not",
      async run(registry) {
        const at = repository(registry, "app");
        const { descriptor } = await image(registry, at, "one");
        same(await registry.resolve(withDigest(at, descriptor)), descriptor);
      },
    },
    {
      name: "an unknown tag, digest or repository is not found",
      async run(registry) {
        const at = repository(registry, "app");
        await image(registry, withTag(at, "v1"), "one");
        await rejects(registry.resolve(withTag(at, "v2")), "NOT_FOUND");
        await rejects(registry.resolve(withDigest(at, blob("never pushed").descriptor)), "NOT_FOUND");
        await rejects(registry.resolve(withTag(repository(registry, "nobody"), "v1")), "NOT_FOUND");
      },
    },
    {
      name: "an index stays whole",
      async run(registry) {
        const at = withTag(repository(registry, "app"), "v1");
        const amd64 = await image(registry, repository(registry, "app"), "amd64");
        const arm64 = await image(registry, repository(registry, "app"), "arm64");
        const manifests = [amd64, arm64].map(({ descriptor }, index) => ({
          ...descriptor,
          platform: { os: "linux", architecture: ["amd64", "arm64"][index] },
        }));
        const index = json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }, mediaTypes.index);
        await put(registry, at, index);
        await registry.tag(at, index.descriptor);
        same(await registry.resolve(at), index.descriptor);
        sameBytes(await collect(registry.fetch(at, index.descriptor)), index.bytes);
      },
    },
    {
      name: "what was pushed is fetched, byte for byte",
      async run(registry) {
        const at = repository(registry, "app");
        const large = blob(new Uint8Array(1 << 20).map((_, index) => index * 7));
        await put(registry, at, large);
        sameBytes(await collect(registry.fetch(at, large.descriptor)), large.bytes);
        const manifest = await image(registry, at, "one");
        sameBytes(await collect(registry.fetch(at, manifest.descriptor)), manifest.bytes);
      },
    },
    {
      name: "fetch goes on from an offset",
      async run(registry) {
        const at = repository(registry, "app");
        const layer = blob("0123456789");
        await put(registry, at, layer);
        assert.equal(String(await collect(registry.fetch(at, layer.descriptor, { offset: 4 }))), "456789");
        assert.equal(String(await collect(registry.fetch(at, layer.descriptor, { offset: 10 }))), "");
        const manifest = await image(registry, at, "one");
        const rest = await collect(registry.fetch(at, manifest.descriptor, { offset: 5 }));
        sameBytes(rest, manifest.bytes.subarray(5));
      },
    },
    {
      name: "an offset beyond the end is invalid",
      async run(registry) {
        const at = repository(registry, "app");
        const layer = blob("0123456789");
        await put(registry, at, layer);
        await rejects(collect(registry.fetch(at, layer.descriptor, { offset: 11 })), "INVALID_ARGUMENT");
      },
    },
    {
      name: "what is not there cannot be fetched",
      async run(registry) {
        const at = repository(registry, "app");
        await put(registry, at, blob("something"));
        await rejects(collect(registry.fetch(at, blob("absent").descriptor)), "NOT_FOUND");
        await rejects(collect(registry.fetch(at, blob("absent", mediaTypes.manifest).descriptor)), "NOT_FOUND");
      },
    },
    {
      name: "a fetch that is broken off leaves the client usable",
      async run(registry) {
        const at = repository(registry, "app");
        const large = blob(new Uint8Array(4 << 20).fill(7));
        await put(registry, at, large);
        for await (const chunk of registry.fetch(at, large.descriptor)) {
          assert.ok(chunk.byteLength > 0);
          break;
        }
        assert.equal((await collect(registry.fetch(at, large.descriptor))).byteLength, large.descriptor.size);
      },
    },
    {
      name: "fetches at the same time do not mix",
      async run(registry) {
        const at = repository(registry, "app");
        const blobs = [1, 2, 3, 4].map((fill) => blob(new Uint8Array(256 << 10).fill(fill)));
        await Promise.all(blobs.map((each) => put(registry, at, each)));
        const found = await Promise.all(blobs.map(({ descriptor }) => collect(registry.fetch(at, descriptor))));
        blobs.forEach(({ bytes }, index) => {
          sameBytes(found[index], bytes);
        });
      },
    },
    {
      name: "exists tells what is there from what is not",
      async run(registry) {
        const at = repository(registry, "app");
        const layer = blob("layer");
        const manifest = await image(registry, at, "one");
        await put(registry, at, layer);
        assert.equal(await registry.exists(at, layer.descriptor), true);
        assert.equal(await registry.exists(at, manifest.descriptor), true);
        assert.equal(await registry.exists(at, blob("absent").descriptor), false);
        assert.equal(await registry.exists(at, blob("absent", mediaTypes.manifest).descriptor), false);
      },
    },
    {
      name: "repositories are apart",
      async run(registry) {
        const layer = blob("layer");
        await put(registry, repository(registry, "app"), layer);
        await put(registry, repository(registry, "other"), blob("something else"));
        assert.equal(await registry.exists(repository(registry, "other"), layer.descriptor), false);
      },
    },
    {
      name: "a push of what exists reads no byte",
      async run(registry) {
        const at = repository(registry, "app");
        const layer = blob("layer");
        await put(registry, at, layer);
        await registry.push(at, layer.descriptor, () => assert.fail("the source was read"));
      },
    },
    {
      name: "a push of other bytes than described fails and leaves nothing",
      async run(registry) {
        const at = repository(registry, "app");
        await put(registry, at, blob("something"));
        const { descriptor } = blob("right");
        for (const bytes of ["wrong", "righ", "right!"].map((text) => new TextEncoder().encode(text))) {
          await assert.rejects(registry.push(at, descriptor, source({ bytes })), (error) => isRamekinError(error));
          assert.equal(await registry.exists(at, descriptor), false);
        }
      },
    },
    {
      name: "a mount takes the blob from another repository",
      async run(registry) {
        const [from, to] = [repository(registry, "from"), repository(registry, "to")];
        const layer = blob("layer");
        await put(registry, from, layer);
        await registry.push(to, layer.descriptor, () => assert.fail("the source was read"), { mountFrom: from.repository });
        sameBytes(await collect(registry.fetch(to, layer.descriptor)), layer.bytes);
      },
    },
    {
      name: "a mount that fails turns into an upload",
      async run(registry) {
        const to = repository(registry, "to");
        const layer = blob("layer");
        await registry.push(to, layer.descriptor, source(layer), { mountFrom: repository(registry, "nobody").repository });
        assert.equal(await registry.exists(to, layer.descriptor), true);
      },
    },
    {
      name: "a tag moves, and what it left stays",
      async run(registry) {
        const at = withTag(repository(registry, "app"), "latest");
        const old = await image(registry, at, "old");
        const young = await image(registry, at, "young");
        same(await registry.resolve(at), young.descriptor);
        same(await registry.resolve(withDigest(repository(registry, "app"), old.descriptor)), old.descriptor);
      },
    },
    {
      name: "tagging needs a tag",
      async run(registry) {
        const at = repository(registry, "app");
        const { descriptor } = await image(registry, at, "one");
        await rejects(registry.tag(at, descriptor), "INVALID_ARGUMENT");
      },
    },
    {
      name: "tags lists each tag once",
      needs: ["tags"],
      async run(registry) {
        const at = repository(registry, "app");
        for (const tag of ["v1", "v2", "latest", "v2"]) await image(registry, withTag(at, tag), tag);
        assert.deepEqual((await list(registry.tags?.(at) ?? [])).sort(), ["latest", "v1", "v2"]);
        await rejects(list(registry.tags?.(repository(registry, "nobody")) ?? []), "NOT_FOUND");
      },
    },
    {
      name: "referrers are what was pushed about a manifest, of one type when asked",
      needs: ["referrers"],
      async run(registry) {
        const at = repository(registry, "app");
        const subject = await image(registry, at, "one");
        const found = async (artifactType?: string) => {
          const listed = registry.referrers?.(at, subject.descriptor, artifactType === undefined ? {} : { artifactType });
          return (await list(listed ?? [])).map(({ digest, artifactType: type }) => `${type} ${digest}`).sort();
        };
        assert.deepEqual(await found(), []);
        const [sbom, signature] = [
          await attach(registry, at, subject, "application/x.sbom"),
          await attach(registry, at, subject, "application/x.signature"),
        ];
        assert.deepEqual(await found(), [`application/x.sbom ${sbom}`, `application/x.signature ${signature}`]);
        assert.deepEqual(await found("application/x.signature"), [`application/x.signature ${signature}`]);
      },
    },
    {
      name: "what was deleted is gone",
      needs: ["delete"],
      async run(registry) {
        const at = withTag(repository(registry, "app"), "v1");
        const { descriptor } = await image(registry, at, "one");
        await registry.delete?.(at, descriptor);
        await rejects(registry.resolve(withDigest(repository(registry, "app"), descriptor)), "NOT_FOUND");
        const layer = blob("layer");
        await put(registry, at, layer);
        await registry.delete?.(at, layer.descriptor);
        assert.equal(await registry.exists(at, layer.descriptor), false);
      },
    },
    {
      name: "what was cancelled before it began does not begin",
      async run(registry) {
        const at = withTag(repository(registry, "app"), "v1");
        const { descriptor } = await image(registry, at, "one");
        const { signal } = { signal: AbortSignal.abort() };
        const layer = blob("layer");
        await rejects(registry.resolve(at, { signal }), "CANCELLED");
        await rejects(collect(registry.fetch(at, descriptor, { signal })), "CANCELLED");
        await rejects(registry.push(at, layer.descriptor, source(layer), { signal }), "CANCELLED");
        assert.equal(await registry.exists(at, layer.descriptor), false);
      },
    },
    {
      name: "a fetch ends when it is cancelled",
      async run(registry) {
        const at = repository(registry, "app");
        const large = blob(new Uint8Array(8 << 20).fill(7));
        await put(registry, at, large);
        const controller = new AbortController();
        const { signal } = controller;
        await rejects(
          (async () => {
            for await (const _ of registry.fetch(at, large.descriptor, { signal })) controller.abort();
          })(),
          "CANCELLED",
        );
      },
    },
  ],
};
