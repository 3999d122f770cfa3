import { lex, type Piece, type Token, templateError } from "./lex.ts";

export type Operand =
  | { readonly type: "dot" }
  | { readonly type: "variable"; readonly name: string }
  | { readonly type: "literal"; readonly value: unknown }
  | { readonly type: "function"; readonly name: string }
  | { readonly type: "pipeline"; readonly pipeline: Pipeline };

/** `.A.B` of something; a function value or a named function takes the terms behind it as arguments. */
export interface Term {
  readonly operand: Operand;
  readonly fields: readonly string[];
}

/** Each command gets the value of the one before it as its last argument. */
export interface Pipeline {
  readonly declares: readonly string[];
  readonly commands: readonly (readonly Term[])[];
}

export type Node =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "print"; readonly pipeline: Pipeline }
  | {
      readonly type: "if" | "with" | "range";
      readonly pipeline: Pipeline;
      readonly then: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** The part of Go's text/template that people use: fields, pipelines, functions, variables, if, with, range. */
export function parseTemplate(template: string): readonly Node[] {
  const pieces = lex(template);
  const cursor = { at: 0 };
  const nodes = parseNodes(pieces, cursor, []);
  const left = pieces[cursor.at];
  if (left !== undefined && "source" in left) throw templateError(`unexpected {{${left.source}}}`);
  return nodes;
}

function parseNodes(pieces: readonly Piece[], cursor: { at: number }, until: readonly string[]): Node[] {
  const nodes: Node[] = [];
  for (; cursor.at < pieces.length; cursor.at++) {
    const piece = pieces[cursor.at] as Piece;
    if ("text" in piece) {
      nodes.push({ type: "text", text: piece.text });
      continue;
    }
    const [first, ...rest] = piece.action;
    const keyword = first?.type === "name" ? first.name : "";
    if (keyword === "end" || keyword === "else") {
      if (!until.includes(keyword)) break;
      return nodes;
    }
    if (keyword === "if" || keyword === "with" || keyword === "range") nodes.push(parseBlock(keyword, rest, pieces, cursor));
    else nodes.push({ type: "print", pipeline: parsePipeline(piece.action) });
  }
  if (until.length > 0) throw templateError("{{end}} is missing");
  return nodes;
}

function parseBlock(type: "if" | "with" | "range", head: readonly Token[], pieces: readonly Piece[], cursor: { at: number }): Node {
  const pipeline = parsePipeline(head);
  cursor.at++;
  const then = parseNodes(pieces, cursor, ["else", "end"]);
  const stop = pieces[cursor.at];
  const [keyword, again, ...rest] = stop !== undefined && "action" in stop ? stop.action : [];
  let otherwise: Node[] = [];
  if (keyword?.type === "name" && keyword.name === "else") {
    if (again?.type === "name" && (again.name === "if" || again.name === "with")) {
      // {{else if}}: one {{end}} closes both
      otherwise = [parseBlock(again.name, rest, pieces, cursor)];
    } else {
      cursor.at++;
      otherwise = parseNodes(pieces, cursor, ["end"]);
    }
  }
  return { type, pipeline, then, otherwise };
}

function parsePipeline(tokens: readonly Token[]): Pipeline {
  const assign = tokens.findIndex((token) => token.type === "mark" && (token.mark === ":=" || token.mark === "="));
  const declares = tokens.slice(0, Math.max(assign, 0)).flatMap((token) => (token.type === "variable" ? [token.name] : []));
  const cursor = { at: assign + 1 };
  const commands = parseCommands(tokens, cursor);
  if (cursor.at < tokens.length) throw templateError("unexpected )");
  return { declares, commands };
}

function parseCommands(tokens: readonly Token[], cursor: { at: number }): Term[][] {
  const commands: Term[][] = [[]];
  for (let token = tokens[cursor.at]; token !== undefined && !isMark(token, ")"); token = tokens[cursor.at]) {
    if (isMark(token, "|")) {
      commands.push([]);
      cursor.at++;
    } else {
      commands.at(-1)?.push(parseTerm(tokens, cursor));
    }
  }
  if (commands.some((command) => command.length === 0)) throw templateError("missing value for command");
  return commands;
}

function parseTerm(tokens: readonly Token[], cursor: { at: number }): Term {
  const token = tokens[cursor.at++] as Token;
  const operand = ((): Operand => {
    switch (token.type) {
      case "field":
        cursor.at--; // one of the fields below
        return { type: "dot" };
      case "variable":
        return { type: "variable", name: token.name };
      case "literal":
        return { type: "literal", value: token.value };
      case "name":
        if (constants.has(token.name)) return { type: "literal", value: constants.get(token.name) };
        return { type: "function", name: token.name };
      case "mark":
        if (token.mark === ".") return { type: "dot" };
        if (token.mark !== "(") throw templateError(`unexpected ${token.mark}`);
        return { type: "pipeline", pipeline: parseGroup(tokens, cursor) };
    }
  })();
  const fields: string[] = [];
  for (let next = tokens[cursor.at]; next?.type === "field"; next = tokens[cursor.at]) {
    const first = token.type === "field" && fields.length === 0;
    if (!first && !next.joined) break;
    fields.push(next.name);
    cursor.at++;
  }
  return { operand, fields };
}

function parseGroup(tokens: readonly Token[], cursor: { at: number }): Pipeline {
  const commands = parseCommands(tokens, cursor);
  if (!isMark(tokens[cursor.at], ")")) throw templateError("unclosed (");
  cursor.at++;
  return { declares: [], commands };
}

const constants: ReadonlyMap<string, unknown> = new Map([
  ["true", true],
  ["false", false],
  ["nil", undefined],
]);

const isMark = (token: Token | undefined, mark: string) => token?.type === "mark" && token.mark === mark;
