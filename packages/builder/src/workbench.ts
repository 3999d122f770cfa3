import {
  type BuildLayer,
  type BuildSession,
  type CachedStep,
  type Cancellable,
  type Digest,
  isRamekinError,
  type MadeStep,
  type Stack,
} from "@ramekin/core";
import type { BuildEvent } from "./build-options.ts";

/** Who hears of a build. */
export interface Teller extends Cancellable {
  tell(event: BuildEvent): void;
  /** The next number. */
  nextStep(): number;
  /** So many are to come. */
  plan(steps: number): void;
}

/** What the steps of a build work with. */
export interface Workbench extends Teller {
  readonly session: BuildSession;
  readonly noCache: boolean;
  /** What has been done, or found done; filled as the steps go by. */
  readonly made?: MadeStep[];
  readonly secrets: Readonly<Record<string, Uint8Array>>;
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
export async function told<T>(bench: Teller, title: string, work: (step: number, spared: () => void) => Promise<T>): Promise<T> {
  bench.signal?.throwIfAborted();
  const step = bench.nextStep();
  const begin = performance.now();
  let cached = false;
  const end = (error?: string, cancelled = false) => {
    const milliseconds = performance.now() - begin;
    bench.tell({ type: "end", step, cached, milliseconds, cancelled, ...(error !== undefined && { error }) });
  };
  bench.tell({ type: "begin", step, name: title });
  try {
    const result = await work(step, () => {
      cached = true;
    });
    end();
    return result;
  } catch (error) {
    end(error instanceof Error ? error.message : String(error), bench.signal?.aborted || isRamekinError(error, "CANCELLED"));
    throw error;
  }
}
