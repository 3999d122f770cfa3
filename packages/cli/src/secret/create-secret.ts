import { readFile } from "node:fs/promises";
import { RamekinError } from "@ramekin/core";
import type { Context } from "../context.ts";
import { parseLabels } from "../values/key-value.ts";

export interface CreateSecretFlags {
  readonly env: boolean;
  readonly label: readonly string[];
  readonly replace: boolean;
}

/** `ramekin secret create`: out of a file, of what comes in, or of a variable. */
export async function createSecret(flags: CreateSecretFlags, name: string, source: string, context: Context): Promise<number> {
  const content = flags.env ? fromVariable(source, context) : source === "-" ? await fromInput(context) : await fromFile(source);
  const engine = await context.engine();
  const { id } = await engine.secrets.create(name, content, { labels: parseLabels(flags.label), replace: flags.replace });
  context.print(id);
  return 0;
}

function fromVariable(name: string, context: Context): Uint8Array {
  const value = context.environment[name];
  if (value === undefined) throw new RamekinError("NOT_FOUND", `cannot find the variable ${name} for the secret`);
  return Buffer.from(value);
}

async function fromInput(context: Context): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function fromFile(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new RamekinError(
      cause.code === "ENOENT" ? "NOT_FOUND" : "PERMISSION_DENIED",
      `cannot read the secret ${path}: ${cause.message}`,
      { cause },
    );
  });
}
