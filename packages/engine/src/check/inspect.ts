import type { Descriptor, Digest } from "@ramekin/core";
import { contentOf } from "../image.ts";
import type { Scope } from "../scope.ts";
import { withLock } from "../store/lock.ts";
import type { StoreProblem } from "../store-api.ts";
import { type Corrupt, isSame } from "./blobs.ts";
import { labelOf, liveLeases, readRoots } from "./roots.ts";
import { type Walked, walk } from "./walk.ts";

/** A blob that is not as it should be, with the images that need it. */
export interface BadBlob {
  readonly kind: "corrupt" | "missing";
  readonly digest: Digest;
  readonly message: string;
  readonly users: readonly Walked[];
}

export interface Inspected {
  readonly walked: readonly Walked[];
  readonly bad: ReadonlyMap<Digest, BadBlob>;
  /** Of the files that say what images there are. */
  readonly problems: readonly StoreProblem[];
  readonly deadLeases: number;
  /** Blobs that no image needs, nor anybody at work. */
  readonly unneeded: number;
}

/** Holds images against blobs. Under the store's shared lock: no collection takes away what has just been found to be needed. */
export async function inspect(scope: Scope, corrupt: ReadonlyMap<Digest, Corrupt>): Promise<Inspected> {
  return withLock(scope.paths.lock, { exclusive: false }, () => inspectLocked(scope, corrupt));
}

async function inspectLocked(scope: Scope, corrupt: ReadonlyMap<Digest, Corrupt>): Promise<Inspected> {
  const content = await contentOf(scope);
  const leases = await liveLeases(scope);
  const { roots, problems } = await readRoots(scope);
  const walked = await Promise.all(roots.map((root) => walk(content, root, scope.platform)));
  const bad = new Map<Digest, BadBlob>();
  const tell = (digest: Digest, kind: BadBlob["kind"], message: string, user?: Walked) => {
    const users = [...(bad.get(digest)?.users ?? []), ...(user ? [user] : [])];
    bad.set(digest, { kind, digest, message, users });
  };
  for (const [digest, { info, why }] of corrupt) {
    if (!isSame(await content.stat(digest), info)) continue;
    tell(digest, "corrupt", `blob ${digest} ${why}`);
    for (const each of walked) if (each.needed.has(digest)) tell(digest, "corrupt", `blob ${digest} ${why}`, each);
  }
  for (const each of walked) {
    for (const { digest } of each.needed.values()) {
      if (leases.digests.has(digest) || (await content.stat(digest))) continue;
      tell(digest, "missing", `${nameOf(each)} lacks blob ${digest}`, each);
    }
  }
  let unneeded = 0;
  for await (const { digest } of content.list()) {
    if (!leases.digests.has(digest) && !walked.some(({ needed }) => needed.has(digest))) unneeded++;
  }
  return { walked, bad, problems, deadLeases: leases.dead, unneeded };
}

const nameOf = ({ root }: Walked) => labelOf(root)[0] ?? root.descriptor.digest;

/** What blobs should weigh, before they are read. */
export async function expectedSizes(scope: Scope): Promise<ReadonlyMap<Digest, number>> {
  const content = await contentOf(scope);
  const { roots } = await readRoots(scope);
  const needed: Descriptor[] = [];
  for (const root of roots) needed.push(...(await walk(content, root, scope.platform)).needed.values());
  return new Map(needed.map(({ digest, size }) => [digest, size]));
}
