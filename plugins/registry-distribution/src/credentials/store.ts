import { RamekinError } from "@ramekin/core";
import { type Credentials, type Environment, keysOf, serverKey } from "./credentials.ts";
import {
  authsOf,
  type CredentialFile,
  credentialPaths,
  dockerFile,
  helperFor,
  readCredentialFile,
  storedCredentials,
  storedKeys,
  storedUsername,
  withAuth,
  withoutAuths,
  writeCredentialFile,
} from "./file.ts";
import { credentialHelper, credentialsOf } from "./helper.ts";

/** What `login` verified: the password, or the token that stands for it from now on. */
export interface Login {
  readonly username: string;
  readonly secret: { readonly password: string } | { readonly identityToken: string };
}

export interface Found {
  readonly credentials: Credentials;
  readonly username: string | undefined;
}

export interface CredentialStore {
  find(registry: string): Promise<Found | undefined>;
  /** Where it was put: a helper's name, or the file in which it can be read. */
  put(registry: string, login: Login): Promise<{ readonly helper: string } | { readonly path: string }>;
  /** Whether there was anything. */
  erase(registry: string): Promise<boolean>;
  eraseAll(): Promise<boolean>;
}

/** Where `login` and `logout` work: `authFile` alone when given; else where the registry stands already, else where Docker stores. */
export function credentialStore(environment: Environment, authFile?: string): CredentialStore {
  const paths = authFile === undefined ? credentialPaths(environment) : [authFile];
  const files = () => Promise.all(paths.map(readCredentialFile));
  const keysFor = (registry: string) => keysOf({ registry, repository: "" });
  const helper = (name: string) => credentialHelper(name, environment);
  const helpersOf = (file: CredentialFile, registry: string) => {
    const { own, general } = helperFor(file, keysFor(registry));
    return own ?? general;
  };

  return {
    async find(registry) {
      for (const file of await files()) {
        const stored = storedCredentials(file, keysFor(registry));
        const name = helpersOf(file, registry);
        const kept = stored || name === undefined ? undefined : await helper(name).get(serverKey(registry));
        if (stored) return { credentials: stored, username: storedUsername(file, keysFor(registry)) };
        if (kept) return { credentials: credentialsOf(kept), username: kept.username === "<token>" ? undefined : kept.username };
      }
      return undefined;
    },
    async put(registry, { username, secret }) {
      const all = await files();
      const holds = (file: CredentialFile) => storedKeys(file, keysFor(registry)).length > 0;
      const standard = environment["REGISTRY_AUTH_FILE"] || dockerFile(environment);
      const file = all.find(holds) ?? all.find(({ path }) => path === standard) ?? (all[0] as CredentialFile);
      const name = helpersOf(file, registry);
      const key = storedKeys(file, keysFor(registry))[0] ?? serverKey(registry);
      if (name !== undefined) {
        await helper(name).store(
          serverKey(registry),
          "identityToken" in secret ? { username: "<token>", secret: secret.identityToken } : { username, secret: secret.password },
        );
        // Docker's mark that there is something; a secret that stood here does not stay.
        await writeCredentialFile(withAuth(file, key, {}));
        return { helper: name };
      }
      const encoded = (password: string) => Buffer.from(`${username}:${password}`).toString("base64");
      const auth: Record<string, string> =
        "identityToken" in secret ? { auth: encoded(""), identitytoken: secret.identityToken } : { auth: encoded(secret.password) };
      await writeCredentialFile(withAuth(file, key, auth));
      return { path: file.path };
    },
    async erase(registry) {
      let any = false;
      for (const file of await files()) {
        const keys = storedKeys(file, keysFor(registry));
        const name = helpersOf(file, registry);
        if (name !== undefined && (await helper(name).get(serverKey(registry)))) {
          await helper(name).erase(serverKey(registry));
          any = true;
        }
        if (keys.length === 0) continue;
        await writeCredentialFile(withoutAuths(file, keys));
        any = true;
      }
      return any;
    },
    async eraseAll() {
      let any = false;
      for (const file of await files()) {
        const general = helperFor(file, []).general;
        if (general !== undefined) {
          const servers = Object.keys(await helper(general).list());
          for (const server of servers) await helper(general).erase(server);
          any ||= servers.length > 0;
        }
        const keys = Object.keys(authsOf(file.document));
        if (keys.length > 0) await writeCredentialFile(withoutAuths(file, keys));
        any ||= keys.length > 0;
      }
      return any;
    },
  };
}

/** Refuses what no registry could ask for, before it is sent anywhere. */
export function checkAccount({ username, password }: { readonly username: string; readonly password: string }): void {
  if (username === "" || username.includes(":")) throw new RamekinError("INVALID_ARGUMENT", `not a user name: ${JSON.stringify(username)}`);
  if (password === "") throw new RamekinError("INVALID_ARGUMENT", "the password is empty");
}
