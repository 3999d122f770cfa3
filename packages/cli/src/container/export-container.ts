import type { Context } from "../context.ts";
import { writeTar } from "../image/export-image.ts";
import { refuseTerminal } from "../image/save-images.ts";
import { smallNursery } from "../small-nursery.ts";

/** `ramekin export`. */
export async function exportContainer(
  { output }: { readonly output: string | undefined },
  name: string,
  context: Context,
): Promise<number> {
  refuseTerminal(output, context.stdout, "save");
  smallNursery();
  const engine = await context.engine();
  const container = await engine.container(name);
  await writeTar(container.export({ signal: context.interruption.signal }), output, context);
  return 0;
}
