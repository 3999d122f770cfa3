import { Complaint } from "./problem.ts";

/** The fields of one line of comma-separated values, as Go's encoding/csv reads them: quotes only around a whole field. */
export function csvFields(text: string): readonly string[] {
  const fields: string[] = [];
  for (let at = 0; at <= text.length; at++) {
    if (text[at] !== '"') {
      const end = text.indexOf(",", at);
      const field = text.slice(at, end < 0 ? text.length : end);
      if (field.includes('"')) throw new Complaint(`bare " in non-quoted field of ${text}`);
      fields.push(field);
      at += field.length;
      continue;
    }
    const [whole, field] = /^"((?:[^"]|"")*)"(?=,|$)/.exec(text.slice(at)) ?? [];
    if (whole === undefined || field === undefined) throw new Complaint(`extraneous or missing " in quoted field of ${text}`);
    fields.push(field.replaceAll('""', '"'));
    at += whole.length;
  }
  return fields;
}

/** Go's strconv.ParseBool. */
export function parseBoolean(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  return ["0", "f", "F", "false", "FALSE", "False"].includes(text) ? false : undefined;
}
