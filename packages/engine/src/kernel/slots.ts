import { RamekinError } from "@ramekin/core";

/** One extension, from the first wish for it to its disposal. */
export interface Slot {
  readonly label: string;
  /** What its creation is waiting for at the moment: the edges of the graph in which a cycle is a deadlock. */
  readonly waits: Set<Slot>;
  settled: boolean;
}

export const slot = (label: string): Slot => ({ label, waits: new Set(), settled: false });

/**
 * Runs `work` while `asker` waits for `wanted`; FAILED_PRECONDITION when that would close a cycle. A path from the first
 * asker would not do: two creations that were started apart can still wait for each other.
 */
export async function waiting<T>(asker: Slot | undefined, wanted: Slot, work: () => Promise<T>): Promise<T> {
  if (asker === undefined || asker.settled) return work();
  const path = pathTo(wanted, asker);
  if (path) {
    const cycle = [asker, ...path].map(({ label }) => label).join(" → ");
    throw new RamekinError("FAILED_PRECONDITION", `plugins wait for each other: ${cycle}`);
  }
  asker.waits.add(wanted);
  try {
    return await work();
  } finally {
    asker.waits.delete(wanted);
  }
}

function pathTo(from: Slot, to: Slot, seen = new Set<Slot>()): Slot[] | undefined {
  if (from === to) return [from];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const next of from.waits) {
    const rest = pathTo(next, to, seen);
    if (rest) return [from, ...rest];
  }
  return undefined;
}
