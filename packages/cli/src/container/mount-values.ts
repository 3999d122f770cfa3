import { isAbsolute } from "node:path";
import { RamekinError } from "@ramekin/core";
import { parseBytes } from "../values/bytes.ts";

export const invalid = (message: string, hint?: string): RamekinError =>
  new RamekinError("INVALID_ARGUMENT", message, hint === undefined ? {} : { hint });

export function readSize(text: string, whole: string): number {
  const size = parseBytes(text);
  if (size === undefined) throw invalid(`${whole}: not a size: ${text}`);
  return size;
}

export function readMode(text: string, whole: string): number {
  if (!/^[0-7]{1,5}$/.test(text)) throw invalid(`${whole}: not an octal mode: ${text}`);
  return Number.parseInt(text, 8);
}

export function readId(text: string, whole: string): number {
  if (!/^[0-9]{1,10}$/.test(text) || Number(text) > 0xfffffffe) throw invalid(`${whole}: not the number of a user or group: ${text}`);
  return Number(text);
}

export function checkTarget(target: string, whole: string): string {
  if (target === "") throw invalid(`mount ${whole} has no target`);
  if (!isAbsolute(target)) throw invalid(`mount ${whole}: the target ${target} is not absolute`);
  if (/^\/+$/.test(target)) throw invalid(`mount ${whole}: the target is the root directory`);
  return target;
}

/** Comma-separated `KEY[=VALUE]`, with the quotes of CSV around a field that holds a comma: `"source=/a,b"`. */
export function readFields(text: string, what: string): readonly (readonly [key: string, value: string | undefined])[] {
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, bare]) => {
    const field = quoted?.replaceAll('""', '"') ?? bare ?? "";
    if (field === "") throw invalid(`${what} ${text} has an empty field`);
    const at = field.indexOf("=");
    return at < 0 ? [field, undefined] : [field.slice(0, at), field.slice(at + 1)];
  });
}
