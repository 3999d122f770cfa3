import type { Cancellable, LoginOptions, LoginReport, RegistryAccess } from "@ramekin/core";

/** The part of `Engine` that is about accounts with registries. They are kept where Docker and podman keep them, not in the store. */
export interface AccountVerbs {
  /** Has the registry confirm an account and keeps it; without `account`, confirms the one that is kept. */
  login(registry: string, options?: LoginOptions & Pick<RegistryAccess, "certificates" | "verify">): Promise<LoginReport>;
  /** Forgets the account of a registry, or of all; resolves with whether there was one. */
  logout(registry: string | undefined, options?: Cancellable & Pick<LoginOptions, "authFile">): Promise<boolean>;
  /** The user name that is kept, without asking the registry. */
  account(registry: string, options?: Cancellable & Pick<LoginOptions, "authFile">): Promise<string | undefined>;
}
