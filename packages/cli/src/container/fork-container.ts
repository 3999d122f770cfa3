import type { Context } from "../context.ts";
import { humanSize } from "../format/units.ts";

/** `ramekin fork`: the id on stdout, what it cost on stderr. */
export async function forkContainer(
  from: string,
  { name, quiet }: { readonly name: string | undefined; readonly quiet: boolean },
  context: Context,
): Promise<number> {
  const engine = await context.engine();
  const origin = await engine.container(from);
  const { container, cost } = await origin.fork({ signal: context.interruption.signal, ...(name !== undefined && { name }) });
  context.print(container.id);
  if (!quiet) {
    const content = cost.shared ? `${humanSize(cost.bytes)} shared` : `${humanSize(cost.bytes)} copied: this file system shares no blocks`;
    context.note(`forked ${from} in ${Math.ceil(cost.milliseconds)} ms, ${content}`);
  }
  return 0;
}
