import { type ByteStream, type Cancellable, type Digest, type Image, type Layer, RamekinError } from "@ramekin/core";
import { type DigesterFor, digestAlgorithm } from "./digest.ts";

/**
 * Reads every byte of an image and reports all that is wrong with it, not only the first: DATA_LOSS with `errors`.
 * Layers are read twice, once for the digest and size of the blob and once for the diff id.
 */
export async function validateImage(image: Image, options: { readonly digester: DigesterFor } & Cancellable): Promise<void> {
  const errors: RamekinError[] = [];
  const check = async (step: () => Promise<void>) => {
    try {
      await step();
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof RamekinError)) throw error;
      errors.push(...(error.errors.length > 0 ? error.errors : [error]));
    }
  };

  let layers: readonly Layer[] = [];
  await check(async () => {
    layers = await image.layers();
  });
  for (const { descriptor, diffID, compressed, uncompressed } of layers) {
    await check(async () => {
      const { digest, size } = await measure(compressed(options), descriptor.digest, options.digester);
      if (size !== descriptor.size)
        throw new RamekinError("DATA_LOSS", `layer ${descriptor.digest} has ${size} bytes, not ${descriptor.size}`);
      if (digest !== descriptor.digest) throw new RamekinError("DATA_LOSS", `layer ${descriptor.digest} has the digest ${digest}`);
    });
    await check(async () => {
      const { digest } = await measure(uncompressed(options), diffID, options.digester);
      if (digest !== diffID) throw new RamekinError("DATA_LOSS", `layer ${descriptor.digest} has the diff id ${digest}, not ${diffID}`);
    });
  }
  const [first] = errors;
  if (first) throw new RamekinError("DATA_LOSS", `image ${image.descriptor.digest} is invalid: ${first.message}`, { errors });
}

async function measure(bytes: ByteStream, like: Digest, digester: DigesterFor): Promise<{ digest: Digest; size: number }> {
  const hasher = await (await digester(digestAlgorithm(like))).create();
  let size = 0;
  for await (const chunk of bytes) {
    hasher.update(chunk);
    size += chunk.byteLength;
  }
  return { digest: hasher.digest(), size };
}
