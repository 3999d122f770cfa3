/** `line` and `column` count from 1, in UTF-16 units as editors do; `offset` from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** From `start` up to, and without, `end`. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** Text, and where in the file it stands. The text may differ from the file's: quotes of a flag are gone, lines are joined. */
export interface Piece {
  readonly text: string;
  readonly range: Range;
}

/** A file's text, and the way from an offset to its line and column. */
export class Source {
  readonly file: string;
  readonly text: string;
  readonly #starts: readonly number[];

  /** A byte order mark is no part of the text, nor of its columns. */
  constructor(text: string, file = "Dockerfile") {
    this.file = file;
    this.text = text.replace(/^\uFEFF/, "");
    const starts = [0];
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#starts = starts;
  }

  position(offset: number): Position {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] as number) + 1, offset };
  }

  range(start: number, end: number): Range {
    return { start: this.position(start), end: this.position(Math.max(start, end)) };
  }

  /** Without its line break. */
  line(number: number): string {
    const start = this.#starts[number - 1];
    if (start === undefined) return "";
    return this.text.slice(start, this.#starts[number] ?? this.text.length).replace(/[\r\n]+$/, "");
  }
}

/** Go's unicode.IsSpace: JavaScript's `\s` has U+FEFF besides and lacks U+0085. */
const space = "\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const isSpacePattern = new RegExp(`^[${space}]$`);
const leadingSpace = new RegExp(`^[${space}]+`);
const trailingSpace = new RegExp(`[${space}]$`);

/** Asked for every character of a file, nearly all of which are ASCII. */
export function isSpace(character: string): boolean {
  const code = character.charCodeAt(0);
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return isSpacePattern.test(character);
}

export const trimStart = (text: string): string => text.replace(leadingSpace, "");

/** Character by character from the end: a pattern `[space]+$` takes quadratic time on a long run of blanks in the middle. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && trailingSpace.test(text[end - 1] as string)) end -= 1;
  return text.slice(0, end);
}

export const trim = (text: string): string => trimEnd(trimStart(text));
