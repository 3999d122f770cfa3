import { isRamekinError } from "@ramekin/core";
import { familiarReference, parsePlatform, parseReference } from "@ramekin/oci";
import { UsageError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { reportLines } from "../report.ts";

export interface RemoveFlags {
  readonly all: boolean;
  readonly force: boolean;
  readonly ignore: boolean;
  readonly "no-prune": boolean;
  readonly platform: readonly string[];
}

/** `ramekin rmi`, one after the other: two names of one image must not race for its last one. */
export async function removeImages(
  given: readonly string[],
  { all, force, ignore, "no-prune": noPrune, platform }: RemoveFlags,
  context: Context,
): Promise<number> {
  if (all && given.length > 0) throw new UsageError("--all is about every image: name none");
  if (!all && given.length === 0) throw new UsageError("'ramekin rmi' requires at least 1 argument", { status: exitStatus.failure });
  const platforms = platform.flatMap((text) => text.split(",")).map(parsePlatform);
  const options = { force, ...(noPrune && { noPrune }), ...(platforms.length > 0 && { platforms }) };
  const engine = await context.engine();
  const names = all ? (await engine.images()).map(({ id, name }) => name ?? id) : given;
  let status: number = exitStatus.ok;
  for (const name of names) {
    try {
      for (const { untagged, deleted } of await engine.removeImage(name, options)) {
        if (untagged !== undefined) context.print(`Untagged: ${familiarReference(parseReference(untagged))}`);
        if (deleted !== undefined) context.print(`Deleted: ${deleted}`);
      }
    } catch (error) {
      if (ignore && isRamekinError(error, "NOT_FOUND")) continue;
      for (const line of reportLines(error, context.logLevel)) context.note(line);
      // with --force it is enough that it is not there
      if (!force || !isRamekinError(error, "NOT_FOUND")) status = exitStatus.failure;
    }
  }
  return status;
}
