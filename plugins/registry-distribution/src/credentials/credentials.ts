import type { Reference } from "@ramekin/core";

/** A password, or what `login` has stored instead: an OAuth2 refresh token, or a ready bearer token. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string }
  | { readonly registryToken: string };

export type CredentialSource = (reference: Pick<Reference, "registry" | "repository">) => Promise<Credentials | undefined>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The key under which Docker stores its own registry. */
export const hubKey = "https://index.docker.io/v1/";

/** How files and helpers call a registry. */
export function serverKey(registry: string): string {
  return registry === "docker.io" ? hubKey : registry;
}

/** `https://index.docker.io/v1/` and `index.docker.io` are one key. */
export function normalise(key: string): string {
  return key
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "");
}

/** From the most specific to the registry itself; Docker knows its own by more than one name. */
export function keysOf({ registry, repository }: Pick<Reference, "registry" | "repository">): string[] {
  const parts = repository.split("/").filter((part) => part !== "");
  const namespaced = parts.map((_, index) => [registry, ...parts.slice(0, parts.length - index)].join("/"));
  return [...namespaced, registry, ...(registry === "docker.io" ? ["index.docker.io", "registry-1.docker.io"] : [])];
}
