import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { reportLines } from "../report.ts";

/** `ramekin system start-all`. */
export async function startAll(context: Context): Promise<number> {
  const engine = await context.engine();
  let status: number = exitStatus.ok;
  for (const { name, error } of await engine.startAll({ signal: context.interruption.signal })) {
    if (error === undefined) context.print(name);
    else {
      for (const line of reportLines(error, context.logLevel)) context.note(line);
      status = exitStatus.failure;
    }
  }
  return status;
}
