import { readFile } from "node:fs/promises";
import { Objections, RamekinError } from "@ramekin/core";

/** `--secret id=ID[,src=FILE|,env=NAME]`; without either a variable called as the id, else a file, as Docker looks for them. */
export async function readSecrets(
  texts: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, Uint8Array>> {
  const objections = new Objections();
  const secrets: Record<string, Uint8Array> = {};
  for (const text of texts) {
    const found = await objections.await(readSecret(text, environment));
    if (found) secrets[found.id] = found.value;
  }
  objections.raise();
  return secrets;
}

async function readSecret(text: string, environment: Readonly<Record<string, string | undefined>>) {
  const fields = new Map(
    text.split(",").map((field) => {
      const at = field.indexOf("=");
      return at < 0 ? [field, ""] : [field.slice(0, at).toLowerCase(), field.slice(at + 1)];
    }),
  );
  const wrong = [...fields.keys()].filter((key) => !["id", "src", "source", "env", "type"].includes(key));
  if (wrong.length > 0)
    throw new RamekinError("INVALID_ARGUMENT", `--secret ${text}: unexpected key '${wrong[0]}'`, { hint: "id, src, env" });
  const type = fields.get("type");
  const path = fields.get("src") ?? fields.get("source");
  const id = fields.get("id") ?? path?.split("/").at(-1);
  if (!id) throw new RamekinError("INVALID_ARGUMENT", `--secret ${text}: a secret needs an id`, { hint: "--secret id=token,src=FILE" });
  const name = fields.get("env") ?? (path === undefined && (type === "env" || environment[id] !== undefined) ? id : undefined);
  if (name !== undefined && type !== "file") {
    const value = environment[name];
    if (value === undefined) throw new RamekinError("NOT_FOUND", `--secret ${text}: the environment has no ${name}`);
    return { id, value: Buffer.from(value) };
  }
  const file = path ?? id;
  const value = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new RamekinError("NOT_FOUND", `--secret ${text}: cannot read ${file}: ${cause.message}`, { cause });
  });
  return { id, value };
}
