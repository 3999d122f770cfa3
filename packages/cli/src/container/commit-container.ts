import { writeFile } from "node:fs/promises";
import type { Context } from "../context.ts";
import { smallNursery } from "../small-nursery.ts";

export interface CommitFlags {
  readonly author: string | undefined;
  readonly change: readonly string[];
  readonly iidfile: string | undefined;
  readonly message: string | undefined;
  readonly pause: boolean;
}

/** `ramekin commit`. */
export async function commitContainer(
  { author, change, iidfile, message, pause }: CommitFlags,
  name: string,
  target: string | undefined,
  context: Context,
): Promise<number> {
  smallNursery();
  const engine = await context.engine();
  const container = await engine.container(name);
  const { id } = await container.commit({
    signal: context.interruption.signal,
    changes: change,
    pause,
    ...(target !== undefined && { name: target }),
    ...(author !== undefined && { author }),
    ...(message !== undefined && { message }),
  });
  if (iidfile !== undefined) await writeFile(iidfile, id);
  context.print(id);
  return 0;
}
