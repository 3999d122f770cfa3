import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Codec, Descriptor, Digest, DigestAlgorithm, Digester, ImageSource, ImageTarget } from "@ramekin/core";
import { type ImageOptions, imageFrom, mediaTypes, withRefName } from "@ramekin/oci";
import { collect, digestFor, pieces, sameBytes, utf8 } from "../expect.ts";
import { file, tar } from "../layer/tar.ts";

/** An image in memory: its blobs, its root, and what must come out of it again. */
export interface Sample {
  readonly root: Descriptor;
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[];
  readonly config: Uint8Array;
  readonly layers: readonly Uint8Array[];
}

export const digester = (algorithm: DigestAlgorithm): Digester => ({
  algorithm,
  create: () => {
    const hash = createHash(algorithm);
    return {
      update: (chunk) => void hash.update(chunk),
      digest: () => `${algorithm}:${hash.digest("hex")}` as Digest,
    };
  },
});

/** Whole streams at once: samples are small. */
const gzip: Codec = {
  format: "gzip",
  detect: (bytes) => bytes[0] === 0x1f,
  decode: async function* (source) {
    yield gunzipSync(await collect(source));
  },
};

export const options: ImageOptions = { digester, codec: () => gzip };

export const named = (sample: Sample, name: string | undefined): Descriptor => withRefName(sample.root, name);

/** `seed` tells one from another; the first layer is the same in all. `compressed` layers are gzip. */
export function sample(
  seed: string,
  { compressed = true, size = 1000 }: { readonly compressed?: boolean; readonly size?: number } = {},
): Sample {
  const layers = [tar(file("shared", "in all samples")), tar(file("own", seed.repeat(Math.ceil(size / seed.length))))];
  const blob = (mediaType: string, bytes: Uint8Array) => ({
    descriptor: { mediaType, digest: digestFor(bytes), size: bytes.byteLength },
    bytes,
  });
  const layerBlobs = layers.map((bytes) => (compressed ? blob(mediaTypes.layerGzip, gzipSync(bytes)) : blob(mediaTypes.layer, bytes)));
  // Spaces, and fields that nobody knows: the bytes count, not what they say.
  const config = blob(
    mediaTypes.config,
    utf8(
      JSON.stringify(
        {
          architecture: "amd64",
          os: "linux",
          "x-seed": seed,
          config: { Cmd: ["/own"], Env: ["A=1"] },
          rootfs: { type: "layers", diff_ids: layers.map((bytes) => digestFor(bytes)) },
        },
        null,
        3,
      ),
    ),
  );
  const manifest = blob(
    mediaTypes.manifest,
    utf8(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: config.descriptor,
        layers: layerBlobs.map(({ descriptor }) => descriptor),
      }),
    ),
  );
  return { root: manifest.descriptor, blobs: [...layerBlobs, config, manifest], config: config.bytes, layers };
}

export async function writeTo(target: ImageTarget, sample: Sample, ...names: readonly (string | undefined)[]): Promise<void> {
  for (const { descriptor, bytes } of sample.blobs) await target.blob(descriptor, pieces(bytes, 777));
  for (const name of names) await target.root(named(sample, name));
}

/** Config byte for byte, layers by content: an archive may keep them in another compression, and so another manifest. */
export async function expectImage(source: ImageSource, root: Descriptor, { config, layers }: Sample): Promise<void> {
  const image = imageFrom(source, root, options);
  const manifest = await image.manifest();
  sameBytes(await collect(source.blob(manifest.config)), config, "the config");
  const found = await image.layers();
  assert.equal(found.length, layers.length);
  for (const [index, layer] of found.entries()) {
    sameBytes(await collect(layer.uncompressed()), layers[index] as Uint8Array, `layer ${index}`);
    assert.equal(layer.diffID, digestFor(layers[index] as Uint8Array));
    const blob = await collect(layer.compressed());
    assert.deepEqual([digestFor(blob), blob.byteLength], [layer.descriptor.digest, layer.descriptor.size]);
  }
}
