import type { Container } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { parseSignal } from "../values/signal.ts";
import { forEachContainer } from "./for-each.ts";

/** `ramekin stop`. */
export async function stopContainers(
  flags: { readonly signal: string | undefined; readonly timeout: number | undefined },
  names: readonly string[],
  context: Context,
): Promise<number> {
  const stopSignal = flags.signal === undefined ? undefined : parseSignal(flags.signal);
  const { signal } = context.interruption;
  return await forEachContainer(context, names, async (container: Container) => {
    await container.stop({
      signal,
      ...(flags.timeout !== undefined && { timeout: flags.timeout }),
      ...(stopSignal !== undefined && { stopSignal }),
    });
  });
}
