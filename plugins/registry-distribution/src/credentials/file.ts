import { randomUUID } from "node:crypto";
import { mkdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { type Credentials, type Environment, normalise } from "./credentials.ts";

/** Docker's config.json or a containers-auth.json(5), as far as it is about credentials; all else is kept as it is. */
export interface CredentialFile {
  readonly path: string;
  readonly document: Readonly<Record<string, unknown>>;
}

interface StoredAuth {
  readonly auth?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly identitytoken?: unknown;
  readonly registrytoken?: unknown;
}

/** Where Docker keeps it. */
export function dockerFile(environment: Environment): string {
  return join(environment["DOCKER_CONFIG"] || join(homeOf(environment), ".docker"), "config.json");
}

/** In the order in which they are asked: containers-auth.json(5), then Docker's. */
export function credentialPaths(environment: Environment): string[] {
  const containers = environment["REGISTRY_AUTH_FILE"];
  const runtime = environment["XDG_RUNTIME_DIR"] || `/run/containers/${process.getuid?.() ?? 0}`;
  return [
    // Named outright, it stands for the two standard places.
    ...(containers
      ? [containers]
      : [
          join(runtime, environment["XDG_RUNTIME_DIR"] ? "containers/auth.json" : "auth.json"),
          join(environment["XDG_CONFIG_HOME"] || join(homeOf(environment), ".config"), "containers/auth.json"),
        ]),
    dockerFile(environment),
  ];
}

function homeOf(environment: Environment): string {
  return environment["HOME"] || homedir();
}

/** Empty where there is none. */
export async function readCredentialFile(path: string): Promise<CredentialFile> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return "";
    throw new RamekinError("PERMISSION_DENIED", `cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (text.trim() === "") return { path, document: {} };
  const invalid = (cause?: unknown) => new RamekinError("INVALID_ARGUMENT", `${path} is not a JSON object`, { cause });
  try {
    const document: unknown = JSON.parse(text);
    if (isRecord(document)) return { path, document };
  } catch (error) {
    throw invalid(error);
  }
  throw invalid();
}

/** Temporary file, then rename: nobody sees half of it. Through a symbolic link, as dotfiles often are. */
export async function writeCredentialFile({ path, document }: CredentialFile): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const temporary = join(dirname(target), `.${randomUUID()}`);
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await writeFile(temporary, `${JSON.stringify(document, undefined, "\t")}\n`, { mode: 0o600, flag: "wx", flush: true });
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new RamekinError("PERMISSION_DENIED", `cannot write ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** The helper that has this registry's credentials (`credHelpers`), or anybody's (`credsStore`). */
export function helperFor(
  { document }: CredentialFile,
  registryKeys: readonly string[],
): { readonly own?: string; readonly general?: string } {
  const helpers = isRecord(document["credHelpers"]) ? document["credHelpers"] : {};
  const own = Object.entries(helpers).find(([key, name]) => typeof name === "string" && registryKeys.includes(normalise(key)))?.[1];
  const general = document["credsStore"];
  return {
    ...(typeof own === "string" && own !== "" && { own }),
    ...(typeof general === "string" && general !== "" && { general }),
  };
}

/** The keys of `auths`, as they are spelled, that mean one of these. */
export function storedKeys({ document }: CredentialFile, keys: readonly string[]): string[] {
  return Object.keys(authsOf(document)).filter((key) => keys.includes(normalise(key)));
}

/** What stands in the file itself, under the first of the keys that has something. */
export function storedCredentials(file: CredentialFile, keys: readonly string[]): Credentials | undefined {
  const auths = new Map(Object.entries(authsOf(file.document)).map(([key, auth]) => [normalise(key), auth]));
  for (const key of keys) {
    const auth = auths.get(key);
    const found = isRecord(auth) ? decode(auth) : undefined;
    if (found) return found;
  }
  return undefined;
}

export function storedUsername(file: CredentialFile, keys: readonly string[]): string | undefined {
  const [key] = storedKeys(file, keys);
  const auth = key === undefined ? undefined : authsOf(file.document)[key];
  if (!isRecord(auth)) return undefined;
  const plain = userAndPassword(auth);
  return plain?.username === "" ? undefined : plain?.username;
}

export function withAuth({ path, document }: CredentialFile, key: string, auth: Readonly<Record<string, string>>): CredentialFile {
  return { path, document: { ...document, auths: { ...authsOf(document), [key]: auth } } };
}

export function withoutAuths({ path, document }: CredentialFile, keys: readonly string[]): CredentialFile {
  const left = Object.entries(authsOf(document)).filter(([key]) => !keys.includes(key));
  return { path, document: { ...document, auths: Object.fromEntries(left) } };
}

export function authsOf(document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return isRecord(document["auths"]) ? document["auths"] : {};
}

function decode(stored: StoredAuth): Credentials | undefined {
  const { identitytoken, registrytoken } = stored;
  if (typeof registrytoken === "string" && registrytoken !== "") return { registryToken: registrytoken };
  if (typeof identitytoken === "string" && identitytoken !== "") return { identityToken: identitytoken };
  const plain = userAndPassword(stored);
  return plain && plain.username !== "" ? plain : undefined;
}

function userAndPassword({ auth, username, password }: StoredAuth): { username: string; password: string } | undefined {
  if (typeof auth === "string" && auth !== "") {
    const plain = Buffer.from(auth, "base64").toString("utf8");
    const colon = plain.indexOf(":");
    // Docker pads the password with NUL characters.
    if (colon > 0) return { username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, "") };
  }
  return typeof username === "string" && typeof password === "string" ? { username, password } : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
