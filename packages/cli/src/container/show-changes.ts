import type { Context } from "../context.ts";
import { letters } from "../format/changes.ts";

/** `ramekin diff`. */
export async function showChanges(name: string, context: Context): Promise<number> {
  const engine = await context.engine();
  const container = await engine.container(name);
  for await (const { kind, path } of container.changes({ signal: context.interruption.signal })) context.print(`${letters[kind]} ${path}`);
  return 0;
}
