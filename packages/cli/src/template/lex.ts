import { RamekinError } from "@ramekin/core";

export type Token =
  /** `joined`: directly behind what it is a field of, as B is in `.A.B` and not in `.A .B`. */
  | { readonly type: "field"; readonly name: string; readonly joined: boolean }
  | { readonly type: "variable"; readonly name: string }
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "literal"; readonly value: string | number }
  | { readonly type: "mark"; readonly mark: "." | "|" | "(" | ")" | "," | ":=" | "=" };

export type Piece = { readonly text: string } | { readonly action: readonly Token[]; readonly source: string };

export const templateError = (message: string) =>
  new RamekinError("INVALID_ARGUMENT", `template parsing error: ${message}`, { hint: "for example '{{.ID}}: {{json .}}'" });

/** Cuts a template into text and actions: `{{-` and `-}}` eat the white space beside them, comments vanish. */
export function lex(template: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = template;
  for (;;) {
    const open = rest.indexOf("{{");
    if (open < 0) break;
    let text = rest.slice(0, open);
    const close = findClose(rest, open + 2);
    if (close < 0) throw templateError(`unclosed action: ${rest.slice(open)}`);
    let body = rest.slice(open + 2, close);
    rest = rest.slice(close + 2);
    if (/^-\s/.test(body)) {
      text = text.trimEnd();
      body = body.slice(1);
    }
    if (/\s-$/.test(body)) {
      rest = rest.trimStart();
      body = body.slice(0, -1);
    }
    if (text !== "") pieces.push({ text });
    body = body.trim();
    if (!/^\/\*[\s\S]*\*\/$/.test(body)) pieces.push({ action: tokens(body), source: body });
  }
  if (rest !== "") pieces.push({ text: rest });
  return pieces;
}

/** Braces inside strings do not count. */
function findClose(text: string, from: number): number {
  const pattern = /"(?:[^"\\]|\\.)*"|`[^`]*`|\}\}/g;
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match[0] === "}}") return match.index;
  }
  return -1;
}

const word = "[\\p{L}_][\\p{L}\\p{N}_]*";
/** Made when there is something to cut: its Unicode classes take a millisecond, and most listings have no template. */
const tokenPattern = () =>
  new RegExp(
    `\\s+|(?<field>\\.${word})|(?<variable>\\$(?:${word})?)|(?<quoted>"(?:[^"\\\\]|\\\\.)*")|\`(?<raw>[^\`]*)\`|(?<number>-?\\d+(?:\\.\\d+)?)|(?<name>${word})|(?<mark>:=|[.|(),=])`,
    "uy",
  );

function tokens(body: string): Token[] {
  const found: Token[] = [];
  const pattern = tokenPattern();
  while (pattern.lastIndex < body.length) {
    const at = pattern.lastIndex;
    const groups = pattern.exec(body)?.groups;
    if (groups === undefined && pattern.lastIndex === 0) throw templateError(`unexpected "${body.slice(at, at + 10)}" in action: ${body}`);
    const { field, variable, quoted, raw, number, name, mark } = groups ?? {};
    if (field !== undefined) found.push({ type: "field", name: field.slice(1), joined: at > 0 && !/[\s(|]/.test(body[at - 1] as string) });
    else if (variable !== undefined) found.push({ type: "variable", name: variable.slice(1) });
    else if (quoted !== undefined) found.push({ type: "literal", value: unquote(quoted) });
    else if (raw !== undefined) found.push({ type: "literal", value: raw });
    else if (number !== undefined) found.push({ type: "literal", value: Number(number) });
    else if (name !== undefined) found.push({ type: "name", name });
    else if (mark !== undefined) found.push({ type: "mark", mark: mark as "." });
  }
  return found;
}

function unquote(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw templateError(`bad string ${quoted}`);
  }
}
