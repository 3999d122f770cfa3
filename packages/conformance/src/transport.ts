import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { ByteStream, Descriptor, ImageTarget, Transport } from "@ramekin/core";
import { imageFrom, mediaTypes, refName } from "@ramekin/oci";
import { soon } from "./codec/streams.ts";
import { collect, digestFor, pieces, rejects, sameBytes, utf8 } from "./expect.ts";
import type { Case, Suite } from "./suite.ts";
import { expectImage, named, options, sample, writeTo } from "./transport/image.ts";

/** A transport, and room for what it writes. */
export interface TransportUnderTest extends Transport {
  /** A path in an empty directory that is there, with nothing at it; another each time. */
  fresh(): Promise<string>;
  /** How many files, temporary ones too, there are at and around the paths that `fresh` gave. */
  files(): Promise<number>;
  readonly capabilities: {
    /** One file, so that a stream will do as well. */
    readonly archive?: boolean;
    /** Keeps an index whole. */
    readonly indexes?: boolean;
  };
}

const debian = "docker.io/library/debian:12";
const other = "registry.example/team/app:1.0";

const target = (transport: TransportUnderTest, location: string | WritableStream<Uint8Array>): Promise<ImageTarget> =>
  (transport.target ?? (() => Promise.reject(new Error("no target"))))(location);

/** Written with these names, at a fresh place. */
async function written(
  transport: TransportUnderTest,
  ...images: readonly (readonly [ReturnType<typeof sample>, ...(string | undefined)[]])[]
): Promise<string> {
  const location = await transport.fresh();
  await using into = await target(transport, location);
  for (const [image, ...names] of images) await writeTo(into, image, ...names);
  await into.commit();
  return location;
}

const names = (roots: readonly Descriptor[]) => roots.map((root) => refName(root)).sort();

async function archiveBytes(transport: TransportUnderTest, image: ReturnType<typeof sample>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk.slice()) });
  await using into = await target(transport, stream);
  await writeTo(into, image, debian);
  await into.commit();
  return Buffer.concat(chunks);
}

