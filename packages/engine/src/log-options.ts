import { type LogAttributes, Objections } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";

export interface ChosenLogOptions {
  /** For the driver. */
  readonly options: Readonly<Record<string, string>>;
  readonly attributes?: LogAttributes;
}

type Known = Pick<ContainerConfig, "id" | "name" | "image" | "options">;

/** Log options that are about what is written with every record, whatever the driver; the driver gets the others. */
export function logOptions(given: Readonly<Record<string, string>>, { id, name, image, options }: Known): ChosenLogOptions {
  const { labels, "labels-regex": labelsRegex, env, "env-regex": envRegex, tag, ...rest } = given;
  const objections = new Objections();
  const pattern = (option: string, text: string | undefined) => {
    try {
      return text === undefined ? undefined : new RegExp(text);
    } catch (error) {
      objections.add("INVALID_ARGUMENT", `log option ${option}: ${(error as Error).message}`);
      return undefined;
    }
  };
  const words: Readonly<Record<string, string>> = {
    ".ID": id.slice(0, 12),
    ".FullID": id,
    ".Name": name,
    ".ImageName": options.image,
    ".ImageID": image.descriptor.digest.replace(/^sha256:/, "").slice(0, 12),
    ".ImageFullID": image.descriptor.digest,
    ".DaemonName": "ramekin",
  };
  const tagged = tag?.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, word: string) => {
    if (!Object.hasOwn(words, word))
      objections.add("INVALID_ARGUMENT", `log option tag: nothing is known as ${word}`, Object.keys(words).join(", "));
    return words[word] ?? "";
  });
  const attributes = {
    ...chosen(options.labels, labels, pattern("labels-regex", labelsRegex)),
    ...chosen(options.env, env, pattern("env-regex", envRegex)),
    ...(tagged !== undefined && { tag: tagged }),
  };
  objections.raise();
  return { options: rest, ...(Object.keys(attributes).length > 0 && { attributes }) };
}

function chosen(from: Readonly<Record<string, string>> = {}, names: string | undefined, pattern: RegExp | undefined): LogAttributes {
  const wanted = new Set(names?.split(",").map((name) => name.trim()));
  return Object.fromEntries(Object.entries(from).filter(([name]) => wanted.has(name) || pattern?.test(name)));
}
