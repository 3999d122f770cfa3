import type { Digest, DigestAlgorithm, Digester } from "@ramekin/core";
import { createSHA256, createSHA512 } from "hash-wasm";

const create = { sha256: createSHA256, sha512: createSHA512 } as const;

/** sha256 and sha512 in WebAssembly, by hash-wasm. Each hasher is a module instance of its own. */
export function wasmDigester(algorithm: DigestAlgorithm): Digester {
  return {
    algorithm,
    create: async () => {
      const hash = await create[algorithm]();
      hash.init();
      return {
        update: (chunk) => {
          hash.update(chunk);
        },
        digest: () => `${algorithm}:${hash.digest("hex")}` as Digest,
      };
    },
  };
}
