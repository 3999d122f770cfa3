import { createHash } from "node:crypto";
import type { Digest, DigestAlgorithm, Digester } from "@ramekin/core";

/** sha256 and sha512 by OpenSSL, with the processor's SHA instructions. */
export function nodeDigester(algorithm: DigestAlgorithm): Digester {
  return {
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
  };
}
