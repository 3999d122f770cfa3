import { readFile } from "node:fs/promises";
import { RamekinError } from "@ramekin/core";

export type Table = Readonly<Record<string, unknown>>;

/** Undefined where there is no such file, or where `worth` sees nothing in its text. The parser loads only when there is. */
export async function readToml(path: string, worth: (text: string) => boolean = () => true): Promise<Table | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new RamekinError("PERMISSION_DENIED", `cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (text === undefined || !worth(text)) return undefined;
  const { parse } = await import("smol-toml");
  try {
    return parse(text);
  } catch (cause) {
    throw wrong(path, cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : "not TOML");
  }
}

export function wrong(path: string, what: string): RamekinError {
  return new RamekinError("INVALID_ARGUMENT", `${path}: ${what}`, { hint: "see docs/registries.md" });
}

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads typed values out of a table of a file, and says which one is of another type. */
export function reader(path: string, at: string, table: Table) {
  const typed = <T>(key: string, is: (value: unknown) => value is T, kind: string): T | undefined => {
    const value = table[key];
    if (value === undefined || is(value)) return value;
    throw wrong(path, `${at}${key} is not ${kind}`);
  };
  return {
    string: (key: string) => typed(key, (value) => typeof value === "string", "a string"),
    boolean: (key: string) => typed(key, (value) => typeof value === "boolean", "true or false"),
    strings: (key: string) =>
      typed(
        key,
        (value): value is string[] => Array.isArray(value) && value.every((each) => typeof each === "string"),
        "a list of strings",
      ),
    table: (key: string) => typed(key, isTable, "a table"),
    tables: (key: string) =>
      typed(key, (value): value is Table[] => Array.isArray(value) && value.every(isTable), "a list of tables") ?? [],
    only(...known: readonly string[]) {
      const other = Object.keys(table).find((key) => !known.includes(key));
      if (other !== undefined) throw wrong(path, `${at}${other} is not known; known are ${known.join(", ")}`);
    },
  };
}
