import { formatReference, parseReference } from "@ramekin/oci";
import type { Context } from "../context.ts";

/** `ramekin manifest create`. */
export async function createList(
  { amend, insecure }: { readonly amend: boolean; readonly insecure: boolean },
  [list = "", ...members]: readonly string[],
  context: Context,
): Promise<number> {
  const engine = await context.engine();
  await engine.createManifestList(list, members, {
    amend,
    signal: context.interruption.signal,
    ...(insecure && { access: { verify: false } }),
  });
  context.print(`Created manifest list ${formatReference(parseReference(list))}`);
  return 0;
}
