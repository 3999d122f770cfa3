import { createHash } from "node:crypto";
import type { Digest, DigestAlgorithm, Digester } from "@ramekin/core";

/** The tests' own; in an engine, the store asks its context. */
export const nodeDigester = (algorithm: DigestAlgorithm): Digester => ({
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
