import { RamekinError, type RegistryClient } from "@ramekin/core";
import type { Scope } from "../scope.ts";

/** Clients by registry: one for all, or with `insecure` one for each that is asked. */
export interface Registries extends Disposable {
  at(registry: string): RegistryClient;
}

export async function openRegistries(scope: Scope, insecure = false): Promise<Registries> {
  const client = await scope.kernel.use("registry");
  const lax = new Map<string, RegistryClient & Disposable>();
  return {
    at(registry) {
      if (!insecure) return client;
      const known = lax.get(registry);
      if (known) return known;
      const made = client.insecure?.(registry);
      if (!made) throw new RamekinError("UNSUPPORTED", `the registry driver cannot speak to ${registry} insecurely`);
      lax.set(registry, made);
      return made;
    },
    [Symbol.dispose]() {
      for (const each of lax.values()) each[Symbol.dispose]();
    },
  };
}
