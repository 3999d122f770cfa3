import type { Context } from "../context.ts";
import { table } from "../format/table.ts";

/** `ramekin top`. */
export async function showProcesses(name: string, options: readonly string[], context: Context): Promise<number> {
  const engine = await context.engine();
  const container = await engine.container(name);
  // as in Docker one word may hold several options
  const words = options.flatMap((option) => option.split(" ")).filter((word) => word !== "");
  const { titles, processes } = await container.top(words.length > 0 ? words : undefined);
  for (const line of table([titles, ...processes], 20)) context.print(line);
  return 0;
}
