import type { Context } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { reportLines } from "../report.ts";
import { json } from "../template/functions.ts";
import { compileTemplate } from "../template/render.ts";

/** What is found is shown, even if something is not. */
export async function inspectEach(
  names: readonly string[],
  format: string | undefined,
  context: Context,
  describe: (name: string) => Promise<object>,
): Promise<number> {
  const render = format === undefined || format === "json" ? undefined : compileTemplate(format);
  const found: object[] = [];
  let status: number = exitStatus.ok;
  for (const name of names) {
    try {
      found.push(await describe(name));
    } catch (error) {
      status = exitStatus.failure;
      for (const line of reportLines(error, context.logLevel)) context.note(line);
    }
  }
  if (render !== undefined) for (const each of found) context.print(render(each));
  else context.print(format === "json" ? json(found) : JSON.stringify(found, undefined, 4));
  return status;
}
