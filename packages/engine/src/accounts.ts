import { type LoginOptions, type LoginReport, RamekinError, type RegistryClient } from "@ramekin/core";
import type { Scope } from "./scope.ts";

/** See `Engine.login`. */
export async function login(scope: Scope, registry: string, options?: LoginOptions): Promise<LoginReport> {
  return (await able(scope, "login")).login(registry, options);
}

/** See `Engine.logout`. */
export async function logout(scope: Scope, registry: string | undefined, options?: Pick<LoginOptions, "authFile">): Promise<boolean> {
  return (await able(scope, "logout")).logout(registry, options);
}

/** See `Engine.account`. */
export async function account(scope: Scope, registry: string, options?: Pick<LoginOptions, "authFile">): Promise<string | undefined> {
  return (await able(scope, "account")).account(registry, options);
}

async function able<M extends "login" | "logout" | "account">(scope: Scope, method: M): Promise<Required<Pick<RegistryClient, M>>> {
  const client = await scope.kernel.use("registry");
  if (client[method] === undefined) {
    throw new RamekinError("UNSUPPORTED", `this registry driver keeps no accounts: it has no ${method}`);
  }
  return client as unknown as Required<Pick<RegistryClient, M>>;
}
