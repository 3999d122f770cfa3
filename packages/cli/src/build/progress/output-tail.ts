import { characterWidth } from "../../terminal/text-width.ts";

const esc = "\x1b";
const control = "[\\0-\\x1f\\x7f]";
const text = "[^\\0-\\x1f\\x7f]+";
/** ECMA-48: CSI, OSC and what has two bytes. */
const sequences = `${esc}\\[[0-?]*[ -/]*[@-~]|${esc}\\][^${esc}\\x07]*(?:\\x07|${esc}\\\\)|${esc}[ -/]*[0-Z\\\\-~]`;
const pieces = new RegExp(`${sequences}|${control}|${text}`, "g");
const unfinished = new RegExp(`${esc}(?:\\[[0-?]*[ -/]*|\\][^${esc}\\x07]{0,200}|[ -/]*)?$`);
const longest = 2000;

/**
 * The last lines of what a program writes, as a terminal would have them: a carriage return begins the line again, as progress bars
 * do; colours and movements are left out.
 */
export class OutputTail {
  readonly #decoder = new TextDecoder();
  readonly #kept: number;
  readonly #lines: string[] = [];
  #line: string[] = [];
  #cursor = 0;
  #rest = "";

  constructor(kept: number) {
    this.#kept = kept;
  }

  /** Whether anything was written that can be seen. */
  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#line.length === 0;
  }

  write(bytes: Uint8Array): void {
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    this.#rest = unfinished.exec(text)?.[0] ?? "";
    for (const [piece] of text.slice(0, text.length - this.#rest.length).matchAll(pieces)) this.#take(piece);
  }

  /** Lines that are wider than the terminal take several rows. */
  rows(columns: number, count: number): readonly string[] {
    const lines = [...this.#lines, ...(this.#line.length > 0 ? [this.#line.join("")] : [])].filter((line) => line.trim() !== "");
    return lines
      .slice(-count)
      .flatMap((line) => wrapped(line, columns))
      .slice(-count);
  }

  #take(piece: string): void {
    if (piece === "\n") {
      this.#lines.push(this.#line.join(""));
      if (this.#lines.length > this.#kept) this.#lines.shift();
      this.#line = [];
      this.#cursor = 0;
    } else if (piece === "\r") this.#cursor = 0;
    else if (piece === "\b") this.#cursor = Math.max(0, this.#cursor - 1);
    else if (piece === "\t") this.#put(" ".repeat(8 - (this.#cursor % 8)));
    else if (piece === `${esc}[K` || piece === `${esc}[0K`) this.#line.length = Math.min(this.#line.length, this.#cursor);
    else if (piece === `${esc}[2K`) this.#line = [];
    else if (piece >= " " && piece[0] !== "\x7f") this.#put(piece);
  }

  #put(text: string): void {
    for (const character of text) {
      if (this.#cursor >= longest) return;
      while (this.#line.length < this.#cursor) this.#line.push(" ");
      this.#line[this.#cursor++] = character;
    }
  }
}

function wrapped(line: string, columns: number): readonly string[] {
  const rows: string[] = [];
  let row = "";
  let width = 0;
  for (const character of line) {
    const more = characterWidth(character);
    if (width + more > columns && row !== "") {
      rows.push(row);
      [row, width] = ["", 0];
    }
    row += character;
    width += more;
  }
  return [...rows, row];
}
