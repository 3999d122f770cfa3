import { json } from "../template/functions.ts";
import { compileTemplate } from "../template/render.ts";
import { table } from "./table.ts";

/** What `--format` can show of one row, by Docker's names; functions are methods, such as `.Label "name"`. */
export type Row = Readonly<Record<string, string | ((argument: string) => string)>>;

export interface Listing {
  readonly rows: readonly Row[];
  /** The columns of the plain table. */
  readonly columns: readonly string[];
  /** What a column is called in a table's first line, where it is not its name in capitals. */
  readonly headings: Readonly<Record<string, string>>;
  /** The only column with `--quiet`. */
  readonly key: string;
  /** Without the first line of a table. */
  readonly bare?: boolean;
}

/** The lines of a list, by Docker's rules for `--format`: nothing or `table`, `table TEMPLATE`, `json`, `TEMPLATE`. */
export function listingLines(
  { rows, columns, headings, key, bare = false }: Listing,
  format: string | undefined,
  quiet: boolean,
): string[] {
  const cell = (row: Row, name: string) => String(row[name] ?? "");
  if (quiet && (format === undefined || format === "table")) return rows.map((row) => cell(row, key));
  if (format === undefined || format === "table" || format === "") {
    const lines = table([columns.map((name) => heading(name, headings)), ...rows.map((row) => columns.map((name) => cell(row, name)))]);
    return bare ? lines.slice(1) : lines;
  }
  if (format === "json") return rows.map((row) => json(dataOf(row)));
  const inTable = /^table\s+/.exec(format)?.[0];
  // in a shell's single quotes \t and \n arrive as two characters
  const template = format
    .slice(inTable?.length ?? 0)
    .replaceAll("\\t", "\t")
    .replaceAll("\\n", "\n");
  const render = compileTemplate(template);
  const lines = rows.map((row) => render(row));
  if (inTable === undefined) return lines;
  const laidOut = table([render(headingRow(rows[0], headings, template)), ...lines].map((line) => line.split("\t")));
  return bare ? laidOut.slice(1) : laidOut;
}

function heading(name: string, headings: Readonly<Record<string, string>>): string {
  return headings[name] ?? name.replace(/([a-z])([A-Z])/g, "$1 $2").toUpperCase();
}

/** What takes an argument, even when there is no row to tell. */
const methods = ["Annotation", "Label"];

/** A row whose values are the headings, so that the template itself lays out the first line. */
function headingRow(sample: Row | undefined, headings: Readonly<Record<string, string>>, template: string): Row {
  const used = [...template.matchAll(/\.(\p{Lu}[\p{L}\p{N}]*)/gu)].map(([, name]) => name as string);
  const names = new Set([...Object.keys(sample ?? {}), ...Object.keys(headings), ...used]);
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      typeof sample?.[name] === "function" || methods.includes(name) ? (argument: string) => argument : heading(name, headings),
    ]),
  );
}

/** Methods are no data. */
function dataOf(row: Row): Record<string, string> {
  return Object.fromEntries(Object.entries(row).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
