import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Reference } from "@ramekin/core";

/** A password, or what `login` has stored instead: an OAuth2 refresh token, or a ready bearer token. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string }
  | { readonly registryToken: string };

export type CredentialSource = (reference: Pick<Reference, "registry" | "repository">) => Promise<Credentials | undefined>;

type Environment = Readonly<Record<string, string | undefined>>;

interface StoredAuth {
  readonly auth?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly identitytoken?: unknown;
  readonly registrytoken?: unknown;
}

/** containers-auth.json(5), then Docker's config.json; the first file that knows the registry wins. Read once, when first asked. */
export function credentialFiles(warn: (message: string) => void, environment: Environment = process.env): CredentialSource {
  let loaded: Promise<readonly ReadonlyMap<string, Credentials>[]> | undefined;
  return async (reference) => {
    loaded ??= Promise.all(paths(environment).map((path) => readAuths(path, warn)));
    const keys = keysOf(reference);
    for (const auths of await loaded) {
      for (const key of keys) {
        const found = auths.get(key);
        if (found) return found;
      }
    }
    return undefined;
  };
}

function paths(environment: Environment): string[] {
  const home = environment["HOME"] || homedir();
  const containers = environment["REGISTRY_AUTH_FILE"];
  const runtime = environment["XDG_RUNTIME_DIR"] || `/run/containers/${process.getuid?.() ?? 0}`;
  return [
    // Named outright, it stands for the two standard places.
    ...(containers
      ? [containers]
      : [
          join(runtime, environment["XDG_RUNTIME_DIR"] ? "containers/auth.json" : "auth.json"),
          join(environment["XDG_CONFIG_HOME"] || join(home, ".config"), "containers/auth.json"),
        ]),
    join(environment["DOCKER_CONFIG"] || join(home, ".docker"), "config.json"),
  ];
}

/** From the most specific to the registry itself; Docker knows its own by more than one name. */
function keysOf({ registry, repository }: Pick<Reference, "registry" | "repository">): string[] {
  const parts = repository.split("/");
  const namespaced = parts.map((_, index) => [registry, ...parts.slice(0, parts.length - index)].join("/"));
  return [...namespaced, registry, ...(registry === "docker.io" ? ["index.docker.io", "registry-1.docker.io"] : [])];
}

async function readAuths(path: string, warn: (message: string) => void): Promise<ReadonlyMap<string, Credentials>> {
  const found = new Map<string, Credentials>();
  let stored: Readonly<Record<string, StoredAuth | null>>;
  try {
    stored = authsOf(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    // An image that needs no password must not fail over a file about passwords.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") warn(`no credentials from ${path}: ${(error as Error).message}`);
    return found;
  }
  for (const [key, auth] of Object.entries(stored)) {
    const credentials = decode(auth ?? {});
    if (credentials) found.set(normalise(key), credentials);
  }
  return found;
}

function authsOf(document: unknown): Readonly<Record<string, StoredAuth | null>> {
  const auths = typeof document === "object" && document !== null && "auths" in document ? document.auths : {};
  if (typeof auths !== "object" || auths === null) return {};
  return auths as Record<string, StoredAuth | null>;
}

/** `https://index.docker.io/v1/` and `index.docker.io` are one key. */
function normalise(key: string): string {
  return key
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "");
}

function decode({ auth, username, password, identitytoken, registrytoken }: StoredAuth): Credentials | undefined {
  if (typeof registrytoken === "string" && registrytoken !== "") return { registryToken: registrytoken };
  if (typeof identitytoken === "string" && identitytoken !== "") return { identityToken: identitytoken };
  if (typeof auth === "string" && auth !== "") {
    const plain = Buffer.from(auth, "base64").toString("utf8");
    const colon = plain.indexOf(":");
    // Docker pads the password with NUL characters.
    if (colon > 0) return { username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, "") };
  }
  return typeof username === "string" && typeof password === "string" && username !== "" ? { username, password } : undefined;
}
