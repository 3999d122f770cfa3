import type { DigestAlgorithm, Digester } from "@ramekin/core";
import { createHasher } from "@ramekin/native";

/** sha256 and sha512 in Rust, in Node's own thread: handing the bytes to another would cost as much. */
export function nativeDigester(algorithm: DigestAlgorithm): Digester {
  return { algorithm, create: () => createHasher(algorithm) };
}
