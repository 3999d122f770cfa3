import type { Digest, DigestAlgorithm, Hasher } from "@ramekin/core";
import { addon, nativeSupport } from "./addon.ts";

/** Rust's, with the processor's SHA instructions; node:crypto's, which costs a start 6 ms to load, only where the addon is missing. */
export function createHasher(algorithm: DigestAlgorithm): Hasher {
  if (!nativeSupport().ok) return nodeHasher(algorithm);
  const hasher = new (addon().Hasher)(algorithm);
  return {
    update: (chunk) => hasher.update(chunk),
    digest: () => hasher.digest() as Digest,
  };
}

function nodeHasher(algorithm: DigestAlgorithm): Hasher {
  const hash = process.getBuiltinModule("node:crypto").createHash(algorithm);
  return {
    update: (chunk) => void hash.update(chunk),
    digest: () => `${algorithm}:${hash.digest("hex")}`,
  };
}
