import type { Change } from "@ramekin/core";
import type { Context } from "../context.ts";
import { letters } from "../format/changes.ts";
import { json } from "../template/functions.ts";

/** `ramekin diff`. */
export async function showChanges(name: string, format: string | undefined, context: Context): Promise<number> {
  const engine = await context.engine();
  const container = await engine.container(name);
  const found: Record<Change["kind"], string[]> = { added: [], modified: [], deleted: [] };
  for await (const { kind, path } of container.changes({ signal: context.interruption.signal })) {
    if (format === "json") found[kind].push(path);
    else context.print(`${letters[kind]} ${path}`);
  }
  const { added, modified: changed, deleted } = found;
  // As podman has it: what is empty is not there.
  if (format === "json")
    context.print(json(Object.fromEntries(Object.entries({ changed, added, deleted }).filter(([, paths]) => paths.length > 0))));
  return 0;
}
