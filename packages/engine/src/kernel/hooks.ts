import type { Descriptor, Hooks, Plugin, RuntimeSpec } from "@ramekin/core";

type Observer = Exclude<keyof Hooks, "spec">;

/** Passes the spec from plugin to plugin; a throw of any aborts the create. */
export async function amendSpec(
  plugins: readonly Plugin[],
  spec: RuntimeSpec,
  container: { id: string; image: Descriptor },
): Promise<RuntimeSpec> {
  let amended = spec;
  for (const { hooks } of plugins) amended = (await hooks?.spec?.(amended, container)) ?? amended;
  return amended;
}

/** Tells everybody, in parallel; nobody's failure changes anything, but it is reported. */
export async function notify<O extends Observer>(
  plugins: readonly Plugin[],
  warn: (message: string) => void,
  hook: O,
  ...event: Parameters<Hooks[O]>
): Promise<void> {
  await Promise.all(
    plugins.map(async ({ name, hooks }) => {
      const observer = hooks?.[hook] as ((...event: Parameters<Hooks[O]>) => unknown) | undefined;
      try {
        await observer?.(...event);
      } catch (error) {
        warn(`${name}: hook ${hook} failed: ${error instanceof Error ? error.message : error}`);
      }
    }),
  );
}
