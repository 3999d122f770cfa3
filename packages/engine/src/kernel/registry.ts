import { type Kind, type Plugin, type Provider, RamekinError } from "@ramekin/core";

/** A provider with its address: what a plugin said it has, before anything of it exists. */
export interface Registered<K extends Kind = Kind> {
  readonly kind: K;
  readonly name: string;
  /** Name of the plugin; by it a container remembers who made its parts. */
  readonly package: string;
  readonly provider: Provider<K>;
}

export interface Registry {
  /** In plugin order. */
  of<K extends Kind>(kind: K): readonly Registered<K>[];
  find<K extends Kind>(kind: K, name: string): Registered<K> | undefined;
  kinds(): readonly Kind[];
}

/** ALREADY_EXISTS when two plugins claim one name: silently preferring either would make the order of imports matter. */
export function registry(plugins: readonly Plugin[]): Registry {
  const all = new Map<Kind, Map<string, Registered>>();
  for (const plugin of plugins) {
    for (const [kind, providers] of Object.entries(plugin.provides ?? {}) as [Kind, Readonly<Record<string, Provider<Kind>>>][]) {
      const named = all.get(kind) ?? new Map<string, Registered>();
      all.set(kind, named);
      for (const [name, provider] of Object.entries(providers)) {
        const taken = named.get(name);
        if (taken)
          throw new RamekinError(
            "ALREADY_EXISTS",
            `${kind} driver ${name} of plugin ${plugin.name} is provided by ${taken.package} already`,
          );
        named.set(name, { kind, name, package: plugin.name, provider });
      }
    }
  }
  return {
    of: <K extends Kind>(kind: K) => [...(all.get(kind)?.values() ?? [])] as unknown as Registered<K>[],
    find: <K extends Kind>(kind: K, name: string) => all.get(kind)?.get(name) as Registered<K> | undefined,
    kinds: () => [...all.keys()],
  };
}
