import type { Container } from "@ramekin/engine";
import type { Context } from "../context.ts";
import { parseSignal } from "../values/signal.ts";
import { forEachContainer } from "./for-each.ts";
import { runs, type Selection, selectContainers } from "./select-containers.ts";

/** `ramekin stop`. */
export async function stopContainers(
  flags: Selection & {
    readonly signal: string | undefined;
    readonly timeout: number | undefined;
    readonly time: number | undefined;
    readonly ignore: boolean;
  },
  names: readonly string[],
  context: Context,
): Promise<number> {
  const stopSignal = flags.signal === undefined ? undefined : parseSignal(flags.signal);
  const { signal } = context.interruption;
  const timeout = flags.timeout ?? flags.time;
  const selected = await selectContainers(flags, names, context, runs);
  const stop = async (container: Container) => {
    await container.stop({
      signal,
      ...(timeout !== undefined && { timeout }),
      ...(stopSignal !== undefined && { stopSignal }),
    });
  };
  return await forEachContainer(context, selected, stop, { ignoreAbsent: flags.ignore });
}
