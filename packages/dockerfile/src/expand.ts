import { Complaint } from "./problem.ts";
import { parseShellPattern, replacePattern, trimPrefix, trimSuffix } from "./shell-pattern.ts";
import { isSpace } from "./source.ts";

export type Escape = "\\" | "`";
export type Variables = ReadonlyMap<string, string>;

export interface ExpandOptions {
  readonly escape?: Escape;
  /** Quotes stay in the result. */
  readonly rawQuotes?: boolean;
  /** Escapes stay in the result. */
  readonly rawEscapes?: boolean;
  /** Quotes are characters like others: the content of heredocs. */
  readonly plainQuotes?: boolean;
  /** What is unset stays as it is written. */
  readonly keepUnset?: boolean;
}

export interface Expansion {
  readonly text: string;
  /** The result split at blanks that are not quoted; those that a variable brought split too. */
  readonly words: readonly string[];
  /** Names that were looked up, and had a value. */
  readonly found: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

/**
 * Quotes and variables, as the shell lexer of BuildKit does it (frontend/dockerfile/shell), which is no shell's: `\` before any
 * character is dropped outside quotes, a name may be `@` or `1`, patterns know no brackets.
 * One thing differs on purpose: there, `${x:-…}` inside a word loses the part of the word before it (in `words` only, so for EXPOSE).
 */
export function expand(text: string, variables: Variables, options: ExpandOptions = {}): Expansion {
  const lexer = new ShellLexer(text, variables, options);
  try {
    const { result, words } = lexer.read(undefined, options.rawEscapes ?? false, false);
    return { text: result, words, found: lexer.found, missing: lexer.missing };
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    throw new Complaint(`failed to process ${JSON.stringify(text)}: ${error.message}`, { hint: error.hint });
  }
}

/** `ENV A=$A$A`, forty times, would take a terabyte. No process takes a variable above 128 KiB; heredocs may be longer. */
const maxLength = 16 << 20;
const maxDepth = 200; // of ${…:-${…}}: enough for people, and a message instead of an overflow of the stack

class ShellLexer {
  readonly found = new Set<string>();
  readonly missing = new Set<string>();
  readonly #text: readonly string[];
  readonly #variables: Variables;
  readonly #options: ExpandOptions;
  readonly #escape: string;
  #at = 0;
  #rawEscapes = false;
  #depth = 0;
  #length = 0;

  constructor(text: string, variables: Variables, options: ExpandOptions) {
    this.#text = [...text];
    this.#variables = variables;
    this.#options = options;
    this.#escape = options.escape ?? "\\";
  }

  /** Up to `stop`, which it takes, or to the end. `forPattern`: what quotes protect stays protected from being read as a pattern. */
  read(stop: string | undefined, rawEscapes: boolean, forPattern: boolean): { result: string; words: readonly string[] } {
    if (++this.#depth > maxDepth) throw new Complaint("substitutions are nested too deeply");
    const before = this.#rawEscapes;
    this.#rawEscapes = rawEscapes;
    let result = "";
    const words = new Words();
    for (let character = this.#peek; ; character = this.#peek) {
      if (character === stop) break;
      if (character === undefined) throw new Complaint(`unexpected end of statement while looking for matching ${stop}`);
      const special = this.#special(character, forPattern);
      if (special !== undefined) {
        result += special;
        if (character === "$") words.addSplitting(special);
        else words.add(special);
        continue;
      }
      this.#at += 1;
      if (character !== this.#escape) {
        words.addSplitting(character);
        result += character;
        continue;
      }
      if (this.#rawEscapes) {
        words.add(character);
        result += character;
      }
      const escaped = this.#next();
      if (escaped === undefined) continue;
      words.add(escaped);
      result += escaped;
    }
    this.#at += 1;
    this.#rawEscapes = before;
    this.#depth -= 1;
    return { result, words: words.end() };
  }

  get #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #next(): string | undefined {
    const character = this.#text[this.#at];
    this.#at += 1;
    return character;
  }

  #special(character: string, forPattern: boolean): string | undefined {
    if (character === "$") return this.#dollar();
    if (character === "<") return this.#heredoc();
    if (this.#options.plainQuotes) return undefined;
    if (character === "'") return this.#singleQuoted(forPattern);
    return character === '"' ? this.#doubleQuoted(forPattern) : undefined;
  }

  #singleQuoted(forPattern: boolean): string {
    const quote = this.#options.rawQuotes ? "'" : "";
    this.#at += 1;
    let result = quote;
    for (let character = this.#next(); character !== "'"; character = this.#next()) {
      if (character === undefined) throw new Complaint("unexpected end of statement while looking for matching single-quote");
      result += forPattern && character === this.#escape ? character + character : character;
    }
    return result + quote;
  }

