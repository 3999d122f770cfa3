import { RamekinError, type RegistryAccess, type RegistryClient } from "@ramekin/core";
import type { Scope } from "./scope.ts";

/** Clients by registry: one for all, or with `access` one for each that is asked. */
export interface Registries extends Disposable {
  at(registry: string): RegistryClient;
}

/** An account and certificates are for `whose` alone: no other registry must see them. */
export async function openRegistries(scope: Scope, access: RegistryAccess = {}, whose?: string): Promise<Registries> {
  const { account: _, certificates: __, ...general } = access;
  const client = await scope.kernel.use("registry");
  const made = new Map<string, RegistryClient & Disposable>();
  return {
    at(registry) {
      const meant = registry === whose ? access : general;
      if (Object.values(meant).every((value) => value === undefined)) return client;
      const known = made.get(registry);
      if (known) return known;
      const special = client.with?.(registry, meant);
      if (!special) throw new RamekinError("UNSUPPORTED", `the registry driver speaks to ${registry} in one way only`);
      made.set(registry, special);
      return special;
    },
    [Symbol.dispose]() {
      for (const each of made.values()) each[Symbol.dispose]();
    },
  };
}
