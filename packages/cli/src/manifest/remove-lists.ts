import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { reportLines } from "../report.ts";

/** `ramekin manifest rm`: those that are there go, whatever is wrong with the others. */
export async function removeLists(lists: readonly string[], context: Context): Promise<number> {
  const engine = await context.engine();
  let status: number = exitStatus.ok;
  for (const list of lists) {
    try {
      await engine.removeManifestList(list);
    } catch (error) {
      for (const line of reportLines(error, context.logLevel)) context.note(line);
      status = exitStatus.failure;
    }
  }
  return status;
}
