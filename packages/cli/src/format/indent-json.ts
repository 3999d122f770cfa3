/**
 * JSON text with line breaks and indentation, and nothing else changed: numbers, escapes, the order of fields and fields that
 * stand twice stay as they are written, which no reader that parses can promise. The same as Go's json.Indent.
 */
export function indentJSON(text: string, unit: string): string {
  let out = "";
  let depth = 0;
  let last = "";
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/gs)) {
    const closes = token === "}" || token === "]";
    const opened = last === "{" || last === "[";
    if (closes) depth--;
    // An empty object or list stays on its line.
    if (closes ? !opened : opened || last === ",") out += `\n${unit.repeat(depth)}`;
    out += token === ":" ? ": " : token;
    if (token === "{" || token === "[") depth++;
    last = token;
  }
  return out;
}