const cases: readonly Case<TransportUnderTest>[] = [
  {
    name: "an image goes there and comes back",
    needs: ["target"],
    async run(transport) {
      for (const image of [sample("gzip"), sample("plain", { compressed: false })]) {
        await using source = await transport.source(await written(transport, [image, debian]));
        const [root, ...more] = await source.roots();
        assert.deepEqual([root && refName(root), more.length], [debian, 0]);
        await expectImage(source, root as Descriptor, image);
      }
    },
  },
  {
    name: "several images, with one name, with two, with none",
    needs: ["target"],
    async run(transport) {
      const [a, b, c] = [sample("a"), sample("b"), sample("c")];
      await using source = await transport.source(
        await written(transport, [a, debian], [b, other, "registry.example/team/app:2"], [c, undefined]),
      );
      const roots = await source.roots();
      assert.deepEqual(names(roots), [debian, other, "registry.example/team/app:2", undefined]);
      for (const root of roots) await expectImage(source, root, refName(root) === debian ? a : refName(root) === undefined ? c : b);
    },
  },
  {
    name: "a location may end with the name that is wanted",
    needs: ["target"],
    async run(transport) {
      const location = await written(transport, [sample("a"), debian], [sample("b"), other]);
      await using source = await transport.source(`${location}:${other}`);
      assert.deepEqual(names(await source.roots()), [other]);
      await rejects(
        transport.source(`${location}:registry.example/absent:1`).then(async (found) => {
          await using _ = found;
          return await found.roots(); // awaited here: disposal takes a moment in which nobody would listen
        }),
        "NOT_FOUND",
      );
    },
  },
  {
    name: "a location may end with the name that is given",
    needs: ["target"],
    async run(transport) {
      const location = await transport.fresh();
      const image = sample("a");
      {
        await using into = await target(transport, `${location}:${other}`);
        await writeTo(into, image, debian);
        await into.commit();
      }
      await using source = await transport.source(location);
      assert.deepEqual(names(await source.roots()), [other]);
    },
  },
  {
    name: "blobs can be read from any offset",
    needs: ["target"],
    async run(transport) {
      const image = sample("offset", { compressed: false, size: 700_000 });
      await using source = await transport.source(await written(transport, [image, debian]));
      const [root] = await source.roots();
      const manifest = await imageFrom(source, root as Descriptor, options).manifest();
      for (const blob of [manifest.layers[1] as Descriptor, manifest.config, root as Descriptor]) {
        const whole = await collect(source.blob(blob));
        for (const offset of [0, 1, blob.size - 1, blob.size])
          sameBytes(await collect(source.blob(blob, { offset })), whole.subarray(offset), `from ${offset}`);
        await rejects(collect(source.blob(blob, { offset: blob.size + 1 })), "INVALID_ARGUMENT");
      }
    },
  },
  {
    name: "a blob that is not there is not found",
    needs: ["target"],
    async run(transport) {
      await using source = await transport.source(await written(transport, [sample("a"), debian]));
      await rejects(collect(source.blob({ mediaType: mediaTypes.layer, digest: digestFor(utf8("absent")), size: 6 })), "NOT_FOUND");
      await rejects(
        collect(source.blob({ mediaType: mediaTypes.layer, digest: "sha256:../../../etc/passwd", size: 6 })),
        "INVALID_ARGUMENT",
        "NOT_FOUND",
      );
    },
  },
  {
    name: "nothing shows before the commit, and nothing stays without one",
    needs: ["target"],
    async run(transport) {
      const location = await transport.fresh();
      const before = await transport.files();
      {
        await using into = await target(transport, location);
        await writeTo(into, sample("a"), debian);
        await rejects(transport.source(location), "NOT_FOUND");
      }
      await rejects(transport.source(location), "NOT_FOUND");
      assert.equal(await transport.files(), before);
    },
  },
  {
    name: "a commit leaves no temporary file",
    needs: ["target", "archive"],
    async run(transport) {
      const before = await transport.files();
      await written(transport, [sample("a"), debian]);
      assert.equal(await transport.files(), before + 1);
    },
  },
  {
    name: "a blob that is written twice is read once",
    needs: ["target"],
    async run(transport) {
      const location = await transport.fresh();
      const image = sample("a");
      await using into = await target(transport, location);
      await writeTo(into, image, debian);
      const never = (async function* (): ByteStream & AsyncGenerator<Uint8Array> {
        yield utf8("not read at all");
        assert.fail("it was read");
      })();
      for (const { descriptor } of image.blobs) await into.blob(descriptor, never);
      await into.commit();
      await using source = await transport.source(location);
      await expectImage(source, (await source.roots())[0] as Descriptor, image);
    },
  },
  {
    name: "other bytes than the descriptor's are refused",
    needs: ["target"],
    async run(transport) {
      for (const index of [0, 2]) {
        for (const bytes of [utf8("wrong"), sample("wrong").blobs[1]?.bytes ?? utf8(""), new Uint8Array(0)]) {
          await using into = await target(transport, await transport.fresh());
          const { descriptor } = sample("a").blobs[index] as { descriptor: Descriptor };
          await rejects(into.blob(descriptor, pieces(bytes)), "DATA_LOSS");
        }
      }
    },
  },
  {
    name: "a root has to be written first",
    needs: ["target"],
    async run(transport) {
      await using into = await target(transport, await transport.fresh());
      await rejects(into.root(named(sample("a"), debian)), "FAILED_PRECONDITION");
    },
  },
  {
    name: "where nothing is, nothing is found",
    async run(transport) {
      await rejects(transport.source(await transport.fresh()), "NOT_FOUND");
    },
  },
  {
    name: "a file of something else is refused",
    async run(transport) {
      for (const content of ["", "not an image", "x".repeat(5000)]) {
        const path = await transport.fresh();
        await writeFile(path, content);
        await rejects(transport.source(path), "DATA_LOSS", "INVALID_ARGUMENT", "NOT_FOUND");
      }
    },
  },
  {
    name: "a signal that has fired is heard",
    needs: ["target", "archive"],
    async run(transport) {
      const location = await written(transport, [sample("a"), debian]);
      await rejects(transport.source(location, { signal: AbortSignal.abort() }), "CANCELLED");
    },
  },
  {
    name: "a signal ends a blob on its way",
    needs: ["target"],
    async run(transport) {
      const stop = new AbortController();
      await using into = await target(transport, await transport.fresh());
      const { descriptor, bytes } = sample("a", { compressed: false }).blobs[1] as { descriptor: Descriptor; bytes: Uint8Array };
      const stuck = (async function* () {
        yield bytes.subarray(0, 100);
        setTimeout(() => stop.abort(), 20);
        await new Promise(() => {});
      })();
      await soon(rejects(into.blob(descriptor, stuck, { signal: stop.signal }), "CANCELLED"));
    },
  },
  {
    name: "an index is kept whole, with what it lacks",
    needs: ["target", "indexes"],
    async run(transport) {
      const image = sample("amd64");
      const absent = sample("arm64").root;
      const bytes = utf8(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.index,
          manifests: [
            { ...image.root, platform: { os: "linux", architecture: "amd64" } },
            { ...absent, platform: { os: "linux", architecture: "arm64" } },
          ],
        }),
      );
      const root = {
        mediaType: mediaTypes.index,
        digest: digestFor(bytes),
        size: bytes.byteLength,
        annotations: { "org.opencontainers.image.ref.name": debian },
      };
      const location = await transport.fresh();
      {
        await using into = await target(transport, location);
        await writeTo(into, image);
        await into.blob(root, pieces(bytes));
        await into.root(root);
        await into.commit();
      }
      await using source = await transport.source(location);
      const [found] = await source.roots();
      assert.deepEqual([found?.digest, found?.mediaType], [root.digest, mediaTypes.index]);
      sameBytes(await collect(source.blob(found as Descriptor)), bytes);
      await expectImage(source, image.root, image);
    },
  },
  {
    name: "a stream is as good as a path",
    needs: ["target", "archive"],
    async run(transport) {
      const image = sample("stream", { size: 300_000 });
      const bytes = await archiveBytes(transport, image);
      await using source = await transport.source(pieces(bytes, 10_007));
      const [root] = await source.roots();
      assert.equal(root && refName(root), debian);
      await expectImage(source, root as Descriptor, image);
    },
  },
  {
    name: "archives may be compressed, as paths and as streams",
    needs: ["target", "archive"],
    async run(transport) {
      const image = sample("packed");
      const bytes = await archiveBytes(transport, image);
      const before = await transport.files();
      for (const packed of [gzipSync(bytes), zstdCompressSync(bytes)]) {
        const path = await transport.fresh();
        await writeFile(path, packed);
        for (const location of [path, pieces(packed)]) {
          await using source = await transport.source(location);
          await expectImage(source, (await source.roots())[0] as Descriptor, image);
        }
      }
      // Spooled, and gone.
      assert.equal(await transport.files(), before + 2);
    },
  },
  {
    name: "the same images make the same archive",
    needs: ["target", "archive"],
    async run(transport) {
      sameBytes(await archiveBytes(transport, sample("same")), await archiveBytes(transport, sample("same")));
    },
  },
  {
    name: "an archive that is cut off is corrupt, or holds no image",
    needs: ["target", "archive"],
    async run(transport) {
      const bytes = await archiveBytes(transport, sample("cut"));
      for (const length of [100, 700, bytes.byteLength >> 1, bytes.byteLength - 2000]) {
        await rejects(
          transport.source(pieces(bytes.subarray(0, length))).then(async (found) => {
            await using _ = found;
          }),
          "DATA_LOSS",
          "NOT_FOUND",
        );
      }
    },
  },
];

/** What it means to reach images outside of the store. */
export const transportSuite: Suite<TransportUnderTest> = { kind: "transport", cases };
