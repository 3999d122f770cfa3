/** One engine, runtime or floor that does the same work as the others. */
export interface Contender {
  readonly name: string;
  /** Why it cannot take part here; printed, never dropped in silence. */
  readonly absent?: string;
  /** Once, before the first round. */
  prepare?(): Promise<void>;
  /** The measured work; rejects when the work was not done. */
  run?(): Promise<void>;
  /** After the last round, also after a failure. */
  dispose?(): Promise<void>;
}

export interface Measurement {
  readonly name: string;
  /** Milliseconds, in the order taken. */
  readonly samples: readonly number[];
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
  try {
    for (const contender of taking) {
      await contender.prepare?.();
      await contender.run?.(); // caches warm, as for every later round
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of taking) {
        await new Promise((resolve) => setTimeout(resolve, idle));
        const begin = performance.now();
        await contender.run?.();
        samples.get(contender.name)?.push(performance.now() - begin);
      }
    }
  } finally {
    for (const contender of taking) await contender.dispose?.();
  }
  return taking.map(({ name }) => ({ name, samples: samples.get(name) ?? [] }));
}
