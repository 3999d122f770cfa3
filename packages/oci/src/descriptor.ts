import { type Descriptor, RamekinError } from "@ramekin/core";
import { parseDigest } from "./digest.ts";
import { isObject, type JsonObject, present, type Violations, withoutNulls } from "./json.ts";

/**
 * Checks a descriptor read from JSON (OCI image spec, descriptor.md) and gives it back without null fields; unknown fields stay.
 * What is wrong goes to `violations`, under the name `where`.
 */
export function readDescriptor(value: unknown, where: string, violations: Violations): Descriptor | undefined {
  if (!isObject(value)) {
    violations.add(where, "not a descriptor");
    return undefined;
  }
  const fields = withoutNulls(value);
  let right = true;
  const need = (ok: boolean, field: string, why: string) => {
    if (ok) return;
    violations.add(`${where}.${field}`, why);
    right = false;
  };
  const { mediaType, digest, size, platform, annotations, urls, data, artifactType } = fields;
  need(
    typeof mediaType === "string" && /^[a-z0-9][\w.+!#$&^-]*\/[\w.+!#$&^-]+(?:\s*;.*)?$/i.test(mediaType),
    "mediaType",
    "not a media type",
  );
  need(Number.isSafeInteger(size) && (size as number) >= 0, "size", "not a size in bytes");
  try {
    parseDigest(typeof digest === "string" ? digest : String(digest));
  } catch (error) {
    need(false, "digest", error instanceof RamekinError ? error.message : String(error));
  }
  need(platform === undefined || isPlatform(platform), "platform", "os and architecture must be strings");
  need(annotations === undefined || isStringMap(annotations), "annotations", "must map strings to strings");
  need(urls === undefined || (Array.isArray(urls) && urls.every((url) => typeof url === "string")), "urls", "must be a list of strings");
  need(data === undefined || typeof data === "string", "data", "must be a base64 string");
  need(artifactType === undefined || typeof artifactType === "string", "artifactType", "must be a string");
  if (!right) return undefined;
  return { ...fields, ...(isObject(platform) && { platform: withoutNulls(platform) }) } as unknown as Descriptor;
}

/** A list of descriptors; null is an empty one. */
export function readDescriptors(value: unknown, where: string, violations: Violations): Descriptor[] {
  if (!present(value)) return [];
  if (!Array.isArray(value)) {
    violations.add(where, "not a list");
    return [];
  }
  return value.flatMap((entry, index) => readDescriptor(entry, `${where}[${index}]`, violations) ?? []);
}

export function isStringMap(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((entry) => typeof entry === "string");
}

function isPlatform(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { os, architecture, variant } = value as JsonObject;
  return typeof os === "string" && typeof architecture === "string" && (!present(variant) || typeof variant === "string");
}
