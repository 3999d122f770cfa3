import type { Escape } from "./expand.ts";
import { Complaint } from "./problem.ts";
import { type Piece, type Source, trimStart } from "./source.ts";

/** `# syntax=`, `# escape=` and `# check=` in the lines before anything else: comments, instructions and empty lines end them. */
export interface Directives {
  readonly syntax?: Piece;
  readonly escape?: Piece;
  readonly check?: Piece;
}

const names: readonly string[] = ["syntax", "escape", "check"] satisfies readonly (keyof Directives)[];

/** Reads directives line by line until `done`. */
export class DirectiveReader {
  readonly found: { -readonly [Name in keyof Directives]: Directives[Name] } = {};
  readonly #source: Source;
  #done = false;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Whether the line is a directive; `offset` is where the line stands. */
  read(line: string, offset: number): boolean {
    if (this.#done) return false;
    const match = /^#\s*([a-zA-Z][a-zA-Z0-9]*)(\s*=\s*)(\S.*)$/.exec(line);
    const name = match?.[1]?.toLowerCase() ?? "";
    if (!match || !names.includes(name)) {
      this.#done = true;
      return false;
    }
    const text = (match[3] as string).trimEnd();
    const start = offset + line.length - (match[3] as string).length;
    const range = this.#source.range(start, start + text.length);
    if (this.found[name as keyof Directives]) {
      const whole = this.#source.range(offset, offset + line.trimEnd().length);
      throw new Complaint(`only one ${name} parser directive can be used`, { range: whole });
    }
    if (name === "escape" && text !== "\\" && text !== "`") {
      throw new Complaint(`invalid escape token '${text}' does not match \` or \\`, { range, hint: "write # escape=` or # escape=\\" });
    }
    this.found[name as keyof Directives] = { text, range };
    return true;
  }

  get escapeToken(): Escape {
    return this.found.escape?.text === "`" ? "`" : "\\";
  }
}

/**
 * The frontend that a file asks for; undefined when it asks for none, or for Docker's, which is built in whatever its version.
 * Anything else is a program of somebody's that would translate the file: it is told to the caller, who refuses it.
 */
export function foreignFrontend(text: string): string | undefined {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines[0]?.startsWith("#!")) lines.shift();
  const frontend = syntaxOf(lines, /^#\s*(.*)$/) ?? syntaxOf(lines, /^\/\/\s*(.*)$/) ?? syntaxOfJson(text);
  if (frontend === undefined) return undefined;
  const [name = ""] = frontend.split(/[@:](?!.*\/)/);
  const builtIn = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?$/.test(name);
  return builtIn ? undefined : frontend;
}

function syntaxOf(lines: readonly string[], comment: RegExp): string | undefined {
  for (const line of lines) {
    const [, name, value] = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S+)/.exec(comment.exec(line)?.[1] ?? "") ?? [];
    if (name === undefined || !names.includes(name.toLowerCase())) return undefined;
    if (name.toLowerCase() === "syntax") return value;
  }
  return undefined;
}

/** Other languages may say it as `{"syntax": "…"}`. */
function syntaxOfJson(text: string): string | undefined {
  if (!trimStart(text).startsWith("{")) return undefined;
  try {
    const value = (JSON.parse(text) as { syntax?: unknown }).syntax;
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
