import type { Context } from "../context.ts";
import { parseSignal } from "../values/signal.ts";
import { forEachContainer } from "./for-each.ts";

/** `ramekin restart`. */
export async function restartContainers(
  flags: { readonly signal: string | undefined; readonly timeout: number | undefined },
  names: readonly string[],
  context: Context,
): Promise<number> {
  const stopSignal = flags.signal === undefined ? undefined : parseSignal(flags.signal);
  const { signal } = context.interruption;
  return await forEachContainer(context, names, (container) =>
    container.restart({
      signal,
      ...(flags.timeout !== undefined && { timeout: flags.timeout }),
      ...(stopSignal !== undefined && { stopSignal }),
    }),
  );
}
