import { createHash } from "node:crypto";
import type { Digest } from "@ramekin/core";

/**
 * What makes two steps the same: their inputs. The key of a step is a hash over the key of the one before and all that its result
 * depends on. What it is called, when it runs and who asks is not part of it.
 */
export function cacheKey(kind: string, before: Digest | undefined, inputs: unknown): Digest {
  return `sha256:${createHash("sha256")
    .update(JSON.stringify([1, kind, before, inputs]))
    .digest("hex")}`;
}
