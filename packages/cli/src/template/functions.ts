import { display } from "./display.ts";
import { templateError } from "./lex.ts";
import { printf } from "./printf.ts";

/** What `if` makes of a value: zero, empty and absent are false. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** As JSON.stringify, with Go's escapes of characters that are special in HTML left out, as Docker does; a bigint is a number. */
export function json(value: unknown): string {
  return JSON.stringify(value ?? null, (_, each: unknown) => (typeof each === "bigint" ? rawJSON(String(each)) : each));
}

/** ECMAScript's, which TypeScript does not know yet. */
const rawJSON = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);

type TemplateFunction = (...values: unknown[]) => unknown;

/** Docker's functions, then Go's. */
export const functions: Readonly<Record<string, TemplateFunction>> = {
  json,
  join: (list, separator) => asList(list).map(display).join(asText(separator)),
  split: (text, separator) => asText(text).split(asText(separator)),
  lower: (text) => asText(text).toLowerCase(),
  upper: (text) => asText(text).toUpperCase(),
  title: (text) => asText(text).replace(/\b\w/g, (letter) => letter.toUpperCase()),
  pad: (text, before, after) => (asText(text) === "" ? "" : " ".repeat(Number(before)) + asText(text) + " ".repeat(Number(after))),
  truncate: (text, length) => [...asText(text)].slice(0, Number(length)).join(""),

  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value),
  len: (value) =>
    typeof value === "string" ? Buffer.byteLength(value) : Array.isArray(value) ? value.length : Object.keys(value ?? {}).length,
  index: (value, ...keys) => keys.reduce(element, value),
  slice: (value, from, to) => slice(value, from, to),
  html,
  js,
  urlquery,
  print,
  println: (...values) => `${values.map(display).join(" ")}\n`,
  printf: (format, ...values) => printf(asText(format), values),
  eq: (value, ...others) => others.some((other) => other === value),
  ne: (a, b) => a !== b,
  lt: (a, b) => (a as number) < (b as number),
  le: (a, b) => (a as number) <= (b as number),
  gt: (a, b) => (a as number) > (b as number),
  ge: (a, b) => (a as number) >= (b as number),
};

function element(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    if (typeof key === "number" && key >= 0 && key < value.length) return value[key];
    throw templateError(`index out of range: ${display(key)}`);
  }
  if (typeof value !== "object" || value === null) throw templateError(`cannot index ${display(value)}`);
  return Object.hasOwn(value, String(key)) ? (value as Record<string, unknown>)[String(key)] : "";
}

/** Bytes, as Go counts; what is no string is a list. */
function slice(value: unknown, from: unknown, to: unknown): unknown {
  const [start, end] = [Number(from ?? 0), to === undefined ? undefined : Number(to)];
  const bytes = typeof value === "string" ? Buffer.from(value) : undefined;
  const length = bytes?.byteLength ?? (Array.isArray(value) ? value.length : undefined);
  if (length === undefined) throw templateError(`cannot slice ${display(value)}`);
  if (start < 0 || (end ?? length) > length || start > (end ?? length)) throw templateError(`index out of range: ${end ?? start}`);
  return bytes ? bytes.subarray(start, end).toString() : (value as unknown[]).slice(start, end);
}

/** A space between two neighbours of which neither is a string (Go's fmt.Sprint). */
function print(...values: unknown[]): string {
  return values
    .map((value, index) => (index > 0 && typeof value !== "string" && typeof values[index - 1] !== "string" ? " " : "") + display(value))
    .join("");
}

const escapes: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&#39;", '"': "&#34;", "\0": "\uFFFD" };
function html(...values: unknown[]): string {
  return print(...values).replace(/[<>&'"\0]/g, (character) => escapes[character] as string);
}

/** For use inside a string of JavaScript. */
function js(...values: unknown[]): string {
  const named: Readonly<Record<string, string>> = { "\\": "\\\\", "'": "\\'", '"': '\\"' };
  return print(...values).replace(/[\\'"<>&=]|\p{Cc}/gu, (character) => {
    return named[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

function urlquery(...values: unknown[]): string {
  return encodeURIComponent(print(...values))
    .replaceAll("%20", "+")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

const asText = (value: unknown) => (typeof value === "string" ? value : display(value));
const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : Object.values(value as object);
