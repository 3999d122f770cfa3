import type { BuildLayer, BuildSession, CachedStep, Cancellable, Digest, Stack } from "@ramekin/core";
import type { BuildEvent } from "./build-options.ts";

/** What the steps of a build work with. */
export interface Workbench extends Cancellable {
  readonly session: BuildSession;
  readonly noCache: boolean;
  tell(event: BuildEvent): void;
  /** The next number. */
  nextStep(): number;
}

/** Makes a layer, or takes the one that the same inputs made before. */
export async function cached(
  bench: Workbench,
  title: string,
  { key, stack }: { readonly key: Digest; readonly stack: Stack },
  make: (step: number) => Promise<BuildLayer | undefined>,
): Promise<CachedStep> {
  const { session, noCache } = bench;
  return told(bench, title, async (step, spared) => {
    const known = noCache ? undefined : await session.recall(key);
    if (known) spared();
    return known ?? session.remember(key, stack, await make(step));
  });
}

/** Tells when `work` begins and ends; it calls `spared` when there was nothing to do. */
export async function told<T>(bench: Workbench, title: string, work: (step: number, spared: () => void) => Promise<T>): Promise<T> {
  bench.signal?.throwIfAborted();
  const step = bench.nextStep();
  const begin = performance.now();
  let cached = false;
  const end = (error?: string) =>
    bench.tell({ type: "end", step, cached, milliseconds: performance.now() - begin, ...(error !== undefined && { error }) });
  bench.tell({ type: "begin", step, name: title });
  try {
    const result = await work(step, () => {
      cached = true;
    });
    end();
    return result;
  } catch (error) {
    end(error instanceof Error ? error.message : String(error));
    throw error;
  }
}
