import type { Kind, Plugin, Provider, Provides } from "@ramekin/core";

/** What is known of an extension before its module is loaded; a test holds it against the module. */
export interface Announced {
  readonly kind: Kind;
  readonly name: string;
  readonly for?: string;
  readonly maxRank?: number;
}

/** A plugin whose module is loaded when one of its extensions is probed or made: a start pays for the drivers that it uses. */
export function lazyPlugin(name: string, announced: readonly Announced[], load: () => Promise<{ readonly default: () => Plugin }>): Plugin {
  let loaded: Promise<Plugin> | undefined;
  const plugin = () => {
    loaded ??= load().then((module) => module.default());
    return loaded;
  };
  const provides: Record<string, Record<string, unknown>> = {};
  for (const { kind, name: extension, ...known } of announced) {
    const real = async () => (await plugin()).provides?.[kind]?.[extension] as Provider<Kind>;
    const provider = {
      ...known,
      probe: async (context) => (await real()).probe?.(context) ?? { ok: true },
      create: async (context) => (await real()).create(context),
    } as Provider<Kind>;
    provides[kind] = { ...provides[kind], [extension]: provider };
  }
  return { name, provides: provides as Provides };
}