  #doubleQuoted(forPattern: boolean): string {
    const quote = this.#options.rawQuotes ? '"' : "";
    this.#at += 1;
    let result = quote;
    for (;;) {
      if (this.#peek === "$") {
        result += this.#dollar();
        continue;
      }
      const character = this.#next();
      if (character === undefined) throw new Complaint("unexpected end of statement while looking for matching double-quote");
      if (character === '"') return result + quote;
      if (character !== this.#escape) {
        result += character;
        continue;
      }
      const escaped = this.#peek;
      if (escaped === undefined) continue;
      if (escaped === '"' || escaped === "$" || escaped === this.#escape) {
        this.#at += 1;
        result += this.#rawEscapes ? character + escaped : escaped;
      } else result += this.#rawEscapes && (!this.#options.rawQuotes || forPattern) ? character + character : character;
    }
  }

  /** `<<` and the blanks after it are part of a word. */
  #heredoc(): string {
    this.#at += 1;
    if (this.#peek !== "<") return "<";
    this.#at += 1;
    return `<<${this.#while(/[\t\r ]/)}`;
  }

  #dollar(): string {
    this.#at += 1;
    if (this.#peek !== "{") {
      const name = this.#name();
      if (name === "") return "$";
      const value = this.#lookUp(name);
      return value ?? (this.#options.keepUnset ? `$${name}` : "");
    }
    this.#at += 1;
    const first = this.#peek;
    if (first === undefined) throw missingBrace();
    if (first === "{" || first === "}" || first === ":") throw new Complaint("syntax error: bad substitution");
    return this.#braced(this.#name());
  }

  #braced(name: string): string {
    const operator = this.#next();
    switch (operator) {
      case undefined:
        throw missingBrace();
      case "}":
        return this.#lookUp(name) ?? (this.#options.keepUnset ? `\${${name}}` : "");
      case ":":
        return this.#conditional(name, this.#next() ?? "", true);
      case "/":
        return this.#replaced(name);
      default:
        return this.#conditional(name, operator, false);
    }
  }

  #conditional(name: string, operator: string, emptyIsUnset: boolean): string {
    const written = `${emptyIsUnset ? ":" : ""}${operator}`;
    const trims = operator === "#" || operator === "%";
    if ((emptyIsUnset && trims) || !"+-?#%".includes(operator) || operator === "")
      throw new Complaint(`unsupported modifier (${written}) in substitution`);
    const word = this.#operand("}", trims, trims, missingBrace);
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.keepUnset) return `\${${name}${written}${word}}`;
    const absent = value === undefined || (emptyIsUnset && value === "");
    switch (operator) {
      case "-":
        return absent ? word : value;
      case "+":
        return absent ? "" : word;
      case "?":
        if (!absent) return value;
        throw new Complaint(`${name}: ${word || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`);
      default: {
        const longest = word.startsWith(operator);
        const pattern = parseShellPattern(longest ? word.slice(1) : word);
        return (operator === "#" ? trimPrefix : trimSuffix)(value ?? "", pattern, longest);
      }
    }
  }

  #replaced(name: string): string {
    const all = this.#peek === "/";
    if (all) this.#at += 1;
    const pattern = this.#operand("/", true, true, () => new Complaint("syntax error: missing '/' in a substitution"));
    const replacement = this.#operand("}", true, false, missingBrace);
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.keepUnset) return `\${${name}/${pattern}/${replacement}}`;
    return replacePattern(value ?? "", parseShellPattern(pattern), replacement, all);
  }

  #operand(stop: string, rawEscapes: boolean, forPattern: boolean, atEnd: () => Complaint): string {
    try {
      return this.read(stop, rawEscapes, forPattern).result;
    } catch (error) {
      throw error instanceof Complaint && this.#peek === undefined && this.#depth <= maxDepth ? atEnd() : error;
    }
  }

  #name(): string {
    const first = this.#peek ?? "";
    if (/\p{Nd}/u.test(first)) return this.#while(/\p{Nd}/u);
    if (first !== "" && "@*#?-$!".includes(first)) {
      this.#at += 1;
      return first;
    }
    return this.#while(/[\p{L}\p{Nd}_]/u);
  }

  #while(pattern: RegExp): string {
    let taken = "";
    while (this.#peek !== undefined && pattern.test(this.#peek)) taken += this.#next();
    return taken;
  }

  #lookUp(name: string): string | undefined {
    const value = this.#variables.get(name);
    this.#length += value?.length ?? 0;
    if (this.#length > maxLength) throw new Complaint(`expands to more than ${maxLength >> 20} MiB`);
    (value === undefined ? this.missing : this.found).add(name);
    return value;
  }
}

const missingBrace = () => new Complaint("syntax error: missing '}'");

class Words {
  readonly #all: string[] = [];
  #word = "";

  add(text: string): void {
    this.#word += text;
  }

  /** Blanks end a word. Words without a character are none, quoted or not. */
  addSplitting(text: string): void {
    for (const character of text) {
      if (!isSpace(character)) this.#word += character;
      else this.end();
    }
  }

  end(): readonly string[] {
    if (this.#word !== "") this.#all.push(this.#word);
    this.#word = "";
    return this.#all;
  }
}
