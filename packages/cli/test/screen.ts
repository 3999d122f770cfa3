import { characterWidth } from "../src/terminal/text-width.ts";

const start = "\x1b\\[";
const pieces = new RegExp(`${start}[0-?]*[A-Za-z]|[\\s\\S]`, "gu");

/** A terminal of so many columns and rows, as far as progress needs one: text, line breaks, and the sequences that it moves with. */
export class Screen {
  readonly isTTY = true;
  columns: number;
  readonly rows: number;
  /** Whether anything was written beyond the last column. */
  broken = false;
  cursorVisible = true;
  readonly writes: string[] = [];
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  get text(): string {
    return this.#lines
      .map((line) => line.join("").trimEnd())
      .join("\n")
      .trimEnd();
  }

  /** The colours that were asked for. */
  readonly styled = new Set<string>();

  write(text: string): boolean {
    this.writes.push(text);
    for (const [piece] of text.matchAll(pieces)) this.#take(piece);
    return true;
  }

  on(): this {
    return this;
  }

  off(): this {
    return this;
  }

  #take(piece: string): void {
    if (piece === "\n") {
      this.#row += 1;
      this.#column = 0;
      if (this.#row === this.#lines.length) this.#lines.push([]);
    } else if (piece === "\r") this.#column = 0;
    else if (!piece.startsWith("\x1b")) this.#put(piece);
    else if (piece.endsWith("A")) {
      // Nothing above the screen can be reached.
      const top = Math.max(0, this.#lines.length - this.rows);
      this.#row = Math.max(top, this.#row - Number(piece.slice(2, -1)));
    } else if (piece.endsWith("K")) this.#line().length = Math.min(this.#line().length, this.#column);
    else if (piece.endsWith("J")) {
      this.#line().length = Math.min(this.#line().length, this.#column);
      this.#lines.length = this.#row + 1;
    } else if (piece.endsWith("m")) this.styled.add(piece);
    else if (piece === "\x1b[?25l") this.cursorVisible = false;
    else if (piece === "\x1b[?25h") this.cursorVisible = true;
    else throw new Error(`the screen knows no ${JSON.stringify(piece)}`);
  }

  #put(character: string): void {
    const width = characterWidth(character);
    if (this.#column + width > this.columns) this.broken = true;
    const line = this.#line();
    while (line.length < this.#column) line.push(" ");
    line[this.#column] = character;
    if (width === 2) line[this.#column + 1] = "";
    this.#column += width;
  }

  #line(): string[] {
    return this.#lines[this.#row] as string[];
  }
}
