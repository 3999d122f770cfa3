import { RamekinError } from "@ramekin/core";
import type { Range, Source } from "./source.ts";

/** What is wrong, and where: the message has file, line and column, the line itself and a caret under the place. */
export class DockerfileError extends RamekinError {
  readonly file: string;
  readonly range: Range;
  /** The message alone, in Docker's words where it has some. */
  readonly reason: string;
  readonly #source: Source;

  constructor(source: Source, range: Range, reason: string, hint?: string) {
    super("INVALID_ARGUMENT", `${at(source, range)}: ${reason}\n${excerpt(source, range)}`, hint === undefined ? {} : { hint });
    this.file = source.file;
    this.range = range;
    this.reason = reason;
    this.#source = source;
  }

  /** The place with the lines around it, as BuildKit shows it. */
  get surroundings(): string {
    return surroundings(this.#source, this.range);
  }
}

/** `>>>` marks the lines, of which there are four around a single one, two around more (BuildKit, solver/errdefs). */
export function surroundings(source: Source, { start, end }: Range): string {
  const lines = source.text.split("\n");
  let [first, last] = [start.line, Math.min(Math.max(end.line, start.line), lines.length)];
  const wanted = first === last ? 4 : 2;
  // Each turn counts for one though it may take two: that is how BuildKit reckons.
  for (let taken = 0; taken < wanted; taken++) {
    if (first > 1) [first, taken] = [first - 1, taken + 1];
    if (last < lines.length) [last, taken] = [last + 1, taken + 1];
  }
  const shown = lines.slice(first - 1, last).map((line, index) => {
    const number = first + index;
    const mark = number >= start.line && number <= Math.max(end.line, start.line) ? ">>>" : "   ";
    return ` ${String(number).padStart(3)} | ${mark} ${line.replace(/\r$/, "")}`;
  });
  const rule = "-".repeat(20);
  return [`${source.file}:${start.line}`, rule, ...shown, rule].join("\n");
}

/** Thrown where the place is not known yet; whoever knows it makes a DockerfileError of it. */
export class Complaint extends Error {
  readonly range: Range | undefined;
  readonly hint: string | undefined;

  constructor(reason: string, options: { readonly hint?: string | undefined; readonly range?: Range | undefined } = {}) {
    super(reason);
    this.hint = options.hint;
    this.range = options.range;
  }
}

/** Everything that is wrong with a file, to be told at once. */
export class Problems {
  readonly #source: Source;
  readonly #errors: DockerfileError[] = [];

  constructor(source: Source) {
    this.#source = source;
  }

  get errors(): readonly DockerfileError[] {
    return this.#errors;
  }

  add(range: Range, reason: string, hint?: string): void {
    this.#errors.push(new DockerfileError(this.#source, range, reason, hint));
  }

  /** What `read` returns; undefined when it complains, about `range` unless it says about what. */
  hear<T>(range: Range, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Complaint)) throw error;
      this.add(error.range ?? range, error.message, error.hint);
      return undefined;
    }
  }

  /** One as it is, more as one error that lists them, in the order of the file. */
  raise(): void {
    const sorted = this.#errors.toSorted((a, b) => a.range.start.offset - b.range.start.offset);
    const [first, ...more] = sorted;
    if (first === undefined) return;
    if (more.length === 0) throw first;
    throw new RamekinError("INVALID_ARGUMENT", `${sorted.length} things are wrong with ${this.#source.file}`, { errors: sorted });
  }
}

const at = ({ file }: Source, { start }: Range) => `${file}:${start.line}:${start.column}`;

/** The line with its number, and carets under the part of the range that is on it. */
function excerpt(source: Source, { start, end }: Range): string {
  const line = source.line(start.line);
  const number = String(start.line);
  const until = end.line === start.line ? end.column : line.length + 1;
  const carets = "^".repeat(Math.max(1, Math.min(until, line.length + 1) - start.column));
  // A tab stays a tab, so that the caret stands under its character however wide tabs are.
  const before = line.slice(0, start.column - 1).replace(/[^\t]/g, " ");
  return ` ${number} | ${line}\n ${" ".repeat(number.length)} | ${before}${carets}`;
}
