import { type LoginOptions, type LoginReport, RamekinError, type RegistryAccess, type RegistryClient } from "@ramekin/core";
import { openRegistries } from "./registries.ts";
import type { Scope } from "./scope.ts";

/** See `Engine.login`. */
export async function login(
  scope: Scope,
  registry: string,
  { certificates, verify, ...options }: LoginOptions & Pick<RegistryAccess, "certificates" | "verify"> = {},
): Promise<LoginReport> {
  using registries = await openRegistries(scope, { certificates, verify }, registry);
  return await able(registries.at(registry), "login").login(registry, options);
}

/** See `Engine.logout`. */
export async function logout(scope: Scope, registry: string | undefined, options?: Pick<LoginOptions, "authFile">): Promise<boolean> {
  return able(await scope.kernel.use("registry"), "logout").logout(registry, options);
}

/** See `Engine.account`. */
export async function account(scope: Scope, registry: string, options?: Pick<LoginOptions, "authFile">): Promise<string | undefined> {
  return able(await scope.kernel.use("registry"), "account").account(registry, options);
}

function able<M extends "login" | "logout" | "account">(client: RegistryClient, method: M): Required<Pick<RegistryClient, M>> {
  if (client[method] === undefined) {
    throw new RamekinError("UNSUPPORTED", `this registry driver keeps no accounts: it has no ${method}`);
  }
  return client as unknown as Required<Pick<RegistryClient, M>>;
}
