import type { Digest, DigestAlgorithm, Hasher } from "@ramekin/core";
import { addon } from "./addon.ts";

/** Rust's, with the processor's SHA instructions. */
export function createHasher(algorithm: DigestAlgorithm): Hasher {
  const hasher = new (addon().Hasher)(algorithm);
  return {
    update: (chunk) => hasher.update(chunk),
    digest: () => hasher.digest() as Digest,
  };
}
