import type { Context } from "../context.ts";

/** `ramekin manifest push`. */
export async function pushList(
  { insecure, purge }: { readonly insecure: boolean; readonly purge: boolean },
  list: string,
  context: Context,
): Promise<number> {
  const engine = await context.engine();
  const { descriptor } = await engine.pushManifestList(list, {
    insecure,
    purge,
    signal: context.interruption.signal,
    onMember: ({ reference, digest }) => context.print(`Pushed ref ${reference} with digest: ${digest}`),
  });
  context.print(descriptor.digest);
  return 0;
}
