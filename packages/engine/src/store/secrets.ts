import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { RamekinError } from "@ramekin/core";
import { randomHex } from "@ramekin/native";
import { entriesOf } from "./containers.ts";
import { fileError, readJsonIfThere, replaceFile, syncDirectory } from "./files.ts";
import { withLock } from "./lock.ts";
import type { Paths } from "./paths.ts";

/** `<root>/secrets/<id>.json`; the content is the file `<id>` beside it, 0600 both. A secret is there when its `.json` is. */
export interface SecretFile {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly labels: Readonly<Record<string, string>>;
}

const idPattern = /^[0-9a-f]{25}$/;

export const secretPath = (paths: Paths, id: string): string => join(paths.secrets, id);

/** Podman's rule. */
export function checkSecretName(name: string): void {
  if (name !== "" && name.length < 254 && !/[,=/\0]/.test(name) && name !== "." && name !== "..") return;
  throw new RamekinError("INVALID_ARGUMENT", `secret name ${JSON.stringify(name.slice(0, 80))} is invalid`, {
    hint: "up to 253 characters, none of them , = or /",
  });
}

export const newSecretId = (): string => randomHex(32).slice(0, 25);

export async function readSecrets(paths: Paths): Promise<readonly SecretFile[]> {
  const found: SecretFile[] = [];
  for (const entry of await entriesOf(paths.secrets)) {
    const id = entry.replace(/\.json$/, "");
    if (entry === id || !idPattern.test(id)) continue;
    const file = await readJsonIfThere<SecretFile>(join(paths.secrets, entry));
    if (file) found.push(file);
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names are looked up and taken under one lock. */
export async function changeSecrets<T>(paths: Paths, work: () => Promise<T>): Promise<T> {
  await mkdir(paths.secrets, { recursive: true, mode: 0o700 });
  return withLock(join(paths.secrets, ".lock"), { exclusive: true }, work);
}

/** The content first: what is named is whole. */
export async function writeSecret(paths: Paths, file: SecretFile, content: Uint8Array): Promise<void> {
  const path = secretPath(paths, file.id);
  const temporary = `${path}.${randomHex(6)}.tmp`;
  try {
    await using handle = await open(temporary, "wx", 0o600);
    await handle.writeFile(content);
    await handle.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(error, path);
  }
  await replaceFile(`${path}.json`, `${JSON.stringify(file)}\n`, { durable: true });
}

export async function deleteSecret(paths: Paths, id: string): Promise<void> {
  await rm(`${secretPath(paths, id)}.json`, { force: true });
  await rm(secretPath(paths, id), { force: true });
  await syncDirectory(paths.secrets);
}
