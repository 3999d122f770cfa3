import { RamekinError } from "@ramekin/core";
import type { Secret, SecretDraft, Secrets } from "../api.ts";
import { obeying } from "../obey.ts";
import type { Scope } from "../scope.ts";
import { allIds, readConfigIfThere } from "../store/containers.ts";
import { changeSecrets, checkSecretName, deleteSecret, newSecretId, readSecrets, type SecretFile, writeSecret } from "../store/secrets.ts";

const maxBytes = 512_000;

/** See `Secrets`. */
export function secretVerbs(scope: Scope): Secrets {
  const verbs: Secrets = {
    create: (name, content, draft) => createSecret(scope, name, content, draft),
    async list() {
      await scope.opened();
      return (await readSecrets(scope.paths)).map(shown);
    },
    inspect: async (nameOrId) => shown(await findSecret(scope, nameOrId)),
    remove: (nameOrId) => removeSecret(scope, nameOrId),
  };
  return obeying(verbs, ["list", "inspect"]);
}

async function createSecret(
  scope: Scope,
  name: string,
  content: Uint8Array,
  { labels = {}, replace = false }: SecretDraft = {},
): Promise<Secret> {
  checkSecretName(name);
  if (content.length === 0 || content.length > maxBytes)
    throw new RamekinError("INVALID_ARGUMENT", `secret ${name} has ${content.length} bytes: it must have between 1 and ${maxBytes}`);
  await scope.opened();
  return changeSecrets(scope.paths, async () => {
    const there = (await readSecrets(scope.paths)).find((secret) => secret.name === name);
    if (there && !replace)
      throw new RamekinError("ALREADY_EXISTS", `secret name ${name} is in use`, { hint: "--replace puts the new one in its place" });
    const now = new Date().toISOString();
    const file: SecretFile = {
      version: 1,
      id: there?.id ?? newSecretId(),
      name,
      createdAt: there?.createdAt ?? now,
      updatedAt: now,
      labels,
    };
    await writeSecret(scope.paths, file, content);
    return shown(file);
  });
}

export async function findSecret(scope: Scope, nameOrId: string): Promise<SecretFile> {
  await scope.opened();
  const all = await readSecrets(scope.paths);
  const named = all.find(({ name, id }) => name === nameOrId || id === nameOrId);
  const beginning = nameOrId === "" ? [] : all.filter(({ id }) => id.startsWith(nameOrId));
  const found = named ?? (beginning.length === 1 ? beginning[0] : undefined);
  if (found) return found;
  if (beginning.length > 1) throw new RamekinError("INVALID_ARGUMENT", `${nameOrId} is the beginning of ${beginning.length} secret ids`);
  throw new RamekinError("NOT_FOUND", `no such secret: ${nameOrId}`, { hint: "`ramekin secret ls` shows those that there are" });
}

async function removeSecret(scope: Scope, nameOrId: string): Promise<Secret> {
  const secret = await findSecret(scope, nameOrId);
  const users: string[] = [];
  for (const id of await allIds(scope.paths)) {
    const config = await readConfigIfThere(scope.paths, id).catch(() => undefined);
    if (config?.secrets?.some((used) => used.id === secret.id)) users.push(config.name);
  }
  if (users.length > 0)
    throw new RamekinError("FAILED_PRECONDITION", `secret ${secret.name} is in use by ${users.join(", ")}`, {
      hint: "remove these containers first",
    });
  await changeSecrets(scope.paths, () => deleteSecret(scope.paths, secret.id));
  return shown(secret);
}

const shown = ({ id, name, createdAt, updatedAt, labels }: SecretFile): Secret => ({
  id,
  name,
  createdAt: new Date(createdAt),
  updatedAt: new Date(updatedAt),
  labels,
});
