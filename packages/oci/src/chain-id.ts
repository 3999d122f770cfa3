import type { ChainID, DiffID, Digester } from "@ramekin/core";
import { digestOf } from "./digest.ts";

/**
 * The chain id of each layer's stack, base first (OCI image spec, config.md, "Layer ChainID"): the first is the diff id itself,
 * each further one the digest of `<chain id below> <diff id>`.
 */
export async function chainIDs(diffIDs: readonly DiffID[], digester: Digester): Promise<readonly ChainID[]> {
  const chain: ChainID[] = [];
  for (const diffID of diffIDs) {
    const below = chain.at(-1);
    const id = below === undefined ? diffID : await digestOf(new TextEncoder().encode(`${below} ${diffID}`), digester);
    chain.push(id as string as ChainID);
  }
  return chain;
}
