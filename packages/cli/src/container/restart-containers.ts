import type { Context } from "../context.ts";
import { parseSignal } from "../values/signal.ts";
import { forEachContainer } from "./for-each.ts";
import { runs, type Selection, selectContainers } from "./select-containers.ts";

/** `ramekin restart`. */
export async function restartContainers(
  flags: Selection & {
    readonly signal: string | undefined;
    readonly timeout: number | undefined;
    readonly time: number | undefined;
    readonly running: boolean;
  },
  names: readonly string[],
  context: Context,
): Promise<number> {
  const stopSignal = flags.signal === undefined ? undefined : parseSignal(flags.signal);
  const { signal } = context.interruption;
  const timeout = flags.timeout ?? flags.time;
  const selection = flags.running ? { ...flags, all: true } : flags;
  const selected = await selectContainers(selection, names, context, flags.running ? runs : undefined);
  return await forEachContainer(context, selected, (container) =>
    container.restart({
      signal,
      ...(timeout !== undefined && { timeout }),
      ...(stopSignal !== undefined && { stopSignal }),
    }),
  );
}
