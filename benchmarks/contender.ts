/** One engine, runtime or floor that does the same work as the others. */
export interface Contender {
  readonly name: string;
  /** Why it cannot take part here; printed, never dropped in silence. */
  readonly absent?: string;
  /** Once, before the first round. */
  prepare?(): Promise<void>;
  /** Not measured, before each run: takes away what the last one made. */
  reset?(): Promise<void>;
  /** The measured work; rejects when the work was not done. Resolves with what it took beside time, where that is known. */
  run?(): Promise<Effort | undefined>;
  /** After the last round, also after a failure. */
  dispose?(): Promise<void>;
}

export interface Effort {
  /** The largest resident set of its processes, in bytes. */
  readonly resident: number;
}

export interface Measurement {
  readonly name: string;
  /** Milliseconds, in the order taken. */
  readonly samples: readonly number[];
  /** The largest of all runs. */
  readonly resident?: number;
}

/** `p` in 0…1, of samples in any order. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

/**
 * Interleaved: one run of each, round after round, so that a noisy minute hits all alike; after `idle` milliseconds of
 * quiet, since the first move into a cgroup after a pause waits for an RCU grace period and loops would hide it.
 */
export async function measure(
  contenders: readonly Contender[],
  { rounds, idle }: { rounds: number; idle: number },
): Promise<Measurement[]> {
  const taking = contenders.filter(({ absent }) => absent === undefined);
  const samples = new Map<string, number[]>(taking.map(({ name }) => [name, []]));
  const resident = new Map<string, number>();
  try {
    for (const contender of taking) {
      await contender.prepare?.();
      await contender.reset?.();
      await contender.run?.(); // caches warm, as for every later round
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of taking) {
        await contender.reset?.();
        await new Promise((resolve) => setTimeout(resolve, idle));
        const begin = performance.now();
        const effort = await contender.run?.();
        samples.get(contender.name)?.push(performance.now() - begin);
        if (effort) resident.set(contender.name, Math.max(resident.get(contender.name) ?? 0, effort.resident));
      }
    }
  } finally {
    for (const contender of taking) await contender.dispose?.();
  }
  return taking.map(({ name }) => {
    const most = resident.get(name);
    return { name, samples: samples.get(name) ?? [], ...(most !== undefined && { resident: most }) };
  });
}
