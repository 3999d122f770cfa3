import type { Digest } from "@ramekin/core";
import { type HashedBlobs, hashBlobs } from "./check/blobs.ts";
import { checkContainers } from "./check/containers.ts";
import { type BadBlob, expectedSizes, type Inspected, inspect } from "./check/inspect.ts";
import { drop, type Restored, rebuildIndex, restore, takeAway } from "./check/repair.ts";
import { labelOf } from "./check/roots.ts";
import { checkSnapshots } from "./check/snapshots.ts";
import type { Walked } from "./check/walk.ts";
import { unfinishedIn } from "./disk-usage.ts";
import { contentOf } from "./image.ts";
import type { Scope } from "./scope.ts";
import type { CheckOptions, CheckReport, StoreProblem } from "./store-api.ts";

/**
 * See `Engine.check`. Beside anything else that goes on: blobs are hashed without a lock, since they never change, and whatever
 * looks wrong is looked at again under the lock of those who could be at work on it.
 */
export async function check(scope: Scope, options: CheckOptions = {}): Promise<CheckReport> {
  await scope.opened();
  const { repair = false } = options;
  const problems: StoreProblem[] = [];
  for (const problem of (await inspect(scope, new Map())).problems)
    problems.push(repair ? { ...problem, repaired: await rebuildIndex(scope) } : problem);

  const hashed = await hashBlobs(scope, await expectedSizes(scope), options);
  const found = await inspect(scope, hashed.corrupt);
  problems.push(
    ...(repair && found.bad.size > 0 ? await repairBlobs(scope, hashed, found, options) : [...found.bad.values()].map(problemOf)),
  );

  const containers = await checkContainers(scope, repair);
  const snapshots = await checkSnapshots(scope, repair);
  problems.push(...containers.problems, ...snapshots.problems);
  return {
    problems,
    checked: {
      blobs: hashed.blobs.length,
      bytes: hashed.bytes,
      images: found.walked.filter(({ root }) => root.listed).length,
      containers: containers.count,
      snapshots: snapshots.count,
    },
    leftovers: {
      leases: found.deadLeases,
      unfinished: (await unfinishedIn(scope)).count,
      blobs: found.unneeded,
      containers: containers.leftovers,
    },
  };
}

function problemOf({ kind, digest, message, users }: BadBlob): StoreProblem {
  return {
    kind,
    id: digest,
    message,
    images: users.filter(({ root }) => root.listed).flatMap(({ root }) => labelOf(root)),
    containers: users.flatMap(({ root }) => root.containers.map(({ name }) => name)),
  };
}

/** First what can be had again, then away with what cannot work without what is lost. */
async function repairBlobs(
  scope: Scope,
  { corrupt }: HashedBlobs,
  found: Inspected,
  { offline = false, signal }: CheckOptions,
): Promise<readonly StoreProblem[]> {
  await takeAway(scope, corrupt);
  const restored = new Map<Digest, Restored>();
  for (const damaged of damagedBy(found.bad)) {
    restored.set(damaged.root.descriptor.digest, offline ? notAsked : await restore(scope, damaged, signal));
  }
  const lacking = await stillBad(scope, found);
  const dropped = new Map<Digest, string>();
  for (const damaged of damagedBy(lacking)) {
    const { digest } = damaged.root.descriptor;
    const result = restored.get(digest);
    if (result === undefined || "from" in result || result.lost) dropped.set(digest, await drop(scope, damaged, lacking));
  }
  const last = await inspect(scope, new Map());

  const all = new Map([...lacking, ...found.bad]);
  return [...all.values()].map((bad) => {
    const problem = problemOf(bad);
    const roots = bad.users.map(({ root }) => root.descriptor.digest);
    const tell = (texts: readonly (string | undefined)[]) => [...new Set(texts)].filter(Boolean).join("; ");
    const results = roots.flatMap((digest) => restored.get(digest) ?? []);
    const failures = results.flatMap((result) => ("why" in result ? [result] : []));
    const why = tell(failures.map((failure) => failure.why));
    const waiting = lacking.has(bad.digest) ? failures.find(({ lost }) => !lost) : undefined;
    if (waiting) {
      const hint = [...(waiting.hint === undefined ? [] : [waiting.hint]), "repair again when it can be had, or offline to drop it"].join(
        "; ",
      );
      return { ...problem, message: `${problem.message}, and cannot be fetched now: ${why}`, hint };
    }
    if (last.bad.has(bad.digest))
      return why === "" ? problem : { ...problem, message: `${problem.message}, and cannot be fetched: ${why}` };
    if (bad.users.length === 0) return { ...problem, repaired: "removed; nothing needs it" };
    if (!lacking.has(bad.digest))
      return { ...problem, repaired: `fetched again from ${tell(results.flatMap((result) => ("from" in result ? [result.from] : [])))}` };
    return { ...problem, repaired: `${tell(roots.map((digest) => dropped.get(digest)))}: it cannot be fetched (${why})` };
  });
}

const notAsked: Restored = { why: "no registry was asked", lost: true };

/** A platform that has lost a part is not needed any more by a look at what is here: what it was before counts, too. */
async function stillBad(scope: Scope, found: Inspected): Promise<ReadonlyMap<Digest, BadBlob>> {
  const content = await contentOf(scope);
  const bad = new Map((await inspect(scope, new Map())).bad);
  for (const before of found.bad.values()) {
    if (before.users.length > 0 && !(await content.stat(before.digest))) bad.set(before.digest, before);
  }
  return bad;
}

/** Each image once. */
function damagedBy(bad: ReadonlyMap<Digest, BadBlob>): Iterable<Walked> {
  const users = [...bad.values()].flatMap((each) => each.users);
  return new Map(users.map((walked) => [walked.root.descriptor.digest, walked])).values();
}
