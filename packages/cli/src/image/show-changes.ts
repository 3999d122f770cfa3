import type { Change } from "@ramekin/core";
import { parsePlatform } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { letters } from "../format/changes.ts";
import { json } from "../template/functions.ts";

/** `ramekin image diff`. */
export async function showChanges(
  { format, platform }: { readonly format: string | undefined; readonly platform: string | undefined },
  name: string,
  base: string | undefined,
  context: Context,
): Promise<number> {
  const engine = await context.engine();
  const found: Record<Change["kind"], string[]> = { added: [], modified: [], deleted: [] };
  const changes = engine.imageChanges(name, base, {
    signal: context.interruption.signal,
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
  });
  for await (const { kind, path } of changes) {
    if (format === "json") found[kind].push(path);
    else context.print(`${letters[kind]} ${path}`);
  }
  const { added, modified: changed, deleted } = found;
  // As podman has it: what is empty is not there.
  if (format === "json")
    context.print(json(Object.fromEntries(Object.entries({ changed, added, deleted }).filter(([, paths]) => paths.length > 0))));
  return 0;
}
