import { type ExpandOptions, expand } from "./expand.ts";
import { Complaint } from "./problem.ts";
import type { Range } from "./source.ts";

/** `3<<-"EOF"`, as it is announced. */
export interface HeredocMark {
  /** The word that ends it, which is also the name of the file that COPY makes. */
  readonly name: string;
  readonly descriptor: number;
  /** Variables in the content are expanded: the name is not quoted. */
  readonly expand: boolean;
  /** `<<-`: tabs at the beginning of lines are not part of it. */
  readonly chomp: boolean;
}

export interface Heredoc extends HeredocMark {
  /** As it stands in the file, the line breaks too. */
  readonly content: string;
  /** Of the content, without the line that ends it. */
  readonly range: Range;
}

/** What a word announces; undefined for words that are no heredocs. */
export function parseHeredoc(word: string): HeredocMark | undefined {
  const [, descriptor = "", dash, rest = ""] = /^(\d*)<<(-?)\s*([^<]*)$/.exec(word) ?? [];
  const words = wordsOf(rest, {});
  const raw = wordsOf(rest, { rawQuotes: true });
  const [name] = words;
  if (name === undefined || words.length !== 1) return undefined;
  return { name, descriptor: Number(descriptor), expand: quotes(name) === quotes(raw[0] ?? ""), chomp: dash === "-" };
}

/** All that a line announces, in order. */
export function heredocsOf(line: string): readonly HeredocMark[] {
  return wordsOf(line, { rawQuotes: true, rawEscapes: true }).flatMap((word) => parseHeredoc(word) ?? []);
}

/** None where quotes or braces do not match: such text announces nothing, and a shell will say what is wrong with it. */
function wordsOf(text: string, options: ExpandOptions): readonly string[] {
  try {
    return expand(text, new Map(), { keepUnset: true, ...options }).words;
  } catch (error) {
    if (error instanceof Complaint) return [];
    throw error;
  }
}

export const chomped = (content: string): string => content.replace(/^\t+/gm, "");

const quotes = (text: string) => text.replace(/[^'"]/g, "").length;
