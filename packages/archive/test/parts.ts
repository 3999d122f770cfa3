import { createHash } from "node:crypto";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Codec, Digest, DigestAlgorithm, Digester } from "@ramekin/core";

export const digestFor = (bytes: Uint8Array): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export const digester = (algorithm: DigestAlgorithm): Digester => ({
  algorithm,
  create: () => {
    const hash = createHash(algorithm);
    return {
      update: (chunk) => {
        hash.update(chunk);
      },
      digest: () => `${algorithm}:${hash.digest("hex")}` as Digest,
    };
  },
});

/** Takes streams whole: what is tested here is small. */
export const codec = (format: string): Codec => ({
  format,
  detect: () => false,
  decode: async function* (source) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source) chunks.push(chunk);
    yield (format === "gzip" ? gunzipSync : zstdDecompressSync)(Buffer.concat(chunks));
  },
});
