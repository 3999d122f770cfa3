import type { LogicalLine } from "./line.ts";
import { Complaint } from "./problem.ts";
import { type Piece, trimStart } from "./source.ts";

/** The exec form: a JSON list of strings. Undefined for what is no JSON list, and so the shell form; a list of other things is wrong. */
export function jsonForm(line: LogicalLine, start: number, end: number): readonly Piece[] | undefined {
  const text = line.text.slice(start, end);
  const list = trimStart(text);
  if (!list.startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(list);
  } catch {
    return undefined; // a shell command may begin with a bracket
  }
  const values = value as readonly unknown[];
  if (!values.every((each) => typeof each === "string")) {
    throw new Complaint("when using JSON array syntax, arrays must be comprised of strings only", { range: line.range(start, end) });
  }
  const from = start + text.length - list.length;
  const places = [...list.matchAll(/"(?:[^"\\]|\\.)*"/g)];
  return places.map((match, index) => line.piece(from + match.index, from + match.index + match[0].length, values[index]));
}
