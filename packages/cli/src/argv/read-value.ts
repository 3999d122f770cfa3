import { parseBytes } from "../values/bytes.ts";
import type { Flag } from "../verb.ts";

export type ReadValue = { readonly value: string | number | boolean } | { readonly reason: string };

/** What a flag's text means, or why it means nothing. */
export function readValue(flag: Exclude<Flag, { type: "list" }>, text: string): ReadValue {
  switch (flag.type) {
    case "boolean": {
      const value = isOn(text);
      return value === undefined ? { reason: "neither true nor false" } : { value };
    }
    case "int":
      return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? { value: Number(text) } : { reason: "not a whole number" };
    case "decimal": {
      const value = Number(text);
      return /^\d*\.?\d+$/.test(text) && Number.isFinite(value) ? { value } : { reason: "not a decimal number" };
    }
    case "bytes": {
      const value = parseBytes(text);
      return value === undefined ? { reason: `invalid size: '${text}'` } : { value };
    }
    case "string":
      return flag.choices === undefined || flag.choices.includes(text)
        ? { value: text }
        : { reason: `must be one of ${anyOf(flag.choices)}` };
  }
}

/** The spellings of Go's ParseBool. */
export function isOn(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  return undefined;
}

function anyOf(choices: readonly string[]): string {
  const quoted = choices.map((choice) => `"${choice}"`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}
