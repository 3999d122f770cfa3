import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { RamekinError } from "@ramekin/core";
import type { BuildOptions } from "ramekin";
import type { Context } from "../context.ts";

type Entitlement = NonNullable<BuildOptions["entitlements"]>[number];

/** PATH and --file: a directory, an address, or stdin with an archive or a Dockerfile; and the Dockerfile may come from stdin. */
export async function contextOptions(path: string, file: string | undefined, { stdin }: Pick<Context, "stdin">): Promise<BuildOptions> {
  if (path === "-" && file === "-")
    throw new RamekinError("INVALID_ARGUMENT", "stdin cannot be both the build context and the Dockerfile", { hint: "save one of them" });
  if (path === "-") return { archive: bytesOf(stdin), ...(file !== undefined && { dockerfile: file }) };
  const remote = !(await isDirectory(path)) && /^(?:https?|git|ssh|file):\/\/|^[\w.-]+@[\w.-]+:|^github\.com\//.test(path);
  const context = remote ? path : resolve(path);
  if (file === undefined) return { context };
  if (file === "-") return { context, text: await textOf(stdin) };
  return { context, dockerfile: remote ? file : resolve(file) };
}

const isDirectory = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** `--build-context NAME=VALUE`. */
export function parseContexts(texts: readonly string[]): Readonly<Record<string, string>> {
  const contexts: Record<string, string> = {};
  for (const text of texts) {
    const equals = text.indexOf("=");
    const [name, value] = [text.slice(0, equals), text.slice(equals + 1)];
    if (equals < 1 || value === "")
      throw new RamekinError("INVALID_ARGUMENT", `invalid context value: ${text}, expected key=value`, {
        hint: "name=DIRECTORY, a repository, docker-image://, oci-layout:// or target:",
      });
    // Names are compared without case, as those of stages.
    contexts[name.toLowerCase()] = value;
  }
  return contexts;
}

const entitlements = ["security.insecure", "network.host", "device"];

/** `--allow`. */
export function parseEntitlements(texts: readonly string[]): readonly Entitlement[] {
  return texts
    .flatMap((text) => text.split(","))
    .map((text) => {
      if (entitlements.includes(text) || /^device=./.test(text)) return text as Entitlement;
      throw new RamekinError("INVALID_ARGUMENT", `unknown entitlement ${JSON.stringify(text)}`, {
        hint: "security.insecure, network.host, device[=NAME]",
      });
    });
}

async function* bytesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield Buffer.from(chunk as Uint8Array);
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytesOf(stream)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
