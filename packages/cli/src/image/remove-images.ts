import { isRamekinError } from "@ramekin/core";
import { familiarReference, parsePlatform, parseReference } from "@ramekin/oci";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { reportLines } from "../report.ts";

/** `ramekin rmi`, one after the other: two names of one image must not race for its last one. */
export async function removeImages(
  names: readonly string[],
  { force, "no-prune": noPrune, platform }: { readonly force: boolean; readonly "no-prune": boolean; readonly platform: readonly string[] },
  context: Context,
): Promise<number> {
  const platforms = platform.flatMap((text) => text.split(",")).map(parsePlatform);
  const options = { force, ...(noPrune && { noPrune }), ...(platforms.length > 0 && { platforms }) };
  const engine = await context.engine();
  let status: number = exitStatus.ok;
  for (const name of names) {
    try {
      for (const { untagged, deleted } of await engine.removeImage(name, options)) {
        if (untagged !== undefined) context.print(`Untagged: ${familiarReference(parseReference(untagged))}`);
        if (deleted !== undefined) context.print(`Deleted: ${deleted}`);
      }
    } catch (error) {
      for (const line of reportLines(error, context.logLevel)) context.note(line);
      // with --force it is enough that it is not there
      if (!force || !isRamekinError(error, "NOT_FOUND")) status = exitStatus.failure;
    }
  }
  return status;
}
