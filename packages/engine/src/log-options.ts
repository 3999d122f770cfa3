import { type LogAttributes, type LogDriver, type LogWriterSpec, Objections, RamekinError } from "@ramekin/core";
import type { ContainerConfig } from "./api.ts";

export interface ChosenLogOptions {
  /** For the driver. */
  readonly options: Readonly<Record<string, string>>;
  readonly attributes?: LogAttributes;
  /** `mode=non-blocking`: see `LogBuffer`. */
  readonly maxBufferBytes?: number;
}

type Known = Pick<ContainerConfig, "id" | "name" | "image" | "options">;

/** As Docker has it. */
const usualBuffer = 1e6;

/** How the supervisor is to write the log: what the driver says, and what holds for every driver. All that is wrong is told at once. */
export async function logWriter(
  driver: LogDriver,
  name: string,
  given: Readonly<Record<string, string>>,
  of: Known,
): Promise<LogWriterSpec> {
  const objections = new Objections();
  const chosen = objections.hear(() => logOptions(given, of));
  const { maxBufferBytes, ...forDriver } = chosen ?? { options: withoutCommon(given) };
  const spec = await objections.await((async () => await driver.writer({ containerId: of.id, ...forDriver }))());
  if (spec && maxBufferBytes !== undefined && (spec.type === "none" || spec.type === "passthrough"))
    objections.add("INVALID_ARGUMENT", `${name}: mode=non-blocking: it has no log that could be behind`, "leave it out");
  objections.raise();
  return maxBufferBytes === undefined ? (spec as LogWriterSpec) : ({ ...spec, maxBufferBytes } as LogWriterSpec);
}

function withoutCommon(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const common = ["labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"];
  return Object.fromEntries(Object.entries(given).filter(([name]) => !common.includes(name)));
}

/** Log options that hold for every driver; it gets the others. */
export function logOptions(given: Readonly<Record<string, string>>, { id, name, image, options }: Known): ChosenLogOptions {
  const { labels, "labels-regex": labelsRegex, env, "env-regex": envRegex, tag } = given;
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
  const maxBufferBytes = bufferOf(given, objections);
  objections.raise();
  return {
    options: withoutCommon(given),
    ...(maxBufferBytes !== undefined && { maxBufferBytes }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
}

function bufferOf({ mode, "max-buffer-size": size }: Readonly<Record<string, string>>, objections: Objections): number | undefined {
  if (mode !== undefined && mode !== "blocking" && mode !== "non-blocking")
    objections.add("INVALID_ARGUMENT", `logging mode not supported: ${mode}`, "blocking, or non-blocking");
  if (size !== undefined && mode !== "non-blocking")
    objections.add("INVALID_ARGUMENT", "max-buffer-size option is only supported with 'mode=non-blocking'");
  if (mode !== "non-blocking") return undefined;
  return size === undefined ? usualBuffer : objections.hear(() => parseBufferSize(size));
}

/** Powers of 1024, as Docker reads this one. */
function parseBufferSize(text: string): number {
  const [, digits, unit = ""] = /^([0-9]+(?:\.[0-9]+)?) ?([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * 1024 ** ["", "k", "m", "g"].indexOf(unit.toLowerCase()));
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new RamekinError("INVALID_ARGUMENT", `bad max-buffer-size ${JSON.stringify(text)}`, {
    hint: "a number of bytes, or with k, m or g: 4m",
  });
}

function chosen(from: Readonly<Record<string, string>> = {}, names: string | undefined, pattern: RegExp | undefined): LogAttributes {
  const wanted = new Set(names?.split(",").map((name) => name.trim()));
  return Object.fromEntries(Object.entries(from).filter(([name]) => wanted.has(name) || pattern?.test(name)));
}
