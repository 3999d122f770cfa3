import { existsSync } from "node:fs";
import { RamekinError } from "@ramekin/core";
import { type CredentialSource, type Environment, keysOf, normalise, serverKey } from "./credentials.ts";
import { type CredentialFile, credentialPaths, helperFor, readCredentialFile, storedCredentials } from "./file.ts";
import { credentialHelper, credentialsOf } from "./helper.ts";

/**
 * containers-auth.json(5), then Docker's config.json; the first file that knows the registry wins. In a file, the helper that it
 * names for the registry, then what stands in it, then its general helper. Read once, when first asked. A file that is given is
 * the only one, and has to be there.
 */
export function credentialFiles(warn: (message: string) => void, environment: Environment = process.env, given?: string): CredentialSource {
  let loaded: Promise<readonly CredentialFile[]> | undefined;
  return async (reference) => {
    loaded ??= Promise.all(given === undefined ? credentialPaths(environment).map((path) => readable(path, warn)) : [existing(given)]);
    const keys = keysOf(reference);
    const server = serverKey(reference.registry);
    for (const file of await loaded) {
      const { own, general } = helperFor(file, hostKeys(keys, reference.registry));
      const found =
        (own !== undefined ? await ask(own, server, environment, warn) : storedCredentials(file, keys)) ??
        (general !== undefined && own === undefined ? await ask(general, server, environment, warn) : undefined);
      if (found) return found;
    }
    return undefined;
  };
}

/** Helpers know registries, not repositories. */
export function hostKeys(keys: readonly string[], registry: string): string[] {
  return keys.filter((key) => !key.includes("/") || key === normalise(registry));
}

async function existing(path: string): Promise<CredentialFile> {
  if (existsSync(path)) return readCredentialFile(path);
  throw new RamekinError("NOT_FOUND", `no authentication file ${path}`, { hint: `\`ramekin login --authfile ${path}\` makes it` });
}

/** An image that needs no password must not fail over a file, or a helper, that is about passwords. */
async function readable(path: string, warn: (message: string) => void): Promise<CredentialFile> {
  try {
    return await readCredentialFile(path);
  } catch (error) {
    warn(`no credentials from ${path}: ${(error as Error).message}`);
    return { path, document: {} };
  }
}

async function ask(name: string, server: string, environment: Environment, warn: (message: string) => void) {
  try {
    const kept = await credentialHelper(name, environment).get(server);
    return kept && credentialsOf(kept);
  } catch (error) {
    warn(`no credentials for ${server}: ${(error as Error).message}`);
    return undefined;
  }
}
