import type { Context } from "../context.ts";
import { type AccessFlags, accessFrom } from "../registry/access.ts";

/** `ramekin manifest push`. */
export async function pushList(
  { purge, ...flags }: AccessFlags & { readonly purge: boolean },
  list: string,
  context: Context,
): Promise<number> {
  const access = await accessFrom(flags, list, context);
  const engine = await context.engine();
  const { descriptor } = await engine.pushManifestList(list, {
    access,
    purge,
    signal: context.interruption.signal,
    onMember: ({ reference, digest }) => context.print(`Pushed ref ${reference} with digest: ${digest}`),
  });
  context.print(descriptor.digest);
  return 0;
}
