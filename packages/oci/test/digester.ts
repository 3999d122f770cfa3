import { createHash } from "node:crypto";
import type { Digest, DigestAlgorithm, Digester } from "@ramekin/core";

/** The tests' own: the package under test is given one, and has none. */
export const nodeDigester = (algorithm: DigestAlgorithm): Digester => ({
  algorithm,
  create: () => {
    const hash = createHash(algorithm);
    return { update: (chunk) => void hash.update(chunk), digest: () => `${algorithm}:${hash.digest("hex")}` as Digest };
  },
});
