import { DirectiveReader, type Directives } from "./directive.ts";
import type { Escape } from "./expand.ts";
import { type Heredoc, type HeredocMark, heredocsOf } from "./heredoc.ts";
import { Complaint, type Problems } from "./problem.ts";
import { isSpace, type Piece, type Range, type Source, trim, trimStart } from "./source.ts";

/** The lines of one instruction, joined where the escape character ends one; each character still knows where it stands. */
export class LogicalLine {
  readonly source: Source;
  readonly text: string;
  readonly comments: readonly string[];
  /** Places of empty lines between the joined ones: a deprecated habit, and a check. */
  readonly emptyLines: readonly Range[];
  heredocs: readonly Heredoc[] = [];
  /** Where the last line ends, the heredocs included. */
  end: number;
  readonly #pieces: readonly { readonly at: number; readonly offset: number }[];

  constructor(
    source: Source,
    pieces: readonly { readonly text: string; readonly offset: number }[],
    comments: readonly string[],
    emptyLines: readonly Range[],
  ) {
    this.source = source;
    this.comments = comments;
    this.emptyLines = emptyLines;
    const starts: { at: number; offset: number }[] = [];
    let text = "";
    for (const piece of pieces) {
      starts.push({ at: text.length, offset: piece.offset });
      text += piece.text;
    }
    this.#pieces = starts;
    this.text = text;
    this.end = this.offset(text.length);
  }

  /** Where the character at this index of `text` stands in the file. */
  offset(index: number): number {
    let [low, high] = [0, this.#pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#pieces[middle]?.at ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    const { offset, at } = this.#pieces[low] ?? { offset: 0, at: 0 };
    return offset + index - at;
  }

  /** The range of `text` from `start` to `end`; the end is that of its last character, not the beginning of a line joined to it. */
  range(start: number, end: number): Range {
    return this.source.range(this.offset(start), end > start ? this.offset(end - 1) + 1 : this.offset(start));
  }

  piece(start: number, end: number, text = this.text.slice(start, end)): Piece {
    return { text, range: this.range(start, end) };
  }

  /** Of the instruction, from its keyword to the end of the last line. */
  get whole(): Range {
    const start = this.text.length - trimStart(this.text).length;
    return this.source.range(this.offset(start), Math.max(this.end, this.offset(start)));
  }
}

/** A line as it stands in the file, without its line break. */
interface FileLine {
  readonly text: string;
  readonly offset: number;
  /** Where the next one begins. */
  readonly next: number;
}

/** What stands in a file, by lines. `heredocs` says whether a line is of an instruction that may have some. */
export interface Lines {
  readonly directives: Directives;
  readonly escapeToken: Escape;
  readonly lines: readonly LogicalLine[];
}

export function readLines(source: Source, problems: Problems, takesHeredocs: (line: LogicalLine, escapeToken: Escape) => boolean): Lines {
  const file = new LineReader(source);
  const directives = new DirectiveReader(source);
  const lines: LogicalLine[] = [];
  let comments: string[] = [];
  for (let line = file.next(); line; line = file.next()) {
    const { text, offset } = line;
    const indent = text.length - trimStart(text).length;
    const content = text.slice(indent);
    const directive = problems.hear(source.range(offset, offset + text.length), () => directives.read(content, offset + indent));
    if (content.startsWith("#")) {
      const comment = trim(text.slice(1));
      if (comment === "") comments = [];
      else if (directive === false) comments.push(comment);
      continue;
    }
    const joined = readJoined(file, source, { ...line, text: content, offset: offset + indent }, directives.escapeToken, comments);
    if (!joined) continue;
    problems.hear(joined.whole, () => {
      if (takesHeredocs(joined, directives.escapeToken)) readHeredocs(file, joined);
    });
    lines.push(joined);
    comments = [];
  }
  return { directives: directives.found, escapeToken: directives.escapeToken, lines };
}

/** The line and those that its escape character joins to it; undefined for an empty one. */
function readJoined(
  file: LineReader,
  source: Source,
  first: FileLine,
  escapeToken: Escape,
  comments: readonly string[],
): LogicalLine | undefined {
  const pieces: { text: string; offset: number }[] = [];
  const emptyLines: Range[] = [];
  const take = ({ text, offset }: FileLine) => {
    const kept = withoutContinuation(text, escapeToken);
    pieces.push({ text: kept ?? text, offset });
    return kept !== undefined;
  };
  let goesOn = take(first);
  if (!goesOn && first.text === "") return undefined;
  while (goesOn) {
    const line = file.next();
    if (!line) break;
    const content = trimStart(line.text);
    if (content.startsWith("#")) continue;
    if (content === "") emptyLines.push(source.range(line.offset, line.offset + line.text.length));
    else goesOn = take(line);
  }
  return new LogicalLine(source, pieces, comments, emptyLines);
}

/**
 * The line without the escape character that ends it, blanks after it or not; undefined when it has none, or an escaped one. A third
 * escape character counts as escaped by the second, as in Docker.
 */
function withoutContinuation(text: string, escapeToken: Escape): string | undefined {
  let end = text.length;
  while (end > 0 && (text[end - 1] === " " || text[end - 1] === "\t")) end -= 1;
  if (text[end - 1] !== escapeToken || text[end - 2] === escapeToken) return undefined;
  return text.slice(0, end - 1);
}

function readHeredocs(file: LineReader, line: LogicalLine): void {
  const heredocs: Heredoc[] = [];
  for (const mark of heredocsOf(line.text)) {
    const heredoc = readHeredoc(file, line, mark);
    heredocs.push(heredoc);
    line.heredocs = heredocs;
  }
}

function readHeredoc(file: LineReader, line: LogicalLine, mark: HeredocMark): Heredoc {
  const start = file.offset;
  for (let each = file.next(); each; each = file.next()) {
    const word = mark.chomp ? each.text.replace(/^\t+/, "") : each.text;
    if (word !== mark.name) continue;
    line.end = each.offset + each.text.length;
    const { source } = line;
    return { ...mark, content: source.text.slice(start, each.offset), range: source.range(start, each.offset) };
  }
  throw new Complaint("unterminated heredoc", {
    range: line.range(0, line.text.length),
    hint: `a line with ${mark.name} alone ends it`,
  });
}

class LineReader {
  offset = 0;
  readonly #text: string;

