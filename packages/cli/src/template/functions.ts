import { templateError } from "./lex.ts";

/** Go's way of printing a value. */
export function display(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(display).join(" ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, each]) => `${key}:${display(each)}`).join(" ")}]`;
  }
  return String(value);
}

/** What `if` makes of a value: zero, empty and absent are false. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** As JSON.stringify, with Go's escapes of characters that are special in HTML left out, as Docker does. */
export function json(value: unknown): string {
  return JSON.stringify(value ?? null);
}

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
  slice: (value, from, to) => (value as string).slice(Number(from ?? 0), to === undefined ? undefined : Number(to)),
  print: (...values) => values.map(display).join(""),
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

function printf(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(/%(-?)(\d*)([sdvq%])/g, (_, left: string, width: string, verb: string) => {
    if (verb === "%") return "%";
    const value = values[next++];
    const text = verb === "q" ? JSON.stringify(display(value)) : display(value);
    return left ? text.padEnd(Number(width)) : text.padStart(Number(width));
  });
}

const asText = (value: unknown) => (typeof value === "string" ? value : display(value));
const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : Object.values(value as object);
