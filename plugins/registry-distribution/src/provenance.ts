import type { Digest } from "@ramekin/core";

/** Which mirrors had a part in a blob, and which of them are not asked for it again. */
export interface Provenance {
  cameFrom(mirror: string, digest: Digest): void;
  /** It has it wrong, or not all of it. */
  avoid(mirror: string, digest: Digest, why: string): void;
  avoided(digest: Digest): ReadonlySet<string>;
  /** All that had a part in it are avoided from now on; false when it came from the registry alone. */
  distrust(digest: Digest): boolean;
}

export function provenance(warn: (message: string) => void): Provenance {
  const parts = new Map<Digest, Set<string>>();
  const wrong = new Map<Digest, Set<string>>();
  const enter = (map: Map<Digest, Set<string>>, digest: Digest, mirror: string) =>
    map.set(digest, (map.get(digest) ?? new Set()).add(mirror));
  const avoid: Provenance["avoid"] = (mirror, digest, why) => {
    enter(wrong, digest, mirror);
    warn(`mirror ${mirror} was passed over for ${digest}: ${why}`);
  };
  return {
    cameFrom: (mirror, digest) => void enter(parts, digest, mirror),
    avoid,
    avoided: (digest) => wrong.get(digest) ?? new Set(),
    distrust(digest) {
      const mirrors = parts.get(digest);
      parts.delete(digest);
      for (const mirror of mirrors ?? []) if (!wrong.get(digest)?.has(mirror)) avoid(mirror, digest, "what it serves has another digest");
      return mirrors !== undefined;
    },
  };
}