  constructor({ text }: Source) {
    this.#text = text;
  }

  next(): FileLine | undefined {
    const { offset } = this;
    if (offset >= this.#text.length) return undefined;
    const end = this.#text.indexOf("\n", offset);
    const next = end < 0 ? this.#text.length : end + 1;
    this.offset = next;
    let until = next;
    while (until > offset && (this.#text[until - 1] === "\n" || this.#text[until - 1] === "\r")) until -= 1;
    return { text: this.#text.slice(offset, until), offset, next };
  }
}

/** Blanks that separate arguments: a line break cannot be there, other spaces of Unicode do not count. */
const isBlank = (character: string) =>
  character === " " || character === "\t" || character === "\r" || character === "\v" || character === "\f";

/** A word of a line: its text as it is written, quotes and escapes included. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export function firstWord(text: string, from: number): { readonly start: number; readonly end: number } {
  let start = from;
  while (start < text.length && isBlank(text[start] as string)) start += 1;
  let end = start;
  while (end < text.length && !isBlank(text[end] as string)) end += 1;
  return { start, end };
}

export function splitBlanks(text: string, start: number, end: number): readonly Word[] {
  const words: Word[] = [];
  for (let at = start; at < end; ) {
    while (at < end && isBlank(text[at] as string)) at += 1;
    const from = at;
    while (at < end && !isBlank(text[at] as string)) at += 1;
    if (at > from) words.push({ text: text.slice(from, at), start: from, end: at });
  }
  return words;
}

/** Words by quotes and escapes, both of which stay: expansion takes them away later. */
export function splitQuoted(text: string, start: number, end: number, escapeToken: Escape): readonly Word[] {
  const words: Word[] = [];
  let [word, from, quote, quoted] = ["", -1, "", false];
  const finish = (at: number) => {
    if (word !== "" || quoted) words.push({ text: word, start: from, end: at });
    [word, from, quote, quoted] = ["", -1, "", false];
  };
  for (let at = start; at < end; at++) {
    const character = text[at] as string;
    if (from < 0) {
      if (isSpace(character)) continue;
      from = at;
    }
    if (quote === "" && isSpace(character)) {
      finish(at);
      continue;
    }
    if (character === escapeToken && quote !== "'") {
      if (at + 1 >= end) continue; // at the end of the line it escapes nothing
      word += character;
      at += 1;
      word += text[at];
      continue;
    }
    if (quote === "" && (character === "'" || character === '"')) {
      quote = character;
      quoted = true;
    } else if (character === quote) quote = "";
    word += character;
  }
  if (from >= 0) finish(end);
  return words;
}

/**
 * The `--flags` at the beginning, with quotes and escapes taken away, and where the rest begins. (BuildKit reads them byte by byte, so
 * that letters outside ASCII come out as others there; here they stay.)
 */
export function splitFlags(text: string, start: number, escapeToken: Escape): { readonly flags: readonly Word[]; readonly rest: number } {
  const flags: Word[] = [];
  let at = start;
  for (;;) {
    while (at < text.length && isSpace(text[at] as string)) at += 1;
    if (!text.startsWith("--", at)) return { flags, rest: at };
    const from = at;
    let [word, quote, quoted] = ["", "", false];
    for (; at < text.length; at++) {
      const character = text[at] as string;
      if (quote === "" && isSpace(character)) break;
      if (quote === "" && (character === "'" || character === '"')) {
        quote = character;
        quoted = true;
      } else if (character === quote) quote = "";
      else if (character === escapeToken) {
        at += 1;
        word += text[at] ?? "";
      } else word += character;
    }
    if (word === "--") return { flags, rest: at };
    if (word !== "" || quoted) flags.push({ text: word, start: from, end: Math.min(at, text.length) });
  }
}
